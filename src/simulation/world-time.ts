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
 * turns as in Node's event loop: first every due timer, then the planned events of the network, then the callbacks after
 * the poll. So a process that stood still finds its timers late and its sockets full, in that order.
 */
export class WorldTime implements Time {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  readonly #timers = new TimerHeap<WorldTimer>();
  readonly #calendar = new Calendar();
  #phase: 'timers' | 'poll' | 'after poll' = 'timers';
  /** Callbacks after the next poll; and those after this poll, the last one first. */
  #afterPoll: (() => void)[] = [];
  #polling: (() => void)[] = [];
  /** Asked after each occurrence whether promises must settle before the next. */
  readonly #hasPromises: () => boolean;
  /** Timers fired and planned events that happened. */
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

  /** Plans an event outside the process. */
  schedule(delayMs: number, act: () => void): void {
    this.#plan(new PlannedEvent(act), delayMs);
  }

  /**
   * Plans an event outside the process that happens again and again.
   * @param firstMs milliseconds until the first time; `null`: never
   * @param act returns the milliseconds until the next time; `null`: never again
   */
  recur(firstMs: number | null, act: () => number | null): void {
    if (firstMs !== null) this.#plan(new PlannedEvent(act, true), firstMs);
  }

  #plan(event: PlannedEvent, delayMs: number): void {
    this.#calendar.put(event, this.#nowMs + Math.round(delayMs));
  }

  /** The process does not run for this long. It finds the events of this time when it goes on. */
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

  /** Does the next thing that is due by then, in the order of the phases. @returns whether there was one */
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

  /** Goes on to the next due time; without due timers, straight to the events. @returns whether that is by then */
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

/** Resolves after every promise that can settle now. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
