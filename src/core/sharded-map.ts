/**
 * A map in many small ones.
 *
 * Why: a `Map` grows by copying itself. At a million entries one `set` then takes some 100 ms, and every connection
 * waits; at some ten thousand nobody notices.
 */
export class ShardedMap<V> {
  readonly #shards: (Map<string, V> | undefined)[];
  readonly #mask: number;
  #size = 0;

  /** @param shards how many maps, a power of two */
  constructor(shards = 64) {
    this.#shards = new Array<Map<string, V> | undefined>(shards).fill(undefined);
    this.#mask = shards - 1;
  }

  /** The sum of the shards' sizes; each change adds what it changed, since adding up takes longer. */
  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#shards[hash(key) & this.#mask]?.get(key);
  }

  has(key: string): boolean {
    return this.#shards[hash(key) & this.#mask]?.has(key) ?? false;
  }

  set(key: string, value: V): void {
    const number = hash(key) & this.#mask;
    const shard = (this.#shards[number] ??= new Map());
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
  }

  delete(key: string): boolean {
    const number = hash(key) & this.#mask;
    const shard = this.#shards[number];
    if (shard?.delete(key) !== true) return false;
    this.#size -= 1;
    // So that what is empty is as small as it was at first.
    if (shard.size === 0) this.#shards[number] = undefined;
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
}

/** FNV-1a over at most 24 units, from both ends: long keys may share either. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  const { length } = key;
  for (let index = 0; index < length; index++) {
    if (index === 12 && length > 24) index = length - 12;
    value = Math.imul(value ^ key.charCodeAt(index), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
