/** What a wheel notes on each of its items, so that taking one out is a swap and not a search. */
export interface WheelItem {
  /** The number of the bucket it lies in, or -1. Owned by the wheel. */
  wheelBucket: number;
  /** Its place in that bucket. Owned by the wheel. */
  wheelIndex: number;
}

/**
 * Buckets of items around a circle: O(1) to put one in, to take one out and to visit it, whatever the number. Bucket
 * numbers go on for ever; those a whole turn apart share a bucket, and an item stays until its own number is taken.
 *
 * Why not a queue: an item that turns out to have been active gets a deadline earlier than the queue's tail has, so a
 * queue would look at it up to a whole timeout late. A wheel puts it where its deadline is.
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

  /** Takes the item out; does nothing if it is in no bucket. */
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

  /** How many lie in all buckets. */
  get count(): number {
    return this.#count;
  }

  /** How many lie in a bucket, those of other turns included. */
  countIn(bucketNumber: number): number {
    return this.#bucket(bucketNumber).length;
  }

  /**
   * Takes out, one by one, what lies in a bucket by this number or a lower one. In between, others may put in and take
   * out what they like: what is put in by a higher number stays.
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

  /** The item at a place of a bucket, for sweeps that leave items where they are. */
  at(bucketNumber: number, index: number): T | undefined {
    return this.#bucket(bucketNumber)[index];
  }

  #bucket(number: number): T[] {
    const bucket = this.#buckets[number % this.#buckets.length];
    if (bucket === undefined) throw new TypeError(`There is no bucket ${String(number)}`);
    return bucket;
  }
}
