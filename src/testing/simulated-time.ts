import type { Time, Timer } from '../core/time.js';
import { TimerHeap } from './timer-heap.js';

interface Entry extends Timer {
  readonly dueAtMs: number;
  readonly order: number;
  readonly callback: () => void;
  isCancelled: boolean;
}

/**
 * Time that passes when told to: a day in a moment, in the order it would have happened. Timers fire at exactly their
 * due time unless {@link stall} holds them up.
 */
export class SimulatedTime implements Time {
  #nowMs: number;
  readonly #wallAtZeroMs: number;
  #order = 0;
  readonly #timers = new TimerHeap<Entry>();
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
    return [...this.#timers].filter((entry) => !entry.isCancelled).length;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const entry: Entry = {
      dueAtMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      isCancelled: false,
      cancel: () => {
        entry.isCancelled = true;
      },
    };
    this.#timers.put(entry);
    return entry;
  }

  afterPoll(callback: () => void): void {
    this.#afterPoll.push(callback);
  }

  /** Lets `forMs` pass, firing what is due on the way, and lets promises settle after each firing. */
  async advance(forMs: number): Promise<void> {
    const endsAt = this.#nowMs + forMs;
    await this.settle();
    for (let next = this.#next(endsAt); next !== undefined; next = this.#next(endsAt)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      next.callback();
      await this.settle();
    }
    this.#nowMs = Math.max(this.#nowMs, endsAt);
  }

  /** As {@link advance}, without letting promises settle: for long stretches in which none matter. */
  advanceSync(forMs: number): void {
    const endsAt = this.#nowMs + forMs;
    this.#pollAll();
    for (let next = this.#next(endsAt); next !== undefined; next = this.#next(endsAt)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      next.callback();
      this.#pollAll();
    }
    this.#nowMs = Math.max(this.#nowMs, endsAt);
  }

  /** The process does not run for `forMs`: time passes and nothing fires. What became due fires late, in {@link advance}. */
  stall(forMs: number): void {
    this.#nowMs += forMs;
  }

  /** Lets promises settle and pending polls happen, in no time. */
  async settle(): Promise<void> {
    do {
      this.#pollAll();
      await nextTurn();
    } while (this.#afterPoll.length > 0);
  }

  #pollAll(): void {
    while (this.#afterPoll.length > 0) for (const callback of this.#afterPoll.splice(0)) callback();
  }

  #next(endsAt: number): Entry | undefined {
    for (let { first } = this.#timers; first !== undefined && first.dueAtMs <= endsAt; { first } = this.#timers) {
      this.#timers.take();
      if (!first.isCancelled) return first;
    }
    return undefined;
  }
}

/** After every promise that can settle now has. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
