import type { IncomingMessage } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Admission, PendingAdmission } from '../core/admission/outcome.js';
import type { Ticket } from '../core/admission/ticket.js';
import type { Mooring } from '../core/mooring.js';
import { tooBusy, type Attempt, type AttemptListener, type HttpRejection } from './attempt.js';
import { EarlyReader } from './early-reader.js';
import { isMoored } from './moored-web-socket.js';
import type { RefusalSender, UnansweredHandshake } from './refusal-sender.js';
import { ServerSnapshot } from './server-snapshot.js';
import { isTurnedDown } from './upgrade-request.js';
import { WaitingClient, withdraw } from './waiting-client.js';
import { WsConnection } from './ws-connection.js';
import { isClosed } from './ws-internals.js';

/** The arguments of `handleUpgrade`. */
export interface Upgrade extends UnansweredHandshake {
  /** Gives the WebSocket to the caller. */
  readonly upgraded: (socket: WebSocket, request: IncomingMessage) => void;
}

/** What the upgrades of one server share. */
export interface UpgradeContext {
  readonly server: WebSocketServer;
  readonly mooring: Mooring;
  readonly refusalSender: RefusalSender;
  /** The server's own `handleUpgrade`. */
  readonly handleUpgrade: WebSocketServer['handleUpgrade'];
  /** Whether Mooring is still attached to the server. */
  readonly isAttached: boolean;
}

/**
 * An upgrade while its client is authenticated and admitted, and then the handshake:
 *
 * - admitted at once: handshake, then the ticket is opened with the socket
 * - refused at once: handshake with a server of our own, then the close frame
 * - has to wait: handshake, then a {@link WaitingClient} until the decision. Why: a browser does only one handshake at a
 *   time with a host, so an unanswered one would delay its other connections.
 */
export class PendingUpgrade implements AttemptListener {
  readonly #context: UpgradeContext;
  readonly #upgrade: Upgrade;
  readonly #attempt: Attempt<IncomingMessage>;
  #head: Buffer;
  /** While authentication takes time. */
  #earlyReader: EarlyReader | null = null;
  /** Set if the handshake comes after the call of `handleUpgrade`. */
  #snapshot: ServerSnapshot | null = null;
  /** Set if the decision comes after the call of `handleUpgrade`. */
  #waiting: WaitingClient | null = null;
  #isHandshakeDone = false;

  constructor(context: UpgradeContext, upgrade: Upgrade, attempt: Attempt<IncomingMessage>) {
    this.#context = context;
    this.#upgrade = upgrade;
    this.#attempt = attempt;
    this.#head = upgrade.head;
  }

