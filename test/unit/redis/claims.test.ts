import { describe, expect, it } from 'vitest';
import { epochOf, parseClaim, printClaim, threadField, type StoredClaim } from '../../../src/redis/claims.js';
import {
  isOlderClaim,
  isSameClaim,
  parseSlot,
  printSlot,
  printStamp,
  refreshed,
} from '../../support/redis-model/stored.js';

const ours: StoredClaim = { processId: 'a1b2c3d4', rotation: 37, stampMs: 1_796_000_000_000, takeovers: 3 };
const theirs: StoredClaim = { processId: 'zzzzzzzz', rotation: 0, stampMs: 1_796_000_000_001, takeovers: 0 };

describe('a claim as text', () => {
  it('has 19 characters: process, rotation, stamp, takeovers', () => {
    expect(printClaim(ours)).toBe(`a1b2c3d411${(1_796_000_000_000).toString(36)}3`);
    expect(printClaim(ours)).toHaveLength(19);
    expect(parseClaim(printClaim(ours))).toEqual(ours);
  });

  it.each(['', 'x', 'A1b2c3d411p0000000', `${printClaim(ours)}0`, printClaim(ours).toUpperCase(), 'ä'.repeat(19)])(
    'is none in another format: %j',
    (text) => {
      expect(parseClaim(text)).toBeNull();
    },
  );

  it.each([
    [{ processId: 'short' }],
    [{ rotation: 1_296 }],
    [{ rotation: -1 }],
    [{ stampMs: 36 ** 8 }],
    [{ stampMs: 1.5 }],
    [{ takeovers: 36 }],
  ])('is not written if a part does not fit: %j', (part) => {
    expect(() => printClaim({ ...ours, ...part })).toThrow(RangeError);
  });

  it('takes the highest value of each part', () => {
    const highest = { processId: 'zzzzzzzz', rotation: 1_295, stampMs: 36 ** 8 - 1, takeovers: 35 };
    expect(printClaim(highest)).toBe('z'.repeat(19));
    expect(parseClaim('z'.repeat(19))).toEqual(highest);
  });
});

describe('a slot as text', () => {
  it('is a claim, or two with > between them', () => {
    const both = `${printClaim(ours)}>${printClaim(theirs)}`;
    expect(printSlot({ holder: ours, pending: null })).toBe(printClaim(ours));
    expect(printSlot({ holder: ours, pending: theirs })).toBe(both);
    expect(both).toHaveLength(39);
    expect(parseSlot(printClaim(ours))).toEqual({ holder: ours, pending: null });
    expect(parseSlot(both)).toEqual({ holder: ours, pending: theirs });
  });

  it.each([
    '',
    printClaim(ours).slice(1),
    `${printClaim(ours)}>`,
    `${printClaim(ours)}<${printClaim(theirs)}`,
    `${printClaim(ours)}>${printClaim(theirs)}0`,
    `${printClaim(ours)}0`,
    `>${printClaim(ours)}`,
  ])('is unknown in another format: %j', (text) => {
    expect(parseSlot(text)).toBeNull();
  });
});

describe('claims', () => {
  it('are the same in whatever rotation and run', () => {
    expect(isSameClaim(ours, { ...ours, rotation: 1, takeovers: 0 })).toBe(true);
    expect(isSameClaim(ours, { ...ours, stampMs: ours.stampMs + 1 })).toBe(false);
    expect(isSameClaim(ours, { ...ours, processId: 'a1b2c3d5' })).toBe(false);
  });

  it('are ordered by stamp, then by process', () => {
    expect(isOlderClaim(ours, theirs)).toBe(true);
    expect(isOlderClaim(theirs, ours)).toBe(false);
    expect(isOlderClaim(ours, { ...theirs, stampMs: ours.stampMs })).toBe(true);
    expect(isOlderClaim({ ...theirs, stampMs: ours.stampMs }, ours)).toBe(false);
    expect(isOlderClaim(ours, ours)).toBe(false);
  });

  it.each([
    [0, 1, 1],
    [1, 0, 1],
    [5, 5, 5],
    [1_295, 0, 0],
    [0, 1_295, 0],
    [0, 647, 647],
    [0, 648, 0],
  ])('in rotation %d and called in %d are in rotation %d: never led back', (stored, called, result) => {
    expect(refreshed({ ...ours, rotation: stored }, { ...ours, rotation: called, takeovers: 0 })).toEqual({
      ...ours,
      rotation: result,
    });
  });

  it('have an epoch of 10 characters and a stamp of 8', () => {
    expect(epochOf(ours)).toBe('a1b2c3d411');
    expect(printStamp(1)).toBe('00000001');
  });
});

describe('the field of a thread', () => {
  it.each(['', 'a', 'x'.repeat(48), '界'.repeat(16), 'a~'])('is its id: %s', (threadId) => {
    expect(threadField(threadId)).toBe(threadId);
  });

  it.each(['x'.repeat(49), '界'.repeat(17), '~', '~a'])(
    'is a digest, if the id is long or looks like one: %s',
    (threadId) => {
      expect(threadField(threadId)).toMatch(/^~[\w-]{22}$/);
      expect(threadField(`${threadId}x`)).not.toBe(threadField(threadId));
    },
  );

  it('has the same digest in all versions', () => {
    expect(threadField('x'.repeat(49))).toBe('~VbuYI-aOBfccEFOVuHKDr8');
  });
});
