import { noContexts, type AsyncContexts } from '../async-contexts.js';
import { never, type Clock, type Time, type Timer } from '../time.js';

/** How often the clock looks for a stall while a timer is armed, in milliseconds. A stall began within this time. */
export const tickMs = 250;

interface ClockOptions {
  readonly time: Time;
  /** How late a timer may be before its lateness counts as stalled, in milliseconds. */
  readonly toleranceMs: number;
  /** Called for each stall when it is noticed. */
  readonly onStall?: (stalledMs: number) => void;
}

/**
 * A clock on which a blocked event loop, a long garbage collection or a suspended machine takes no time.
 *
 * Why: after any of these, every peer looks silent and every manager idle. While a timer is armed, one ticker measures how
 * late it is. Every reading of the clock checks it first, so that a byte that is read after a stall, but before the
 * ticker, does not get a time in the future.
 * @see docs/decisions/0010-time-and-deadlines.md
 */
export class StallClock implements Clock {
  readonly #time: Time;
  readonly #toleranceMs: number;
  readonly #onStall: ((stalledMs: number) => void) | undefined;
  readonly #armed = new Set<ArmedTimer>();
  #ticker: Timer | null = null;
  #tickDueAt = Infinity;
  #stalledMs = 0;
  readonly contexts: AsyncContexts;
  recentMs = never;
  lastStallEndedAtMs = -Infinity;
  stalls = 0;

  constructor({ time, toleranceMs, onStall }: ClockOptions) {
    this.#time = time;
    this.contexts = time.contexts ?? noContexts;
    this.#toleranceMs = toleranceMs;
    this.#onStall = onStall;
  }

  get stalledMs(): number {
    return this.#stalledMs;
  }

  now(): number {
    const raw = this.#time.now();
    if (raw - this.#tickDueAt > this.#toleranceMs) this.#account(raw);
    // Whole milliseconds: V8 keeps them in the objects that note them, where fractions would need a box each.
    const now = Math.floor(raw - this.#stalledMs);
    if (now > this.recentMs) this.recentMs = now;
    return this.recentMs;
  }

  wallNow(): number {
    return this.#time.wallNow();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = new ArmedTimer(this.now() + delayMs, callback, this.#armed);
    this.#arm(timer, delayMs);
    if (this.#ticker === null) this.#startTicker();
    return timer;
  }

  afterPoll(callback: () => void): void {
    this.#time.afterPoll(callback);
  }

  /** Stops the ticker. While a timer is armed it goes on, and stops with the last one. */
  dispose(): void {
    if (this.#armed.size > 0) return;
    this.#ticker?.cancel();
    this.#ticker = null;
    this.#tickDueAt = Infinity;
  }

  #arm(timer: ArmedTimer, delayMs: number): void {
    timer.native = this.#time.setTimer(() => {
      this.#fire(timer);
    }, delayMs);
  }

  #fire(timer: ArmedTimer): void {
    if (!this.#armed.has(timer)) return;
    const left = timer.dueAtMs - this.now();
    // Node's timers count whole milliseconds and may be up to one early.
    if (left > 1) {
      this.#arm(timer, left);
      return;
    }
    this.#armed.delete(timer);
    timer.callback();
  }

  #startTicker(): void {
    this.#tickDueAt = this.#time.now() + tickMs;
    this.#ticker = this.#time.setTimer(() => {
      this.now();
      this.#ticker = null;
      this.#tickDueAt = Infinity;
      if (this.#armed.size > 0) this.#startTicker();
    }, tickMs);
  }

  #account(raw: number): void {
    const late = raw - this.#tickDueAt;
    this.stalls += 1;
    this.#stalledMs += late;
    this.#tickDueAt = raw;
    this.lastStallEndedAtMs = Math.max(this.recentMs, Math.floor(raw - this.#stalledMs));
    this.#onStall?.(late);
  }
}

class ArmedTimer implements Timer {
  native: Timer | null = null;

  constructor(
    readonly dueAtMs: number,
    readonly callback: () => void,
    readonly armed: Set<ArmedTimer>,
  ) {
    armed.add(this);
  }

  cancel(): void {
    this.armed.delete(this);
    this.native?.cancel();
  }
}
