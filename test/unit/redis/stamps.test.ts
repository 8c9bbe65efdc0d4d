import { describe, expect, it } from 'vitest';
import { HeldClaims } from '../../../src/redis/held-claims.js';
import { LogCursor } from '../../../src/redis/log-cursor.js';
import { Repairs } from '../../../src/redis/repairs.js';
import { Stamps } from '../../../src/redis/stamps.js';

/** A clock that is set by hand. */
function stampsAt(nowMs: number) {
  const clock = { nowMs, stalledMs: 0, now: () => clock.nowMs };
  const stamps = new Stamps(clock);
  return { clock, stamps, learn: (redisNowMs: number) => stamps.learn(redisNowMs, stamps.nowMs) };
}

describe('stamps', () => {
  it('follow the time of Redis, and never repeat', () => {
    const { clock, stamps, learn } = stampsAt(10);
    expect(stamps.areKnown).toBe(false);
    learn(5_010);
    expect(stamps.areKnown).toBe(true);
    expect([stamps.next(), stamps.next()]).toEqual([5_010, 5_011]);
    clock.nowMs = 100;
    expect(stamps.next()).toBe(5_100);
    expect(stamps.at(50)).toBe(5_050);
  });

  it('count the time in which the process stood still', () => {
    const { clock, stamps, learn } = stampsAt(10);
    learn(5_010);
    clock.stalledMs = 8_000;
    expect(stamps.next()).toBe(13_010);
  });

  it('do not believe a reply that took too long', () => {
    const { clock, stamps, learn } = stampsAt(10);
    learn(5_010);
    clock.nowMs = 9_010;
    stamps.learn(5_010, clock.nowMs - 301);
    expect(stamps.next()).toBe(14_010);
    stamps.learn(13_710, clock.nowMs - 300);
    expect(stamps.next()).toBe(14_011);
  });

  it('go on from where they were if the clock of Redis leaps back, and use that up if it leaps forward', () => {
    const { clock, stamps, learn } = stampsAt(0);
    learn(1_000_000);
    learn(700_000);
    expect(stamps.next()).toBe(1_000_000);
    clock.nowMs = 1_000;
    expect(stamps.next()).toBe(1_001_000);
    learn(1_001_000);
    expect(stamps.next()).toBe(1_001_001);
    learn(1_301_000);
    expect(stamps.next()).toBe(1_301_000);
  });

  it('follow a small change of the clock', () => {
    const { stamps, learn } = stampsAt(0);
    learn(1_000_000);
    learn(999_000);
    expect(stamps.at(0)).toBe(999_000);
    learn(997_999);
    expect(stamps.at(0)).toBe(999_000);
  });

  it('forget a clock that was hours ahead', () => {
    const { stamps, learn } = stampsAt(0);
    learn(10_000_000);
    learn(1_000_000);
    expect(stamps.at(0)).toBe(1_000_000);
  });

  it('take over the time of a process whose stamps are ahead', () => {
    const { clock, stamps, learn } = stampsAt(0);
    learn(1_000_000);
    expect(stamps.next(1_300_000)).toBe(1_300_001);
    clock.nowMs = 1_000;
    expect(stamps.next()).toBe(1_301_000);
  });
});

describe('claims without a stamp', () => {
  it('get different ones if they are as old', () => {
    const claims = new HeldClaims();
    const [one, other] = [1, 2].map((claimId) => claims.add({ userId: 'ada', threadId: 't', claimId }, 2, 7));
    claims.stampLate(one!, 100);
    claims.stampLate(other!, 100);
    expect([one!.stampMs, other!.stampMs]).toEqual([100, 101]);
    expect(claims.ofStamp(101)).toBe(other);
  });
});

describe('the log', () => {
  const reply = (firstId: string, lastId: string) => ({ firstId, lastId });

  it('has lost entries if one that it had has gone', () => {
    const cursor = new LogCursor();
    expect(cursor.isLost(reply('', ''))).toBe(false);
    cursor.saw('5-0');
    expect(cursor.isLost(reply('1-0', '5-0'))).toBe(false);
    expect(cursor.isLost(reply('', ''))).toBe(true);
    expect(cursor.isLost(reply('1-0', '4-0'))).toBe(true);
    expect(cursor.isLost(reply('6-0', '6-0'))).toBe(true);
    expect(cursor.id).toBe('0-0');
  });

  it('has lost nothing if what was cut off had been read', () => {
    const cursor = new LogCursor();
    cursor.applied([{ id: '5-0', values: new Map() }]);
    expect(cursor.isLost(reply('5-0', '9-0'))).toBe(false);
    expect(cursor.isLost(reply('6-0', '9-0'))).toBe(true);
    cursor.restart();
    expect(cursor.isLost(reply('6-0', '9-0'))).toBe(false);
  });
});

describe('repairs', () => {
  it('keep a claim that was added again while all were repaired', () => {
    const repairs = new Repairs({ now: () => 0 });
    const claims = new HeldClaims();
    const [one, other] = [1, 2].map((claimId) => claims.add({ userId: 'ada', threadId: 't', claimId }, 2, 0));
    repairs.add(one!);
    repairs.add(other!);
    const before = repairs.entries();
    repairs.add(one!);
    repairs.deleteUnchanged(before);
    expect(repairs.held()).toEqual([one]);
    repairs.deleteUnchanged(repairs.entries());
    expect(repairs.held()).toEqual([]);
  });

  it('are too many if one is older than 10 s', () => {
    let nowMs = 0;
    const repairs = new Repairs({ now: () => nowMs });
    const claim = new HeldClaims().add({ userId: 'ada', threadId: 't', claimId: 1 }, 2, 0);
    expect(repairs.areTooMany).toBe(false);
    repairs.add(claim);
    nowMs = 10_000;
    repairs.add(claim);
    expect(repairs.areTooMany).toBe(false);
    nowMs = 10_001;
    expect(repairs.areTooMany).toBe(true);
  });
});
