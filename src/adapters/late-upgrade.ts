import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Timer } from '../core/time.js';
import { tooBusy, type Attempt } from './attempt.js';
import { LateAdmission } from './late-admission.js';
import { isMoored } from './moored-web-socket.js';
import type { Upgrade, UpgradeContext } from './pending-upgrade.js';
import { isTurnedDown } from './upgrade-request.js';

/**
 * An upgrade whose client is accepted first, and admitted when the application says who it is. `verifyClient` may delay the
 * handshake by `authenticateTimeoutMs`; the attempt ends with its client.
 */
export class LateUpgrade {
  readonly #context: UpgradeContext;
  readonly #upgrade: Upgrade;
  readonly #attempt: Attempt<IncomingMessage>;
  #isHandshakeDone = false;
  #deadline: Timer | null = null;

  constructor(context: UpgradeContext, upgrade: Upgrade, attempt: Attempt<IncomingMessage>) {
    this.#context = context;
    this.#upgrade = upgrade;
    this.#attempt = attempt;
  }

  /** @param begin called once the socket is open: from then on the client has time to say who it is */
  start(begin: (late: LateAdmission) => void): void {
    const { request, stream, head, upgraded } = this.#upgrade;
    try {
      this.#context.handleUpgrade(request, stream, head, (socket) => {
        this.#endWaiting();
        if (this.#open(socket, begin)) upgraded(socket, request);
      });
    } finally {
      if (!this.#isHandshakeDone) this.#awaitHandshake();
    }
  }

  /** @returns whether the application gets the socket */
  #open(socket: WebSocket, begin: (late: LateAdmission) => void): boolean {
    const { isAttached, mooring, refusalSender, server } = this.#context;
    const { stream } = this.#upgrade;
    const attempt = this.#attempt;
    if (!isMoored(socket)) {
      attempt.leave();
      if (isAttached) refusalSender.closeUnmanaged(server, socket, 'options.WebSocket was replaced after attach');
      return !isAttached;
    }
    if (!attempt.isAuthenticating) {
      refusalSender.refuseOpen({ socket, stream }, mooring.refusals.crowded(), attempt);
      return false;
    }
    begin(new LateAdmission({ mooring, refusalSender, socket, stream, attempt }));
    return attempt.isAuthenticating;
  }

  #awaitHandshake(): void {
    const { mooring, refusalSender } = this.#context;
    const { stream } = this.#upgrade;
    stream.once('close', this.#onClosed);
    this.#deadline = mooring.clock.setTimer(() => {
      stream.off('close', this.#onClosed);
      this.#attempt.leave();
      if (!isTurnedDown(stream)) refusalSender.reject(stream, tooBusy);
    }, mooring.config.authenticateTimeoutMs);
  }

  #endWaiting(): void {
    this.#isHandshakeDone = true;
    this.#deadline?.cancel();
    this.#upgrade.stream.off('close', this.#onClosed);
  }

  readonly #onClosed = (): void => {
    this.#deadline?.cancel();
    this.#attempt.leave();
  };
}
