import type { CloseFrame } from '../close-codes.js';
import { ExpiryQueue } from '../expiry-queue.js';
import { withResolver } from '../promises.js';
import type { Clock } from '../time.js';
import type { Connection } from './connection.js';

/**
 * Connections that were told to close and have not yet.
 *
 * Why: a close handshake can take as long as the peer likes. The slot is free already; here the socket gets
 * `closeGraceMs`, then it is destroyed.
 * @source spec section 4; ws#2203
 */
export class ClosingConnections {
  readonly #expiries: ExpiryQueue<Connection>;
  readonly #emptied: (() => void)[] = [];

  readonly #clock: Clock;
  readonly #closeGraceMs: number;

  constructor(clock: Clock, closeGraceMs: number) {
    this.#clock = clock;
    this.#closeGraceMs = closeGraceMs;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: closeGraceMs,
      onExpired: (connection) => {
        this.#terminate(connection);
      },
    });
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** Sends the close frame now and sees the socket off. Never throws. */
  close(connection: Connection, frame: CloseFrame): void {
    this.#expiries.add(connection);
    try {
      connection.close(frame.code, frame.reason);
    } catch {
      this.#terminate(connection);
    }
  }

  /** The socket closed by itself. */
  closed(connection: Connection): void {
    if (this.#expiries.delete(connection)) this.#checkEmpty();
  }

  /** Resolves once every socket that is closing now is closed or destroyed, however many more begin to. */
  whenGone(): Promise<void> {
    if (this.#expiries.size === 0) return Promise.resolve();
    const { promise, resolve } = withResolver<undefined>();
    const grace = this.#clock.setTimer(() => {
      resolve(undefined);
    }, this.#closeGraceMs);
    this.#emptied.push(() => {
      grace.cancel();
      resolve(undefined);
    });
    return promise;
  }

  /** Destroys what is left, and leaves no timer. */
  dispose(): void {
    for (const connection of this.#expiries.clear()) this.#terminate(connection);
  }

  #terminate(connection: Connection): void {
    this.#expiries.delete(connection);
    try {
      connection.terminate();
    } catch {
      // Nothing more can be done to a socket that cannot even be destroyed; its slot is free all the same.
    }
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#expiries.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }
}
