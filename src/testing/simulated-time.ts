import type { Time, Timer } from '../core/time.js';
import { nextTurn } from './next-turn.js';
import { Timers } from './timers.js';

/**
 * Time that passes only when a test says so: a day takes a moment, and everything happens in its order. Timers fire at
 * exactly their due time, unless {@link stall} delays them.
 */
export class SimulatedTime implements Time {
  #nowMs: number;
  readonly #wallAtZeroMs: number;
  readonly #timers = new Timers();
  readonly #afterPoll: (() => void)[] = [];

  constructor({ nowMs = 0, wallNowMs = 1_700_000_000_000 } = {}) {
    this.#nowMs = nowMs;
    this.#wallAtZeroMs = wallNowMs - nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#wallAtZeroMs + this.#nowMs;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#timers.set(callback, this.#nowMs + Math.max(0, delayMs));
  }

  afterPoll(callback: () => void): void {
    this.#afterPoll.push(callback);
  }

  /** Lets `forMs` milliseconds pass: fires each timer when it is due, and lets promises settle after each. */
  async advance(forMs: number): Promise<void> {
    const endsAtMs = this.#nowMs + forMs;
    await this.settle();
    while (this.#fireNext(endsAtMs)) await this.settle();
    this.#nowMs = Math.max(this.#nowMs, endsAtMs);
  }

  /** Like {@link advance}, but promises do not settle meanwhile: faster for long spans that need none. */
  advanceSync(forMs: number): void {
    const endsAtMs = this.#nowMs + forMs;
    this.#pollAll();
    while (this.#fireNext(endsAtMs)) this.#pollAll();
    this.#nowMs = Math.max(this.#nowMs, endsAtMs);
  }

  /** The process does not run for `forMs` milliseconds. What is due by then fires late, in the next {@link advance}. */
  stall(forMs: number): void {
    this.#nowMs += forMs;
  }

  /** Lets promises settle and calls what waits for a poll. No time passes. */
  async settle(): Promise<void> {
    do {
      this.#pollAll();
      await nextTurn();
    } while (this.#afterPoll.length > 0);
  }

  #pollAll(): void {
    while (this.#afterPoll.length > 0) for (const callback of this.#afterPoll.splice(0)) callback();
  }

  /** @returns whether a timer was due by then */
  #fireNext(endsAtMs: number): boolean {
    const { firstDueAtMs } = this.#timers;
    const callback = this.#timers.takeDue(endsAtMs);
    if (callback === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, firstDueAtMs);
    callback();
    return true;
  }
}
