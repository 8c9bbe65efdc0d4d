import type { Time, Timer } from '../core/time.js';
import { nextTurn } from '../testing/next-turn.js';
import { Timers } from '../testing/timers.js';
import { Calendar, PlannedEvent } from './calendar.js';
import { forever } from './forever.js';

/**
 * Time of a simulated world. Two kinds of things happen in it: timers of the process, and events outside the process,
 * such as network input. Their order is that of Node's event loop: first every due timer, then the planned events, then
 * the callbacks after the poll. So a process that stalled first finds its timers late, then its sockets full.
 */
export class WorldTime implements Time {
  #nowMs = 0;
  #wallOffsetMs = 1_700_000_000_000;
  readonly #timers = new Timers();
  readonly #calendar = new Calendar();
  #phase: 'timers' | 'poll' | 'after poll' = 'timers';
  /** Callbacks for after the next poll. */
  #afterPoll: (() => void)[] = [];
  /** Callbacks for after this poll, the last one first. */
  #polling: (() => void)[] = [];
  readonly #hasPromises: () => boolean;
  /** How many timers have fired and planned events have happened. */
  occurrences = 0;

  /** @param hasPromises asked after each occurrence: whether promises must settle before the next one */
  constructor(hasPromises: () => boolean) {
    this.#hasPromises = hasPromises;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  /** Timers of the process that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    // Like Node's: in whole milliseconds, and never in the turn that sets it.
    return this.#timers.set(callback, this.#nowMs + Math.max(1, Math.floor(delayMs)));
  }

  afterPoll(callback: () => void): void {
    this.#afterPoll.push(callback);
  }

  /** Plans an event outside the process. */
  schedule(delayMs: number, act: () => void): void {
    this.#plan(new PlannedEvent(act), delayMs);
  }

  /**
   * Plans an event outside the process that repeats.
   * @param firstMs milliseconds until the first time; `null`: never
   * @param act returns the milliseconds until the next time; `null`: never again
   */
  recur(firstMs: number | null, act: () => number | null): void {
    if (firstMs !== null) this.#plan(new PlannedEvent(act, true), firstMs);
  }

  #plan(event: PlannedEvent, delayMs: number): void {
    this.#calendar.put(event, this.#nowMs + Math.round(delayMs));
  }

  /** The process does not run for this long, in whole milliseconds. Afterwards it finds the events of this time. */
  stall(forMs: number): void {
    this.#nowMs = representable(this.#nowMs + forMs);
  }

  /** The wall clock is set to another time; ages must not notice. */
  leapWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /**
   * Runs the event loop until then, rounded to a whole millisecond.
   * @param step called after each occurrence; `false` ends the run there
   */
  async runUntil(atMs: number, step: () => boolean = () => true): Promise<void> {
    const endsAtMs = representable(Math.round(atMs));
    while (this.#happens(endsAtMs)) {
      this.occurrences += 1;
      if (this.#hasPromises()) await nextTurn();
      if (!step()) return;
    }
    if (this.#hasPromises()) await nextTurn();
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
    const { firstDueAtMs } = this.#timers;
    const soonestMs = Math.min(firstDueAtMs, this.#calendar.soonestMs());
    const nextMs = this.#afterPoll.length > 0 ? this.#nowMs : soonestMs;
    this.#phase = 'timers';
    if (nextMs > endsAtMs) return false;
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (firstDueAtMs > this.#nowMs) this.#poll();
    return true;
  }

  /** Does the next thing of this phase. @returns whether there was one */
  #happensInPhase(): boolean {
    switch (this.#phase) {
      case 'timers':
        return isCalled(this.#timers.takeDue(this.#nowMs));
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