  /** Authentication takes time: watches the client, and keeps what the handshake needs. */
  awaitAuthentication(): void {
    this.#snapshot = new ServerSnapshot(this.#context.server);
    this.#earlyReader = new EarlyReader(this.#upgrade.stream, this.#head, () => {
      this.#attempt.leave();
    });
  }

  onDisplaced(rejection: HttpRejection): void {
    this.#stopEarlyReader();
    this.#context.refusalSender.reject(this.#upgrade.stream, rejection);
  }

  onDecided(admission: Admission): void {
    this.#stopEarlyReader();
    if (this.#waiting !== null) this.#endWaiting(this.#waiting, admission);
    else if (admission.refusal === null) this.#accept(admission.ticket);
    else if (!this.#upgrade.stream.destroyed) {
      const { request, stream } = this.#upgrade;
      this.#context.refusalSender.refuse({ request, stream, head: this.#head }, admission.refusal, this.#attempt);
    }
  }

  onWaiting(pending: PendingAdmission): void {
    this.#stopEarlyReader();
    const { server, refusalSender } = this.#context;
    const { stream } = this.#upgrade;
    const waiting = new WaitingClient({ server, stream, pending, refusalSender, client: this.#attempt });
    this.#waiting = waiting;
    try {
      this.#handshake((socket) => {
        this.#isHandshakeDone = true;
        this.#acceptWaiting(waiting, socket);
      });
    } catch (error) {
      waiting.giveBack();
      if (!isTurnedDown(stream)) refusalSender.reject(stream, tooBusy);
      throw error;
    }
    if (!this.#isHandshakeDone && isTurnedDown(stream)) waiting.giveBack();
  }

  #stopEarlyReader(): void {
    if (this.#earlyReader === null) return;
    this.#head = this.#earlyReader.stop();
    this.#earlyReader = null;
  }

  /** `ws` does the handshake, with the options and listeners that its caller had set for the call. */
  #handshake(accepted: (socket: WebSocket) => void): void {
    const { handleUpgrade, isAttached } = this.#context;
    const { request, stream } = this.#upgrade;
    if (this.#snapshot === null) {
      handleUpgrade(request, stream, this.#head, accepted);
      return;
    }
    const act = (): void => {
      handleUpgrade(request, stream, this.#head, accepted);
    };
    this.#snapshot.run(act, isAttached ? null : 'WebSocket');
  }

  /** If `ws` rejects the handshake, the slot is given back. */
  #accept(ticket: Ticket): void {
    const { request, upgraded } = this.#upgrade;
    try {
      this.#handshake((socket) => {
        this.#isHandshakeDone = true;
        if (this.#open(socket, ticket)) upgraded(socket, request);
      });
    } finally {
      if (!this.#isHandshakeDone) this.#awaitHandshake(ticket);
    }
  }

  /** @returns whether the application gets the socket. A socket made after Mooring was detached is not managed. */
  #open(socket: WebSocket, ticket: Ticket): boolean {
    if (!isMoored(socket)) {
      ticket.cancel();
      return this.#passUnmanaged(socket);
    }
    const { server, refusalSender } = this.#context;
    const { stream } = this.#upgrade;
    const { connection, refusal } = ticket.open(new WsConnection(socket, stream));
    if (refusal !== null) {
      withdraw(server, socket);
      refusalSender.refuseOpen({ socket, stream }, refusal, this.#attempt);
      return false;
    }
    socket.bindConnection(connection, stream);
    return true;
  }

  #acceptWaiting(waiting: WaitingClient, socket: WebSocket): void {
    if (!isMoored(socket)) {
      waiting.giveBack();
      if (this.#passUnmanaged(socket)) this.#upgrade.upgraded(socket, this.#upgrade.request);
      return;
    }
    const admission = waiting.setSocket(socket);
    if (admission !== null) this.#endWaiting(waiting, admission);
  }

  #endWaiting(waiting: WaitingClient, admission: Admission): void {
    const { server, mooring } = this.#context;
    const { request, stream, upgraded } = this.#upgrade;
    const socket = waiting.setAdmission(admission);
    const { ticket, refusal } = admission;
    if (waiting.isOver) return;
    if (socket === null) {
      if (ticket === null) this.#giveUpHandshake();
      else this.#awaitHandshake(ticket);
      return;
    }
    if (ticket === null || isClosed(server)) {
      ticket?.cancel();
      waiting.refuse(refusal ?? mooring.refusals.draining());
      return;
    }
    const opening = ticket.open(new WsConnection(socket, stream));
    if (opening.refusal !== null) {
      waiting.refuse(opening.refusal);
      return;
    }
    socket.bindConnection(opening.connection, stream);
    waiting.admit(opening.connection, () => {
      upgraded(socket, request);
    });
  }

  /** `verifyClient` takes time, or it refused or threw. Nothing reads the stream meanwhile, so this must end. */
  #awaitHandshake(ticket: Ticket): void {
    const { stream } = this.#upgrade;
    if (isTurnedDown(stream)) {
      ticket.cancel();
      return;
    }
    ticket.whenEnded = () => {
      this.#giveUpHandshake();
    };
    stream.once('close', () => {
      ticket.cancel();
    });
  }

  /** `verifyClient` gets some more time, but none if Mooring stops. */
  #giveUpHandshake(): void {
    const { mooring, refusalSender } = this.#context;
    const { stream } = this.#upgrade;
    const giveUp = (): void => {
      if (!this.#isHandshakeDone && !isTurnedDown(stream)) refusalSender.reject(stream, tooBusy);
    };
    if (mooring.isDraining) giveUp();
    else mooring.clock.setTimer(giveUp, mooring.config.authenticateTimeoutMs);
  }

  /** A socket that is not of our class. @returns whether the application gets it, which is so once Mooring is detached */
  #passUnmanaged(socket: WebSocket): boolean {
    const { isAttached, refusalSender, server } = this.#context;
    if (isAttached)
      refusalSender.closeUnmanaged(server, socket, 'options.WebSocket of the server was replaced after attach');
    return !isAttached;
  }
}
