import type { Time, Timer } from '../core/time.js';

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
  readonly #heap: Entry[] = [];
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
    return this.#heap.filter((entry) => !entry.isCancelled).length;
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
    push(this.#heap, entry);
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
    for (let head = this.#heap[0]; head !== undefined && head.dueAtMs <= endsAt; head = this.#heap[0]) {
      pop(this.#heap);
      if (!head.isCancelled) return head;
    }
    return undefined;
  }
}

/** After every promise that can settle now has. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(entry, above)) break;
    heap[index] = above;
    heap[parent] = entry;
    index = parent;
  }
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [a, b] = [heap[left], heap[left + 1]];
    const least = a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left;
    const below = heap[least];
    if (below === undefined || !isBefore(below, last)) break;
    heap[index] = below;
    index = least;
  }
  heap[index] = last;
}
