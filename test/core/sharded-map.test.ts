import { describe, expect, it } from 'vitest';
import { ShardedMap } from '../../src/core/sharded-map.js';

function mapOf(...keys: string[]): ShardedMap<number> {
  const map = new ShardedMap<number>();
  for (const [value, key] of keys.entries()) map.set(key, value);
  return map;
}

describe('a map in many small ones', () => {
  it('has what was put in', () => {
    const map = mapOf('a', 'b');
    expect(map.get('b')).toBe(1);
    expect(map.has('b')).toBe(true);
    expect(map.size).toBe(2);
  });

  it('has nothing else', () => {
    const map = mapOf('a');
    expect(map.get('b')).toBeUndefined();
    expect(map.has('b')).toBe(false);
    expect(map.delete('b')).toBe(false);
  });

  it('keeps the last value of a key', () => {
    expect(mapOf('a', 'a').get('a')).toBe(1);
    expect(mapOf('a', 'a').size).toBe(1);
  });

  it('lets go of a key once', () => {
    const map = mapOf('a', 'b');
    expect(map.delete('a')).toBe(true);
    expect(map.delete('a')).toBe(false);
    expect([...map.keys()]).toEqual(['b']);
  });

  it('goes over every entry, in whatever order', () => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `user${i}`);
    const map = mapOf(...keys);
    expect(new Set(map.keys())).toEqual(new Set(keys));
    expect([...map.values()].toSorted((a, b) => a - b)).toEqual([...keys.keys()]);
    expect(new Map(map.entries())).toEqual(new Map(keys.map((key, value) => [key, value])));
  });

  it.each(['', '__proto__', 'constructor', '😀', 'a'.repeat(1_000)])('takes %j for a key like any other', (key) => {
    const map = mapOf(key);
    expect(map.get(key)).toBe(0);
    expect(mapOf().get(key)).toBeUndefined();
  });

  it('tells long keys apart that differ only where the hash does not look', () => {
    const [one, other] = ['x', 'y'].map((middle) => `${'a'.repeat(100)}${middle}${'b'.repeat(100)}`);
    const map = mapOf(one!, other!);
    expect([map.get(one!), map.get(other!)]).toEqual([0, 1]);
  });

  it.each([1, 2, 256])('of %i shards spreads nothing away', (shards) => {
    const map = new ShardedMap<number>(shards);
    for (let i = 0; i < 100; i++) map.set(`k${i}`, i);
    expect(map.size).toBe(100);
  });

  it('has the same in it once it has become many', () => {
    const map = new ShardedMap<number>(4, 10);
    const keys = Array.from({ length: 50 }, (_, i) => `user${i}`);
    for (const [value, key] of keys.entries()) {
      map.set(key, value);
      expect(map.get(key)).toBe(value);
    }
    expect(new Map(map.entries())).toEqual(new Map(keys.map((key, value) => [key, value])));
    expect(map.size).toBe(50);
  });

  it('grows, empties and grows again', () => {
    const map = new ShardedMap<number>(4, 10);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20; i++) map.set(`k${i}`, i);
      expect(map.get('k7')).toBe(7);
      for (let i = 0; i < 20; i++) expect(map.delete(`k${i}`)).toBe(true);
      expect(map.size).toBe(0);
      expect([...map.keys()]).toEqual([]);
    }
  });

  it('lets whoever goes over it meet all that stay, though it becomes many meanwhile', () => {
    const map = new ShardedMap<number>(4, 10);
    for (let i = 0; i < 10; i++) map.set(`k${i}`, i);
    const met = new Set<number>();
    for (const value of map.values()) {
      met.add(value);
      if (met.size === 3) for (let i = 10; i < 30; i++) map.set(`k${i}`, i);
    }
    for (let i = 0; i < 30; i++) expect(met).toContain(i);
  });
});
