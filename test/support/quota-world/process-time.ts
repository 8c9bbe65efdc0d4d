import type { Time, Timer } from '../../../src/core/time.js';
import type { SimulatedTime } from '../../../src/testing/index.js';

interface ProcessTimer {
  readonly callback: () => void;
  native: Timer | null;
}

/**
 * The time of one process in a world of several: its clock begins where it likes, nothing of it runs while it stands still,
 * and nothing after it was killed. When it goes on, its timers come first and then its input, as in Node.
 */
export class ProcessTime implements Time {
  readonly #world: SimulatedTime;
  readonly #originMs: number;
  readonly #timers = new Set<ProcessTimer>();
  #lateTimers: ProcessTimer[] = [];
  #lateInput: (() => void)[] = [];
  #lateAfterPoll: (() => void)[] = [];
  #isStill = false;
  #isOver = false;

  constructor(world: SimulatedTime, originMs: number) {
    this.#world = world;
    this.#originMs = originMs;
  }

  /** When it last went on after it had stood still, in the time of the world. */
  wentOnAtMs = -Infinity;

  /** Whether it runs no longer. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#world.now() + this.#originMs;
  }

  wallNow(): number {
    return this.#world.wallNow();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer: ProcessTimer = { callback, native: null };
    this.#timers.add(timer);
    timer.native = this.#world.setTimer(() => {
      if (this.#isStill) this.#lateTimers.push(timer);
      else this.#fire(timer);
    }, delayMs);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.native?.cancel();
      },
    };
  }

  afterPoll(callback: () => void): void {
    this.#soon(() => {
      if (this.#isStill) this.#lateAfterPoll.push(callback);
      else callback();
    });
  }

  /** Something comes from outside: it is seen at once, or when the process goes on. */
  deliver(act: () => void): void {
    if (this.#isOver) return;
    if (this.#isStill) this.#lateInput.push(act);
    else act();
  }

  standStill(): void {
    this.#isStill = true;
  }

  goOn(): void {
    if (!this.#isStill) return;
    this.#isStill = false;
    this.wentOnAtMs = this.#world.now();
    const [timers, input, afterPoll] = [this.#lateTimers, this.#lateInput, this.#lateAfterPoll];
    [this.#lateTimers, this.#lateInput, this.#lateAfterPoll] = [[], [], []];
    for (const timer of timers) {
      this.#soon(() => {
        this.#fire(timer);
      });
    }
    for (const act of input) {
      this.#soon(() => {
        this.deliver(act);
      });
    }
    for (const callback of afterPoll) this.afterPoll(callback);
  }

  /** It is killed, or has ended. */
  end(): void {
    this.#isOver = true;
    for (const { native } of this.#timers) native?.cancel();
  }

  #fire(timer: ProcessTimer): void {
    if (!this.#isOver && this.#timers.delete(timer)) timer.callback();
  }

  #soon(act: () => void): void {
    this.#world.setTimer(() => {
      if (!this.#isOver) act();
    }, 0);
  }
}
