import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** How often one client may try to connect. */
export interface AttemptRate {
  /** Attempts allowed within the window. */
  readonly limit: number;
  /** @default 60,000 */
  readonly windowMs?: number;
  /** Whose attempts are counted together. @default the remote address; behind a proxy, say where the client's is */
  readonly keyOf?: (request: IncomingMessage) => string;
}

const defaultWindowMs = 60_000;

/** Counts attempts to connect; what is over the rate is answered 429 before anything is asked of the application. */
export class AttemptLimiter {
  readonly #limiter: RateLimiterMemory;
  readonly #keyOf: (request: IncomingMessage) => string;

  constructor({ limit, windowMs = defaultWindowMs, keyOf = remoteAddress }: AttemptRate) {
    this.#limiter = new RateLimiterMemory({ points: limit, duration: windowMs / 1000 });
    this.#keyOf = keyOf;
  }

  /** @returns in how many milliseconds to try again, or `null` where this attempt is within the rate */
  async check(request: IncomingMessage): Promise<number | null> {
    try {
      await this.#limiter.consume(this.#keyOf(request));
      return null;
    } catch (outcome) {
      if (outcome instanceof RateLimiterRes) return outcome.msBeforeNext;
      throw outcome;
    }
  }
}

function remoteAddress({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? 'unknown';
}
