import type { Socket } from 'socket.io';
import { unadmittedLimit } from '../../core/bounds.js';
import type { Mooring } from '../../core/mooring.js';
import { closeSession, destroySession, webSocketOf, type EngineSocket, type Next } from './engine.js';

/** A request to join a namespace that has no answer yet. */
export interface Connect {
  readonly socket: Socket;
  /** Answers it: lets it in, or refuses it with an error. */
  readonly next: Next;
}

/** How a client that does not listen to Mooring is told to come back later. */
export type RefuseBy = 'hold' | 'connect_error';

/** Below Socket.IO's `connectTimeout` of 45 s, after which it would close the session itself. */
export const longestHoldMs = 40_000;

/** How many refused sessions may be open, at most. */
const maxRefused = 1_000;

/**
 * Ends refused sessions so that unmodified clients obey. To a client of Socket.IO, CONNECT_ERROR means never to come back,
 * and a close means to come back within 1.5 seconds. So a client that should come back later is held: it gets no answer
 * until the time has passed, and then its session is closed.
 */
export class Refuser {
  readonly #mooring: Mooring;
  readonly #refuseBy: RefuseBy;
  readonly #limit: number;
  /** Refused sessions, and what keeps each from being closed as it was planned. */
  readonly #planned = new Map<EngineSocket, () => void>();

  constructor(mooring: Mooring, refuseBy: RefuseBy) {
    this.#mooring = mooring;
    this.#refuseBy = refuseBy;
    this.#limit = Math.min(maxRefused, unadmittedLimit(mooring.config));
  }

  /** Whether the clients of these sockets are held. Those with `reconnectWhenTold` get the time in a CONNECT_ERROR. */
  holds(connects: Iterable<Connect>): boolean {
    if (this.#refuseBy === 'connect_error') return false;
    return ![...connects].every(({ socket }) => (socket.handshake.auth as { mooring?: unknown }).mooring === 1);
  }

  /** Closes the session after this time, at most 40 seconds; at once if too many are refused. */
  hold(session: EngineSocket, holdMs: number): void {
    this.#closeAfter(session, Math.min(holdMs, longestHoldMs), () => true);
  }

  /** Closes a session that has its CONNECT_ERROR after `closeGraceMs`, unless it is in use by then. */
  endSoon(session: EngineSocket, isUnused: () => boolean): void {
    this.#closeAfter(session, this.#mooring.config.closeGraceMs, isUnused);
  }

  /**
   * Closes a session, and destroys it after `closeGraceMs`: by polling a close waits for the client's next request, and a
   * WebSocket for the answer of its peer.
   */
  close(session: EngineSocket): void {
    if (session.readyState !== 'open') return;
    const timer = this.#mooring.clock.setTimer(() => {
      destroySession(session);
    }, this.#mooring.config.closeGraceMs);
    (webSocketOf(session) ?? session).once('close', () => {
      timer.cancel();
    });
    closeSession(session);
  }

  /** Leaves refused sessions as they are. */
  stop(): void {
    for (const cancel of this.#planned.values()) cancel();
  }

  #closeAfter(session: EngineSocket, afterMs: number, mayClose: () => boolean): void {
    this.#planned.get(session)?.();
    if (this.#planned.size >= this.#limit) {
      this.close(session);
      return;
    }
    const cancel = (): void => {
      timer.cancel();
      session.off('close', cancel);
      this.#planned.delete(session);
    };
    const timer = this.#mooring.clock.setTimer(() => {
      cancel();
      if (mayClose()) this.close(session);
    }, afterMs);
    session.once('close', cancel);
    this.#planned.set(session, cancel);
  }
}
