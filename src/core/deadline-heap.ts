/** The fields of a heap's items, by which any of them can be removed without a search. */
export interface HeapItem {
  /** When it is due. Change it only by {@link DeadlineHeap.put}. */
  dueAtMs: number;
  /** Its place in the heap, or -1. Owned by the heap. */
  heapIndex: number;
}

/**
 * Items with deadlines, the earliest first: O(log n) to add, move and remove one.
 *
 * Why not an `ExpiryQueue`: that one needs the same timeout for all of its items.
 */
export class DeadlineHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  /** @param isBefore the order; it may only add to that of the deadlines, for items with the same one */
  constructor(isBefore: (a: T, b: T) => boolean = isDueBefore) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  /** Adds the item with this deadline, or moves it there. */
  put(item: T, dueAtMs: number): void {
    item.dueAtMs = dueAtMs;
    if (item.heapIndex < 0) item.heapIndex = this.#items.push(item) - 1;
    this.#settle(item);
  }

  /** @returns whether the item was there */
  remove(item: HeapItem): boolean {
    const index = item.heapIndex;
    if (index < 0) return false;
    item.heapIndex = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#place(last, index);
    this.#settle(last);
    return true;
  }

  #settle(item: T): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const parentIndex = (item.heapIndex - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (parent === undefined || !this.#isBefore(item, parent)) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const child = this.#earlierChild(item.heapIndex);
      if (child === undefined || !this.#isBefore(child, item)) return;
      this.#swap(child, item);
    }
  }

  #earlierChild(index: number): T | undefined {
    const left = this.#items[2 * index + 1];
    const right = this.#items[2 * index + 2];
    return left !== undefined && right !== undefined && this.#isBefore(right, left) ? right : left;
  }

  #swap(lower: T, upper: T): void {
    const lowerIndex = lower.heapIndex;
    this.#place(lower, upper.heapIndex);
    this.#place(upper, lowerIndex);
  }

  #place(item: T, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}

function isDueBefore(a: HeapItem, b: HeapItem): boolean {
  return a.dueAtMs < b.dueAtMs;
}
