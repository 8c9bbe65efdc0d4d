import { describe, expect, it } from 'vitest';
import { Multimap } from '../../src/core/multimap.js';

const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

describe('a map of several items per key', () => {
  it('counts and orders the items of each key', () => {
    const map = new Multimap<object>();
    expect([map.add('x', a), map.add('y', b), map.add('x', b), map.add('x', c)]).toEqual([1, 1, 2, 3]);
    expect(map.oldestOf('x')).toBe(a);
    expect(map.oldestOf('y')).toBe(b);
    expect(map.oldestOf('z')).toBeUndefined();
    expect(map.largest()).toEqual([a, b, c]);
  });

  it('gives the items of a key with one item as its largest', () => {
    const map = new Multimap<object>();
    expect(map.largest()).toEqual([]);
    map.add('x', a);
    expect(map.largest()).toEqual([a]);
  });

  it('has an item once, however often it is added', () => {
    const map = new Multimap<object>();
    expect([map.add('x', a), map.add('x', a), map.add('x', b), map.add('x', b)]).toEqual([1, 1, 2, 2]);
  });

  it('forgets a key with its last item, and what was never there is not deleted', () => {
    const map = new Multimap<object>();
    map.add('x', a);
    expect([map.delete('x', b), map.delete('y', a), map.countOf('x')]).toEqual([false, false, 1]);
    map.add('x', b);
    expect([map.delete('x', a), map.delete('x', a), map.oldestOf('x')]).toEqual([true, false, b]);
    expect([map.delete('x', b), map.countOf('x'), map.largest()]).toEqual([true, 0, []]);
    expect([map.add('x', c), map.oldestOf('x'), map.delete('x', c)]).toEqual([1, c, true]);
  });
});
