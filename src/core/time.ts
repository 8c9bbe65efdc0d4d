import type { AsyncContexts } from './async-contexts.js';

/**
 * The time that the core is given. It never reads a clock or sets a timer itself.
 *
 * Why: the same code runs under real time (`SystemTime`) and under `SimulatedTime`, where a day passes in seconds.
 */
export interface Time {
  /** Monotonic milliseconds with an arbitrary origin. */
  now(): number;
  /** Milliseconds since 1970, for display only: no age is ever computed from it. */
  wallNow(): number;
  /** Calls `callback` once, not before `delayMs` have passed. Never keeps the process alive by itself. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /**
   * Calls `callback` after the process has read all its sockets once.
   *
   * Why: when a timer fires, an answer may have arrived that has not been read yet.
   */
  afterPoll(callback: () => void): void;
  /**
   * The async contexts of the platform. Callbacks of timers must run in no request's context.
   * @default there are no contexts
   */
  readonly contexts?: AsyncContexts;
}

/** A timer that has not fired yet. */
export interface Timer {
  /** Cancelling twice, or after it fired, does nothing. */
  cancel(): void;
}

/** The clock that all parts of the core use. */
export interface Clock {
  /** Monotonic milliseconds with stalled time taken out. Never goes back. */
  now(): number;
  /**
   * The last result of `now()`, at most 250 ms old while a timer is armed.
   *
   * Why: reading the clock costs as much as everything else that is done for a message.
   */
  readonly recentMs: number;
  /** As {@link Time.wallNow}. */
  wallNow(): number;
  /** Calls `callback` once `delayMs` of time that was not stalled have passed. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** As {@link Time.afterPoll}. */
  afterPoll(callback: () => void): void;
  /** How long all stalls took that have been noticed, in milliseconds: `now()` and this make up the time that passed. */
  readonly stalledMs: number;
  /** When the last stall ended, on this clock; `-Infinity` if there was none. */
  readonly lastStallEndedAtMs: number;
  /** As {@link Time.contexts}. */
  readonly contexts: AsyncContexts;
  readonly stalls: number;
}

/** Sentinel for "never happened". A small integer, which V8 stores unboxed. */
export const never = -(2 ** 30);

/** A source of numbers in [0, 1), for jitter and nonces. */
export type Random = () => number;

/**
 * `valueMs` moved by up to `ratio` of itself, either way.
 *
 * Why: clients that were refused together must not come back together.
 */
export function jittered(valueMs: number, ratio: number, random: Random): number {
  return Math.round(valueMs * (1 + ratio * (2 * random() - 1)));
}
