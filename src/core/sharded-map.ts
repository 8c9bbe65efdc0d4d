/**
 * A map in many small ones.
 *
 * Why: a `Map` grows by copying itself. At a million entries one `set` then takes some 100 ms, and every connection
 * waits; at a few thousand nobody notices.
 */
export class ShardedMap<V> {
  readonly #shards: (Map<string, V> | undefined)[];
  readonly #mask: number;

  /** @param shards how many maps, a power of two */
  constructor(shards = 256) {
    this.#shards = new Array<Map<string, V> | undefined>(shards).fill(undefined);
    this.#mask = shards - 1;
  }

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + (shard?.size ?? 0), 0);
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
    shard.set(key, value);
  }

  delete(key: string): boolean {
    return this.#shards[hash(key) & this.#mask]?.delete(key) ?? false;
  }

  *keys(): Generator<string> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.keys();
  }

  *values(): Generator<V> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.values();
  }
}

/** FNV-1a over at most 64 units, from both ends: long keys may share either. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  const { length } = key;
  for (let index = 0; index < length; index++) {
    if (index === 32 && length > 64) index = length - 32;
    value = Math.imul(value ^ key.charCodeAt(index), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
