import type { IncomingMessage } from 'node:http';
import { describe } from '../core/errors.js';
import type { Mooring } from '../core/mooring.js';
import { ignoreRejection } from '../core/promises.js';
import { RateWindow } from '../core/rate-window.js';
import { addressKey, noAddress } from '../runtime/client-address.js';
import type { IncomingRequest } from './upgrade-request.js';

/** How often one client may try to connect. */
export interface AttemptRate<Request = IncomingMessage> {
  /** Attempts allowed within the window: an integer of at least 1. */
  readonly limit: number;
  /** @default 60,000 */
  readonly windowMs?: number;
  /**
   * Attempts with the same key are counted together. Behind a proxy, return the client's address. An IP address is
   * counted as the address of a socket is: IPv6 by /64, and IPv4 the same in every notation.
   * @default the `keyOf` beside `attemptRate` if there is one, else the remote address. Sockets without an address (of a
   * Unix domain socket) are not counted, since all of them would count as one client; this is reported once, as
   * `attempts.uncounted`
   */
  readonly keyOf?: ((request: Request) => string) | undefined;
}

const defaultWindowMs = 60_000;

interface CountedAttempt<Request> {
  readonly request: Request;
  readonly incoming: IncomingRequest;
  /** The client's address, as it is counted. */
  readonly address: string;
}

interface LimiterOptions {
  readonly mooring: Mooring;
  /** Whether the application tells the address of each attempt. */
  readonly isAddressGiven?: boolean;
}

/** Counts the attempts of each client to connect. */
export class AttemptLimiter<Request> {
  readonly #window: RateWindow;
  readonly #rate: AttemptRate<Request>;
  readonly #mooring: Mooring;
  readonly #isAddressGiven: boolean;
  #isReported = false;

  /** @throws TypeError if the rate is not valid */
  constructor(rate: AttemptRate<Request>, { mooring, isAddressGiven = false }: LimiterOptions) {
    checkRate(rate);
    const { limit, windowMs = defaultWindowMs } = rate;
    this.#window = new RateWindow({ limit, windowMs, now: () => mooring.now() });
    this.#rate = rate;
    this.#mooring = mooring;
    this.#isAddressGiven = isAddressGiven;
  }

  /**
   * Counts an attempt.
   * @returns in how many milliseconds to try again, or `null` if the attempt is within the rate. Never throws: if the rate's
   * own `keyOf` throws or returns no string, the attempt is not counted, and `authentication.failed` is emitted
   */
  check(attempt: CountedAttempt<Request>): number | null {
    try {
      const key = this.#keyOf(attempt);
      return key === null ? null : this.#window.take(key);
    } catch (error) {
      this.#mooring.events.emit('authentication.failed', { error: describe(error) });
      return null;
    }
  }

  #keyOf(attempt: CountedAttempt<Request>): string | null {
    if (this.#rate.keyOf === undefined) return this.#defaultKeyOf(attempt);
    const key: unknown = this.#rate.keyOf(attempt.request);
    ignoreRejection(key);
    if (typeof key !== 'string') throw new TypeError(`attemptRate.keyOf returned ${describe(key)}, wanted a string`);
    return addressKey(key);
  }

  #defaultKeyOf(attempt: CountedAttempt<Request>): string | null {
    const { socket } = attempt.incoming;
    if (this.#isAddressGiven && attempt.address !== noAddress) return attempt.address;
    if (socket?.remoteAddress !== undefined) return addressKey(socket.remoteAddress);
    if (socket?.destroyed !== true) this.#reportUncounted();
    return null;
  }

  #reportUncounted(): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#mooring.events.emit('attempts.uncounted', {
      reason:
        'the sockets have no address, as behind a Unix domain socket; give attach or attemptRate a keyOf that returns an address',
    });
  }
}

/** @throws TypeError */
function checkRate({ limit, windowMs, keyOf }: AttemptRate<never>): void {
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new TypeError(`attemptRate.limit: got ${describe(limit)}, wanted an integer of at least 1`);
  if (windowMs !== undefined && !(Number.isFinite(windowMs) && windowMs > 0))
    throw new TypeError(`attemptRate.windowMs: got ${describe(windowMs)}, wanted milliseconds above 0`);
  if (keyOf !== undefined && typeof keyOf !== 'function')
    throw new TypeError(`attemptRate.keyOf: got ${describe(keyOf)}, wanted a function of the request`);
}
