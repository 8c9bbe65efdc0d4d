/** The fields of a wheel's items, by which any of them can be removed without a search. */
export interface WheelItem {
  /** The number of the bucket it lies in, or -1. Owned by the wheel. */
  wheelBucket: number;
  /** Its place in that bucket. Owned by the wheel. */
  wheelIndex: number;
}

/**
 * A timing wheel, a circle of buckets: O(1) to add, remove and visit an item. Bucket numbers have no end: those a whole
 * turn apart share a bucket, and an item stays there until its own number is taken.
 *
 * Why not a queue: an item that turns out to have been active gets a new deadline that is earlier than that of the
 * queue's tail. In a queue it would be visited up to a whole timeout too late.
 */
export class DeadlineWheel<T extends WheelItem> {
  readonly #buckets: T[][];
  #count = 0;

  constructor(size: number) {
    this.#buckets = Array.from({ length: size }, () => []);
  }

  get size(): number {
    return this.#buckets.length;
  }

  /** Puts the item into the bucket, out of the one it lay in. */
  put(item: T, bucketNumber: number): void {
    this.remove(item);
    item.wheelBucket = bucketNumber;
    item.wheelIndex = this.#bucket(bucketNumber).push(item) - 1;
    this.#count += 1;
  }

  /** Does nothing if the item is in no bucket. */
  remove(item: T): void {
    if (item.wheelBucket < 0) return;
    const bucket = this.#bucket(item.wheelBucket);
    const last = bucket.pop();
    if (last !== undefined && last !== item) {
      bucket[item.wheelIndex] = last;
      last.wheelIndex = item.wheelIndex;
    }
    item.wheelBucket = -1;
    this.#count -= 1;
  }

  get count(): number {
    return this.#count;
  }

  /** How many items are in a bucket, including those of other turns. */
  countIn(bucketNumber: number): number {
    return this.#bucket(bucketNumber).length;
  }

  /**
   * Removes, one by one, the items of a bucket with this number or a lower one. Items may be added and removed meanwhile:
   * those with a higher number stay.
   */
  *take(bucketNumber: number): Generator<T> {
    const bucket = this.#bucket(bucketNumber);
    for (let index = bucket.length - 1; index >= 0; index--) {
      const item = bucket[index];
      if (item === undefined || item.wheelBucket > bucketNumber) continue;
      this.remove(item);
      yield item;
    }
  }

  /** The item at an index of a bucket, for visits that do not remove it. */
  at(bucketNumber: number, index: number): T | undefined {
    return this.#bucket(bucketNumber)[index];
  }

  #bucket(number: number): T[] {
    const bucket = this.#buckets[number % this.#buckets.length];
    if (bucket === undefined) throw new TypeError(`There is no bucket ${String(number)}`);
    return bucket;
  }
}
