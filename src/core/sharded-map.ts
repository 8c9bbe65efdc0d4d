/** From how many entries on one map is split into many, which takes a millisecond. */
const splitsAt = 4_096;

/**
 * A map that consists of many small ones once it is large.
 *
 * Why: a `Map` grows by copying itself. At a million entries one `set` then takes some 100 ms, and every connection
 * waits. Why not from the start: a `Map` of a few entries copies itself with almost every `set` and `delete`.
 */
export class ShardedMap<V> {
  readonly #shards: (Map<string, V> | undefined)[] = [undefined];
  readonly #maxShards: number;
  readonly #splitsAt: number;
  /** How many maps there are, less one. */
  #mask = 0;
  #size = 0;

  /**
   * @param maxShards how many maps it becomes, a power of two
   * @param splitAt beyond how many entries
   */
  constructor(maxShards = 64, splitAt = splitsAt) {
    this.#maxShards = maxShards;
    this.#splitsAt = splitAt;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#shards[this.#numberOf(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.#shards[this.#numberOf(key)]?.has(key) ?? false;
  }

  set(key: string, value: V): void {
    const number = this.#numberOf(key);
    const shard = (this.#shards[number] ??= new Map<string, V>());
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
    if (this.#size > this.#splitsAt && this.#mask === 0) this.#split(shard);
  }

  delete(key: string): boolean {
    const number = this.#numberOf(key);
    const shard = this.#shards[number];
    if (shard?.delete(key) !== true) return false;
    this.#size -= 1;
    // An empty `Map` keeps its memory.
    if (shard.size === 0) this.#shards[number] = undefined;
    if (this.#size === 0) this.#mask = 0;
    return true;
  }

  *keys(): Generator<string> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.keys();
  }

  *entries(): Generator<[string, V]> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.entries();
  }

  *values(): Generator<V> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.values();
  }

  #numberOf(key: string): number {
    return this.#mask === 0 ? 0 : hash(key) & this.#mask;
  }

  /**
   * The former map becomes the first shard, so that a loop over its entries goes on with all of them. It may visit some
   * twice.
   */
  #split(all: Map<string, V>): void {
    this.#mask = this.#maxShards - 1;
    for (const [key, value] of all) {
      const number = this.#numberOf(key);
      if (number === 0) continue;
      all.delete(key);
      (this.#shards[number] ??= new Map()).set(key, value);
    }
  }
}

/** FNV-1a over at most 24 units, from both ends, since long keys may have the same beginning or end. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  const { length } = key;
  for (let index = 0; index < length; index++) {
    if (index === 12 && length > 24) index = length - 12;
    value = Math.imul(value ^ key.charCodeAt(index), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
