import type { IncomingMessage } from 'node:http';
import { describe } from '../core/errors.js';
import type { Mooring } from '../core/mooring.js';
import { RateWindow } from '../core/rate-window.js';
import { addressKey } from '../runtime/client-address.js';
import type { Asked } from './upgrade-request.js';

/** How often one client may try to connect. */
export interface AttemptRate {
  /** Attempts allowed within the window: an integer of at least 1. */
  readonly limit: number;
  /** @default 60,000 */
  readonly windowMs?: number;
  /**
   * Whose attempts are counted together; behind a proxy, say where the client's address is. IP addresses it gives are
   * counted as those of sockets are: IPv6 by /64, and IPv4 as IPv4 however it is written.
   * @default the remote address. Sockets without one (behind a Unix domain socket) are not counted, since all would be
   * counted as one client; this is told once, as `attempts.uncounted`
   */
  readonly keyOf?: (request: IncomingMessage) => string;
}

const defaultWindowMs = 60_000;

/** Counts attempts to connect; what is over the rate is answered 429 before anything is asked of the application. */
export class AttemptLimiter {
  readonly #window: RateWindow;
  readonly #keyOf: ((request: IncomingMessage) => string) | null;
  readonly #mooring: Mooring;
  #hasTold = false;

  /** @throws TypeError if the rate is none */
  constructor(rate: AttemptRate, mooring: Mooring) {
    checkRate(rate);
    const { limit, windowMs = defaultWindowMs, keyOf = null } = rate;
    this.#window = new RateWindow({ limit, windowMs, now: () => mooring.now() });
    this.#keyOf = keyOf;
    this.#mooring = mooring;
  }

  /**
   * @returns in how many milliseconds to try again, or `null` if this attempt is within the rate. Never throws: if `keyOf`
   * does, or gives no text, the attempt is not counted, and `authentication.failed` tells it
   */
  check(request: IncomingMessage): number | null {
    try {
      const key = this.#keyFor(request);
      return key === null ? null : this.#window.take(key);
    } catch (error) {
      this.#mooring.events.emit('authentication.failed', { error: describe(error) });
      return null;
    }
  }

  #keyFor(request: IncomingMessage): string | null {
    if (this.#keyOf === null) return this.#keyOfSocket(request);
    const key: unknown = this.#keyOf(request);
    if (typeof key !== 'string') throw new TypeError(`attemptRate.keyOf gave ${describe(key)}, wanted a text`);
    return addressKey(key);
  }

  #keyOfSocket({ socket }: Asked): string | null {
    if (socket?.remoteAddress !== undefined) return addressKey(socket.remoteAddress);
    if (socket?.destroyed !== true) this.#tellOnce();
    return null;
  }

  #tellOnce(): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#mooring.events.emit('attempts.uncounted', {
      reason: 'the sockets have no address, as behind a Unix domain socket; give attemptRate a keyOf',
    });
  }
}

/** @throws TypeError */
function checkRate({ limit, windowMs, keyOf }: AttemptRate): void {
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new TypeError(`attemptRate.limit: got ${describe(limit)}, wanted an integer of at least 1`);
  if (windowMs !== undefined && !(Number.isFinite(windowMs) && windowMs > 0))
    throw new TypeError(`attemptRate.windowMs: got ${describe(windowMs)}, wanted milliseconds above 0`);
  if (keyOf !== undefined && typeof keyOf !== 'function')
    throw new TypeError(`attemptRate.keyOf: got ${describe(keyOf)}, wanted a function of the request`);
}
