import {
  closeFrame,
  type CloseCause,
  type CloseCodeProfile,
  type CloseDetail,
  type CloseFrame,
} from '../close-codes.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import { withResolver } from '../promises.js';
import type { Clock } from '../time.js';
import type { Connection } from './connection.js';

/** One of a manager's: whoever learns that it closed says so. */
export interface Closable {
  readonly connection: Connection;
  /** Since it was told to close: its place among those that were. Owned by {@link ClosingConnections}. */
  closing: Expiry<Closable> | null;
}

interface ClosingOptions {
  readonly clock: Clock;
  readonly closeGraceMs: number;
  readonly closeCodes: CloseCodeProfile;
  /** Told of each that is over, closed or destroyed. */
  readonly whenOver?: (link: Closable) => void;
}

/**
 * Connections that were told to close and have not yet.
 *
 * Why: a close handshake can take as long as the peer likes. The slot is free already; here the socket gets
 * `closeGraceMs`, then it is destroyed.
 * @source spec section 4; ws#2203
 */
export class ClosingConnections {
  readonly #options: ClosingOptions;
  readonly #expiries: ExpiryQueue<Closable>;
  readonly #emptied: (() => void)[] = [];
  #whenTold: (link: Closable) => void = () => undefined;

  constructor(options: ClosingOptions) {
    this.#options = options;
    this.#expiries = new ExpiryQueue({
      clock: options.clock,
      timeoutMs: options.closeGraceMs,
      onExpired: (link) => {
        this.#terminate(link);
      },
    });
  }

  /** Who hears of each that is told to close. */
  whenTold(act: (link: Closable) => void): void {
    this.#whenTold = act;
  }

  /** Whether every one of them is gone. */
  get isEmpty(): boolean {
    return this.#expiries.isEmpty;
  }

  /** Sends the close frame now and sees the socket off. Never throws. */
  close(link: Closable, cause: CloseCause, detail?: CloseDetail): void {
    this.#send(link, closeFrame(cause, detail, this.#options.closeCodes));
  }

  /** As {@link close}, for one that was refused and so has no manager. */
  turnAway(connection: Connection, frame: CloseFrame): void {
    this.#send({ connection, closing: null }, frame);
  }

  /** The socket closed by itself. */
  closed(link: Closable): void {
    if (link.closing !== null && this.#expiries.delete(link.closing)) this.#over(link);
  }

  /** Resolves once every socket that is closing now is closed or destroyed, however many more begin to. */
  whenGone(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    const { promise, resolve } = withResolver<undefined>();
    const { clock, closeGraceMs } = this.#options;
    const grace = clock.setTimer(() => {
      resolve(undefined);
    }, closeGraceMs);
    this.#emptied.push(() => {
      grace.cancel();
      resolve(undefined);
    });
    return promise;
  }

  /** Destroys what is left, and leaves no timer. */
  dispose(): void {
    for (const link of this.#expiries.clear()) this.#terminate(link);
  }

  #send(link: Closable, { code, reason }: CloseFrame): void {
    link.closing = this.#expiries.add(link);
    this.#whenTold(link);
    try {
      // The socket's own timers must not belong to the request that another connection came with.
      this.#options.clock.contexts.outside(() => {
        link.connection.close(code, reason);
      });
    } catch {
      if (this.#expiries.delete(link.closing)) this.#terminate(link);
    }
  }

  #terminate(link: Closable): void {
    try {
      this.#options.clock.contexts.outside(() => {
        link.connection.terminate();
      });
    } catch {
      // Nothing more can be done to a socket that cannot even be destroyed; its slot is free all the same.
    }
    this.#over(link);
  }

  #over(link: Closable): void {
    this.#options.whenOver?.(link);
    if (this.isEmpty) for (const resolve of this.#emptied.splice(0)) resolve();
  }
}
