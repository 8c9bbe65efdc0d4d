import type { Time, Timer } from '../core/time.js';
import { TimerHeap, type Due } from '../testing/timer-heap.js';

/** What happens later is put in order only when its second begins: most heaps stay in the processor's cache. */
const secondMs = 1_000;

interface Occurrence extends Due {
  readonly act: () => void;
}

class WorldTimer implements Timer, Due {
  isCancelled = false;

  constructor(
    readonly dueAtMs: number,
    readonly order: number,
    readonly callback: () => void,
  ) {}

  cancel(): void {
    this.isCancelled = true;
  }
}

/**
 * Time in which two kinds of things happen: timers of the process, and what the world outside does to it. They take
 * turns as in Node's event loop: first every timer that is due, then whatever has arrived on the network, then what
 * was to run after the poll. So a process that stood still finds its timers late and its sockets full, in that order.
 */
export class WorldTime implements Time {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  readonly #timers = new TimerHeap<WorldTimer>();
  readonly #arrivals = new TimerHeap<Occurrence>();
  /** What happens in seconds that have not begun, so that the heap stays small. */
  readonly #later = new Map<number, Occurrence[]>();
  /** The first second that is still among the later ones. */
  #second = 0;
  #phase: 'timers' | 'poll' | 'after poll' = 'timers';
  /** What is to run after the next poll, and what runs after this one, the last first. */
  #afterPoll: (() => void)[] = [];
  #polling: (() => void)[] = [];
  /** Asked after each occurrence whether promises must settle before the next. */
  readonly #hasPromises: () => boolean;
  /** Timers fired and arrivals delivered. */
  occurrences = 0;

  constructor(hasPromises: () => boolean, wallNowMs = 1_700_000_000_000) {
    this.#hasPromises = hasPromises;
    this.#wallOffsetMs = wallNowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  /** Timers of the process that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return [...this.#timers].filter((timer) => !timer.isCancelled).length;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    // As Node's: in whole milliseconds, and never in this very turn.
    const timer = new WorldTimer(this.#nowMs + Math.max(1, Math.floor(delayMs)), this.#order++, callback);
    this.#timers.put(timer);
    return timer;
  }

  afterPoll(callback: () => void): void {
    this.#afterPoll.push(callback);
  }

  /** Something happens outside, so many milliseconds from now. */
  arrive(delayMs: number, act: () => void): void {
    // Whole milliseconds, which V8 compares without looking into a box.
    const arrival = { dueAtMs: this.#nowMs + Math.round(delayMs), order: this.#order++, act };
    const second = Math.floor(arrival.dueAtMs / secondMs);
    if (second < this.#second) {
      this.#arrivals.put(arrival);
      return;
    }
    const later = this.#later.get(second);
    if (later === undefined) this.#later.set(second, [arrival]);
    else later.push(arrival);
  }

  /** The process does not run for so long. What happens outside meanwhile, it finds when it goes on. */
  stall(forMs: number): void {
    this.#nowMs += forMs;
  }

  /** The wall clock is set to another time; ages must not notice. */
  leapWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /**
   * Lets time pass until then, one turn of the event loop after the other.
   * @param step called after each occurrence; `false` ends it there
   */
  async runUntil(endsAtMs: number, step: () => boolean = () => true): Promise<void> {
    for (let act = this.#next(endsAtMs); act !== null; act = this.#next(endsAtMs)) {
      this.occurrences += 1;
      act();
      if (this.#hasPromises()) await settled();
      if (!step()) return;
    }
    if (this.#hasPromises()) await settled();
    this.#nowMs = Math.max(this.#nowMs, endsAtMs);
  }

  /** What happens next until then, in the order of the phases; `null` where nothing does. */
  #next(endsAtMs: number): (() => void) | null {
    for (;;) {
      const act = this.#inPhase();
      if (act !== undefined) return act;
      if (this.#phase !== 'after poll') {
        this.#enterNextPhase();
        continue;
      }
      this.#phase = 'timers';
      const nextMs = this.#afterPoll.length > 0 ? this.#nowMs : this.#soonestMs();
      if (nextMs > endsAtMs) return null;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
    }
  }

  #enterNextPhase(): void {
    if (this.#phase === 'timers') {
      this.#phase = 'poll';
      this.#polling = this.#afterPoll.reverse();
      this.#afterPoll = [];
    } else {
      this.#phase = 'after poll';
    }
  }

  /** What this phase still has to do. */
  #inPhase(): (() => void) | undefined {
    switch (this.#phase) {
      case 'timers':
        return this.#dueTimer();
      case 'poll':
        return this.#arrivedBy(this.#nowMs);
      case 'after poll':
        return this.#polling.pop();
    }
  }

  #dueTimer(): (() => void) | undefined {
    for (let { first } = this.#timers; first !== undefined; { first } = this.#timers) {
      if (!first.isCancelled && first.dueAtMs > this.#nowMs) return undefined;
      this.#timers.take();
      if (!first.isCancelled) return first.callback;
    }
    return undefined;
  }

  #arrivedBy(nowMs: number): (() => void) | undefined {
    while (this.#later.size > 0 && this.#second * secondMs <= nowMs) this.#beginSecond();
    return (this.#arrivals.first?.dueAtMs ?? Infinity) <= nowMs ? this.#arrivals.take()?.act : undefined;
  }

  #soonestMs(): number {
    for (;;) {
      const soonestMs = Math.min(this.#timers.first?.dueAtMs ?? Infinity, this.#arrivals.first?.dueAtMs ?? Infinity);
      if (this.#later.size === 0 || soonestMs < this.#second * secondMs) return soonestMs;
      this.#beginSecond();
    }
  }

  #beginSecond(): void {
    for (const arrival of this.#later.get(this.#second) ?? []) this.#arrivals.put(arrival);
    this.#later.delete(this.#second);
    this.#second += 1;
  }
}

/** After every promise that can settle now has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
