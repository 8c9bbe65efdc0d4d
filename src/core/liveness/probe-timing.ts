import type { ManagedConnection } from '../managers/managed-connection.js';
import type { WebSocketConfig } from '../settings.js';

/** How long a probe waits: the second ping leaves `spacingMs` after the first, and is given `windowMs`. */
export interface PingTiming {
  readonly spacingMs: number;
  readonly windowMs: number;
}

/** The part of a cleanup's time that one ping of a slow connection may take. */
const longestShare = 0.4;

/** How many round trips an answer may take: the ping or its answer may have been lost once or twice. */
const roundTrips = 4;

/** A connection whose round trip is more than this many of the longest windows cannot be judged in two of them. */
const judgeableWindows = 1.5;

/** The round trip that is presumed of a connection that has not answered yet: a phone in a bad network. */
const presumedRoundTripMs = 1_000;

type Limits = Pick<WebSocketConfig, 'probeTimeoutMs' | 'emergencyCleanupTimeoutMs'>;

/** How long a probe waits for each connection: it depends on the round trip. */
export class ProbeTiming {
  readonly #probeTimeoutMs: number;
  readonly #longestMs: number;

  constructor({ probeTimeoutMs, emergencyCleanupTimeoutMs }: Limits) {
    this.#probeTimeoutMs = probeTimeoutMs;
    this.#longestMs = longestShare * emergencyCleanupTimeoutMs;
  }

  /** The timing of almost every connection. */
  get usual(): PingTiming {
    return { spacingMs: this.#probeTimeoutMs, windowMs: this.#probeTimeoutMs };
  }

  /**
   * The timing of a connection with this round trip: each ping gets four round trips, at most 40 % of a cleanup's time.
   * The pings leave `probeTimeoutMs` apart, or further apart if those 40 % are less than four round trips.
   */
  forRoundTrip(roundTripMs: number): PingTiming {
    if (this.isUsual(roundTripMs)) return this.usual;
    const wantedMs = this.answersWithinMs(roundTripMs);
    const windowMs = Math.min(wantedMs, this.#longestMs);
    const spacingMs = Math.min(this.#probeTimeoutMs + wantedMs - windowMs, this.#longestMs);
    return { spacingMs, windowMs };
  }

  /** How long a probe waits in all for a connection whose round trip is not known. */
  get waitForUnknownMs(): number {
    const { spacingMs, windowMs } = this.forRoundTrip(presumedRoundTripMs);
    return spacingMs + windowMs;
  }

  /** Whether its answers come in the usual time. */
  isUsual(roundTripMs: number): boolean {
    return this.answersWithinMs(roundTripMs) <= this.#probeTimeoutMs;
  }

  /** How long an answer of a connection with this round trip may take. */
  answersWithinMs(roundTripMs: number): number {
    return roundTrips * roundTripMs;
  }

  /** Whether a cleanup's time is too short for it to answer. */
  isTooSlow(roundTripMs: number): boolean {
    return roundTripMs > judgeableWindows * this.#longestMs;
  }

  /**
   * The round trip to expect of a connection. Before its first answer it is presumed; once a ping was unanswered for as
   * long as slow connections get, it is 0.
   */
  roundTripOf({ roundTripMs, pings, clock }: ManagedConnection): number {
    if (roundTripMs >= 0) return roundTripMs;
    const pingedAtMs = pings?.[0]?.atMs ?? Infinity;
    return clock.now() - pingedAtMs >= this.waitForUnknownMs ? 0 : presumedRoundTripMs;
  }
}
