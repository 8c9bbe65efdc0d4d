import type { AsyncContexts } from './async-contexts.js';

/**
 * What the core needs to know of time. It never reads a clock or sets a timer itself.
 *
 * Why: the same code runs under real time (`SystemTime`) and under `SimulatedTime`, where a day passes in seconds.
 */
export interface Time {
  /** Milliseconds on a clock that never goes back; its zero means nothing. */
  now(): number;
  /** Milliseconds since 1970, for display only: no age is ever computed from it. */
  wallNow(): number;
  /** Calls `callback` once, not before `delayMs` have passed. Never keeps the process alive by itself. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /**
   * Calls `callback` after the process has looked at all its sockets once.
   *
   * Why: an answer may already be waiting behind the timer that is about to say there is none.
   */
  afterPoll(callback: () => void): void;
  /**
   * Whose request code runs for. Callbacks of timers must run for no request; other callbacks are put where they belong by
   * this.
   * @default there are no contexts
   */
  readonly contexts?: AsyncContexts;
}

/** A timer that has not fired yet. */
export interface Timer {
  /** Cancelling twice, or after it fired, does nothing. */
  cancel(): void;
}

/** What the rest of the core reads and arms. */
export interface Clock {
  /** Monotonic milliseconds with stalled time taken out. Never goes back. */
  now(): number;
  /**
   * What `now()` said last, at most a quarter of a second ago as long as a timer is armed.
   *
   * Why: reading the clock costs as much as all the rest that is done for a message.
   */
  readonly recentMs: number;
  /** As {@link Time.wallNow}. */
  wallNow(): number;
  /** Calls `callback` once `delayMs` of time that was not stalled have passed. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** As {@link Time.afterPoll}. */
  afterPoll(callback: () => void): void;
  /** When, on this clock, the last stall ended; nothing seen before it is fresh. `-Infinity` without any. */
  readonly lastStallEndedAtMs: number;
  /** As {@link Time.contexts}. */
  readonly contexts: AsyncContexts;
  /** How many stalls there have been. */
  readonly stalls: number;
}

/** An instant before any other, small enough to be kept without a box. */
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
