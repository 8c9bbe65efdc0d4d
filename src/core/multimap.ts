import { ShardedMap } from './sharded-map.js';

/**
 * Several items per key, in the order in which they were added. A key with one item, the usual case, needs no set.
 */
export class Multimap<T extends object> {
  readonly #byKey = new ShardedMap<T | Set<T>>();

  /** Adds an item, if it is not there yet. @returns how many items the key has now */
  add(key: string, item: T): number {
    const former = this.#byKey.get(key);
    if (former instanceof Set) return former.add(item).size;
    if (former === undefined || former === item) {
      this.#byKey.set(key, item);
      return 1;
    }
    this.#byKey.set(key, new Set([former, item]));
    return 2;
  }

  /** @returns whether it was there */
  delete(key: string, item: T): boolean {
    const former = this.#byKey.get(key);
    if (former === item) return this.#byKey.delete(key);
    if (!(former instanceof Set) || !former.delete(item)) return false;
    if (former.size === 0) this.#byKey.delete(key);
    return true;
  }

  countOf(key: string): number {
    return count(this.#byKey.get(key));
  }

  oldestOf(key: string): T | undefined {
    const items = this.#byKey.get(key);
    return items instanceof Set ? items.values().next().value : items;
  }

  /** The items of the key that has the largest number. It visits every key. */
  largest(): readonly T[] {
    let largest: T | Set<T> | undefined;
    for (const items of this.#byKey.values()) if (count(items) > count(largest)) largest = items;
    if (largest instanceof Set) return [...largest];
    return largest === undefined ? [] : [largest];
  }
}

function count(items: object | undefined): number {
  if (items === undefined) return 0;
  return items instanceof Set ? items.size : 1;
}
