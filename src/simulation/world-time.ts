import type { Time, Timer } from '../core/time.js';
import { TimerHeap, type Due } from '../testing/timer-heap.js';
import { Arrival, Arrivals } from './arrivals.js';

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
  readonly #arrivals = new Arrivals();
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
    this.#plan(new Arrival(act), delayMs);
  }

  /**
   * Something happens outside, again and again.
   * @param firstMs in so many milliseconds; `null`: never
   * @param act says in how many it happens next; `null`: never again
   */
  recur(firstMs: number | null, act: () => number | null): void {
    const arrival = new Arrival(() => {
      const nextMs = act();
      if (nextMs !== null) this.#plan(arrival, nextMs);
    });
    if (firstMs !== null) this.#plan(arrival, firstMs);
  }

  #plan(arrival: Arrival, delayMs: number): void {
    this.#arrivals.put(arrival, this.#nowMs + Math.round(delayMs));
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
      if (this.#phase === 'timers') this.#poll();
      else if (this.#phase === 'poll' && this.#polling.length > 0) this.#phase = 'after poll';
      else if (!this.#nextTurn(endsAtMs)) return null;
    }
  }

  #poll(): void {
    this.#phase = 'poll';
    if (this.#afterPoll.length === 0) return;
    this.#polling = this.#afterPoll.reverse();
    this.#afterPoll = [];
  }

  /** Goes on to when something is due; where no timer is, straight to what arrives. @returns whether that is by then */
  #nextTurn(endsAtMs: number): boolean {
    const timersMs = this.#timers.first?.dueAtMs ?? Infinity;
    const soonestMs = Math.min(timersMs, this.#arrivals.soonestMs());
    const nextMs = this.#afterPoll.length > 0 ? this.#nowMs : soonestMs;
    this.#phase = 'timers';
    if (nextMs > endsAtMs) return false;
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (timersMs > this.#nowMs) this.#poll();
    return true;
  }

  /** What this phase still has to do. */
  #inPhase(): (() => void) | undefined {
    switch (this.#phase) {
      case 'timers':
        return this.#dueTimer();
      case 'poll':
        return this.#arrivals.take(this.#nowMs)?.act;
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
}

/** After every promise that can settle now has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
