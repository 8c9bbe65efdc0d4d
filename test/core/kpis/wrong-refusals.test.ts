import { describe, expect, it } from 'vitest';
import { heapUsed } from '../../support/heap.js';
import { WrongRefusals } from '../../../src/core/kpis/wrong-refusals.js';

/** Refused at once, unless it waited. */
function refuse(refusals: WrongRefusals, userId: string, nowMs: number, ahead = 0, waitedMs = 0): void {
  refusals.refused(userId, { ahead, sinceMs: nowMs - waitedMs }, nowMs);
}

const died = { admittedAtMs: 0, lastByteAtMs: 500 };

describe('a refusal', () => {
  it('is wrong once a manager counted then turns out to have been dead, and only once', () => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000);
    expect([1, 2, 3].map(() => refusals.died('ada', died))).toEqual([1, 0, 0]);
  });

  it.each([
    [0, [1, 0, 0]],
    [1, [0, 1, 0]],
    [2, [0, 0, 1]],
    [3, [0, 0, 0]],
  ])('with %i newcomers ahead is wrong when more than those were dead', (ahead, wanted) => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000, ahead);
    expect([1, 2, 3].map(() => refusals.died('ada', died))).toEqual(wanted);
  });

  it.each([
    ['a byte came after it', { admittedAtMs: 0, lastByteAtMs: 1_000 }, 0],
    ['the last byte came before it', { admittedAtMs: 0, lastByteAtMs: 999 }, 1],
    ['the manager came after it', { admittedAtMs: 1_001, lastByteAtMs: 900 }, 0],
    ['the manager came with it', { admittedAtMs: 1_000, lastByteAtMs: 900 }, 1],
  ])('where %s', (_, death, wrong) => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000);
    expect(refusals.died('ada', death)).toBe(wrong);
  });

  it.each([
    [499, 1],
    [500, 0],
    [999, 0],
  ])('at 1000 of one that asked at 500, over one last heard of at %i: %i wrong', (lastByteAtMs, wrong) => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000, 0, 500);
    expect(refusals.died('ada', { admittedAtMs: 0, lastByteAtMs })).toBe(wrong);
  });

  it("is not wrong for another user's dead", () => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000);
    expect(refusals.died('ada:b', died)).toBe(0);
  });

  it('may be one of several that one death makes wrong', () => {
    const refusals = new WrongRefusals(100_000);
    for (const atMs of [1_000, 2_000, 3_000]) refuse(refusals, 'ada', atMs);
    expect(refusals.died('ada', { admittedAtMs: 0, lastByteAtMs: 2_500 })).toBe(1);
    expect(refusals.died('ada', died)).toBe(2);
  });
});

describe('memory', () => {
  it.each([
    [100_000, 2, 1],
    [100_001, 1, 0],
  ])('forgets what is older than a dead connection can go unnoticed, after %i ms', (laterMs, size, wrong) => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 0);
    refuse(refusals, 'bob', laterMs);
    expect(refusals.size).toBe(size);
    expect(refusals.died('ada', { admittedAtMs: 0, lastByteAtMs: -1 })).toBe(wrong);
  });

  it('of a user that loops on refusals is one place for each moment, and forgets no refusal of it', () => {
    const refusals = new WrongRefusals(160_000);
    for (let attempt = 0; attempt < 10_000; attempt++) refuse(refusals, 'ada', attempt, attempt % 4);
    expect(refusals.size).toBe(40);
    expect(refusals.died('ada', { admittedAtMs: 0, lastByteAtMs: -1 })).toBe(2_500);
    expect(refusals.died('ada', { admittedAtMs: 0, lastByteAtMs: -1 })).toBe(2_500);
  });

  it('is bounded for a user that loops on them for long', () => {
    const refusals = new WrongRefusals(1_000_000);
    for (let atMs = 0; atMs < 1_000_000; atMs += 100) refuse(refusals, 'ada', atMs);
    expect(refusals.size).toBe(640);
  });

  it.each([
    [249, 0, 1],
    [250, 0, 2],
    [249, 250, 2],
    [0, 249, 1],
    [0, 250, 2],
  ])('after %i ms, of one that has waited %i ms more, makes %i moments', (laterMs, waitedMs, moments) => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000);
    refuse(refusals, 'ada', 1_000 + laterMs, 0, waitedMs + laterMs);
    expect(refusals.size).toBe(moments);
  });

  it('keeps one that comes after a death apart from those before it', () => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000);
    expect(refusals.died('ada', died)).toBe(1);
    refuse(refusals, 'ada', 1_001);
    expect(refusals.died('ada', died)).toBe(1);
  });

  it('watches up to 63 newcomers ahead', () => {
    const refusals = new WrongRefusals(100_000);
    refuse(refusals, 'ada', 1_000, 63);
    refuse(refusals, 'bob', 1_000, 64);
    expect(refusals.size).toBe(1);
  });

  it('is bounded for any number of users', () => {
    const refusals = new WrongRefusals(100_000);
    for (let user = 0; user < 20_000; user++) refuse(refusals, `user-${user}`, 1_000);
    expect(refusals.size).toBe(3_072);
  });

  it('of all together stays under 3 MiB, however long the ids', () => {
    const refusals = new WrongRefusals(100_000);
    const before = heapUsed();
    for (let user = 0; user < 10_000; user++)
      for (let ahead = 0; ahead < 20; ahead++) refuse(refusals, `${'Ж'.repeat(250)}${user}`, 1_000, ahead);
    expect(heapUsed() - before).toBeLessThan(3 * 2 ** 20);
    expect(refusals.size).toBe(3_072);
  });
});
