import type { Time, Timer } from '../../src/index.js';
import { SimulatedTime } from '../../src/testing/index.js';
import type { Span } from './gc.js';
import { waitedForCpuMs } from './waits.js';

/** A span of work, and how much of it was spent waiting for a CPU. */
export interface Stretch extends Span {
  readonly waitedMs: number;
}

/**
 * Time that stands still, leaps when told to, and passes like real time while something is measured. So a manager
 * can be ten minutes old in a moment, and the sweep that finds it is still measured by a real clock.
 */
export class LeapTime implements Time {
  /** When the core worked while time flowed: the first slice of each operation and slices after a poll; and timers. */
  readonly slices: Stretch[] = [];
  readonly timers: Stretch[] = [];
  readonly #simulated = new SimulatedTime();
  #flowsSince: number | null = null;

  now(): number {
    return this.#simulated.now() + (this.#flowsSince === null ? 0 : performance.now() - this.#flowsSince);
  }

  wallNow(): number {
    return this.#simulated.wallNow();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#simulated.setTimer(callback, delayMs);
  }

  /** Like the system's time: after a whole poll phase. */
  afterPoll(callback: () => void): void {
    if (this.#flowsSince === null) this.#simulated.afterPoll(callback);
    else setImmediate(() => setImmediate(() => this.#timed(this.slices, callback)));
  }

  /** Lets simulated time pass at once. */
  leap(forMs: number): void {
    this.#simulated.advanceSync(forMs);
  }

  /** Like {@link leap}, but promises settle meanwhile. */
  leapAsync(forMs: number): Promise<void> {
    return this.#simulated.advance(forMs);
  }

  /** Lets time flow until `work` is done. Its first, synchronous part counts as a slice. */
  async flow<T>(work: () => Promise<T>): Promise<T> {
    this.#flowsSince = performance.now();
    const pump = setInterval(() => {
      this.#catchUp();
    }, 1);
    try {
      return await this.#timed(this.slices, work);
    } finally {
      clearInterval(pump);
      this.#catchUp();
      this.#flowsSince = null;
    }
  }

  /** Fires what has become due since the last time. */
  #catchUp(): void {
    const since = this.#flowsSince ?? performance.now();
    const now = performance.now();
    this.#flowsSince = now;
    this.#timed(this.timers, () => {
      this.#simulated.advanceSync(now - since);
    });
  }

  #timed<T>(stretches: Stretch[], act: () => T): T {
    const waitedBefore = waitedForCpuMs();
    const from = performance.now();
    try {
      return act();
    } finally {
      const to = performance.now();
      stretches.push({ from, to, waitedMs: waitedForCpuMs() - waitedBefore });
    }
  }
}
