import { describe, expect, it } from 'vitest';
import { keySpace, partitionCount, partitionOf } from '../../../src/redis/partitions.js';
import { userIdOf } from '../../support/redis-model/stored.js';

describe('the partition of a user', () => {
  it.each([
    ['', 9],
    ['ada', 2],
    ['界', 0],
    ['x'.repeat(256), 1],
  ])('is the same in all versions: %j in %d', (userId, partition) => {
    expect(partitionOf(userId)).toBe(partition);
  });

  it('spreads users evenly', () => {
    const counts = Array.from({ length: partitionCount }, () => 0);
    for (let user = 0; user < 16_000; user++) counts[partitionOf(`user-${user}`)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });
});

describe('the keys', () => {
  it('of a partition have its number as their tag', () => {
    const space = keySpace();
    expect([space.meta(7), space.epochs(7), space.log(7)]).toEqual([
      'mooring:{7}:m',
      'mooring:{7}:e',
      'mooring:{7}:log',
    ]);
  });

  it.each(['ada', '}x', '{}', ':u:', '界', 'a\nb', ''])('of a user have the tag before the id: %j', (userId) => {
    const key = keySpace('chat').user(userId);
    expect(key).toBe(`chat:{${partitionOf(userId)}}:u:${userId}`);
    expect(userIdOf(key)).toBe(userId);
  });

  it('of a partition are no user', () => {
    expect(userIdOf(keySpace().meta(0))).toBeNull();
  });

  it.each(['{', '}', 'a{b}c'])('have no prefix with braces: %j', (prefix) => {
    expect(() => keySpace(prefix)).toThrow(new TypeError(`prefix: got "${prefix}", wanted a text without braces`));
  });

  it('have a prefix', () => {
    expect(() => keySpace('')).toThrow(TypeError);
  });
});
