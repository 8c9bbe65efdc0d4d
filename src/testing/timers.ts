import { DeadlineHeap, type HeapItem } from '../core/deadline-heap.js';
import type { Timer } from '../core/time.js';

interface PendingTimer extends HeapItem {
  /** Its position among timers that are due at the same time. */
  readonly order: number;
  readonly callback: () => void;
}

/** The timers of a simulated process, the earliest first; those of the same time in the order they were set. */
export class Timers {
  readonly #heap = new DeadlineHeap<PendingTimer>(isBefore);
  #order = 0;

  /** How many have neither fired nor been cancelled. */
  get size(): number {
    return this.#heap.size;
  }

  /** When the first timer is due; `Infinity` without timers. */
  get firstDueAtMs(): number {
    return this.#heap.first?.dueAtMs ?? Infinity;
  }

  set(callback: () => void, dueAtMs: number): Timer {
    const timer: PendingTimer = { dueAtMs, heapIndex: -1, order: this.#order++, callback };
    this.#heap.put(timer, dueAtMs);
    return { cancel: () => this.#heap.remove(timer) };
  }

  /** Takes out the first timer if it is due at that time. @returns its callback */
  takeDue(nowMs: number): (() => void) | undefined {
    const { first } = this.#heap;
    if (first === undefined || first.dueAtMs > nowMs) return undefined;
    this.#heap.remove(first);
    return first.callback;
  }
}

function isBefore(a: PendingTimer, b: PendingTimer): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order);
}
