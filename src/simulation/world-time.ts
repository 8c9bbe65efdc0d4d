import type { Time, Timer } from '../core/time.js';
import { TimerHeap, type Due } from '../testing/timer-heap.js';
import { PlannedEvent, Calendar } from './calendar.js';
import { forever } from './forever.js';

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
  readonly #calendar = new Calendar();
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
  schedule(delayMs: number, act: () => void): void {
    this.#plan(new PlannedEvent(act), delayMs);
  }

  /**
   * Something happens outside, again and again.
   * @param firstMs in so many milliseconds; `null`: never
   * @param act says in how many it happens next; `null`: never again
   */
  recur(firstMs: number | null, act: () => number | null): void {
    if (firstMs !== null) this.#plan(new PlannedEvent(act, true), firstMs);
  }

  #plan(event: PlannedEvent, delayMs: number): void {
    this.#calendar.put(event, this.#nowMs + Math.round(delayMs));
  }

  /** The process does not run for so long. What happens outside meanwhile, it finds when it goes on. */
  stall(forMs: number): void {
    this.#nowMs = representable(this.#nowMs + forMs);
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
    representable(endsAtMs);
    while (this.#happens(endsAtMs)) {
      this.occurrences += 1;
      if (this.#hasPromises()) await settled();
      if (!step()) return;
    }
    if (this.#hasPromises()) await settled();
    this.#nowMs = Math.max(this.#nowMs, endsAtMs);
  }

  /** Does what is next until then, in the order of the phases. @returns whether there was anything */
  #happens(endsAtMs: number): boolean {
    for (;;) {
      if (this.#happensInPhase()) return true;
      if (this.#phase === 'timers') this.#poll();
      else if (this.#phase === 'poll' && this.#polling.length > 0) this.#phase = 'after poll';
      else if (!this.#nextTurn(endsAtMs)) return false;
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
    const soonestMs = Math.min(timersMs, this.#calendar.soonestMs());
    const nextMs = this.#afterPoll.length > 0 ? this.#nowMs : soonestMs;
    this.#phase = 'timers';
    if (nextMs > endsAtMs) return false;
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (timersMs > this.#nowMs) this.#poll();
    return true;
  }

  /** Does the next thing of this phase. @returns whether there was one */
  #happensInPhase(): boolean {
    switch (this.#phase) {
      case 'timers':
        return isCalled(this.#dueTimer());
      case 'poll':
        return this.#happensOutside();
      case 'after poll':
        return isCalled(this.#polling.pop());
    }
  }

  #happensOutside(): boolean {
    const event = this.#calendar.take(this.#nowMs);
    if (event === null) return false;
    const againMs = event.act();
    if (event.recurs && typeof againMs === 'number') this.#plan(event, againMs);
    return true;
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

function isCalled(callback: (() => void) | undefined): boolean {
  callback?.();
  return callback !== undefined;
}

/** @throws RangeError for a time that is not before `forever` */
function representable(atMs: number): number {
  if (atMs < forever) return atMs;
  throw new RangeError(`Simulated time ends after ${String(forever)} ms; it was to go on to ${String(atMs)} ms.`);
}

/** After every promise that can settle now has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
