import { describe, expect, it } from 'vitest';
import { shouldReconnect } from '../../../src/client/should-reconnect.js';
import { closeCodes, closeFrame } from '../../../src/core/close-codes.js';
import type { CloseCause } from '../../../src/core/vocabulary.js';

const never = { retry: false, delayMs: 0 };

/** Causes after which a client comes back by itself. */
const passing: ReadonlySet<CloseCause> = new Set([
  ...(['quota', 'capacity', 'contested', 'slow', 'silent'] as const),
  ...(['drain', 'error', 'authentication', 'unattached', 'unavailable'] as const),
]);

describe('after a close by Mooring', () => {
  it.each(Object.keys(closeCodes) as CloseCause[])('for %s the client does what the table says', (cause) => {
    const { code, reason } = closeFrame(cause, { retryAfterMs: 7_000 }, {});
    const advice = shouldReconnect({ code, reason });
    if (passing.has(cause)) expect(advice.retry).toBe(true);
    else expect(advice).toEqual(never);
  });

  it('the client of a refusal waits as long as it was told', () => {
    expect(shouldReconnect({ code: 1013, reason: 'quota;retry=30;max=20' })).toEqual({ retry: true, delayMs: 30_000 });
    expect(shouldReconnect({ code: 1012, reason: 'drain;retry=7' })).toEqual({ retry: true, delayMs: 7_000 });
  });

  it('the client whose profile has another code for a refusal still comes back when told', () => {
    expect(shouldReconnect({ code: 4000, reason: 'quota;retry=2' })).toEqual({ retry: true, delayMs: 2_000 });
  });
});

describe('after a close by somebody else', () => {
  it.each([1001, 1005, 1006, 1011, 1014, 1015])('%i the client comes back', (code) => {
    expect(shouldReconnect({ code, reason: '' }).retry).toBe(true);
  });

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 1010, 4000, 4999])('%i it does not', (code) => {
    expect(shouldReconnect({ code, reason: '' })).toEqual(never);
  });
});

describe('a reason', () => {
  it.each([
    ['quota;retry=0', 0],
    ['quota;retry=30.25;max=20', 30_250],
    ['unavailable;retry=5.00', 5_000],
    ['quota;retry=1.005', 1_005],
    ['quota;retry=0.07', 70],
    ['retry=5', 5_000],
    ['quota;retry=5;retry=9', 5_000],
    ['quota;retry=999999999', 3_600_000],
  ])('%s is understood', (reason, delayMs) => {
    expect(shouldReconnect({ code: 1013, reason })).toEqual({ retry: true, delayMs });
  });

  it.each([
    'quota;retry=',
    'quota;retry=-5',
    'quota;retry=1e3',
    'quota;retry=5s',
    'quota;retry=5.',
    'quota;retry=.5',
    'quota;retry=5,25',
    'quota;retry=5.2.5',
    'quota;noretry=5',
    'quota;retry=9999999999',
    'quota; retry=5',
    '\u0000;retry=٥',
  ])('%j says nothing: the client backs off', (reason) => {
    const { retry, delayMs } = shouldReconnect({ code: 1013, reason });
    expect(retry).toBe(true);
    expect(delayMs).toBeGreaterThanOrEqual(250);
    expect(delayMs).toBeLessThanOrEqual(1_000);
  });
});

describe('a client that is not told when', () => {
  it.each([
    [0, 250, 1_000],
    [1, 500, 2_000],
    [3, 2_000, 8_000],
    [5, 7_500, 30_000],
    [1_000_000_000, 7_500, 30_000],
    [-1, 250, 1_000],
    [Number.NaN, 250, 1_000],
    [Infinity, 250, 1_000],
  ])('after %d failures waits from %i to %i ms', (attempt, least, most) => {
    const delays = Array.from({ length: 200 }, () => shouldReconnect({ code: 1006 }, attempt).delayMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...delays)).toBeLessThanOrEqual(most);
    expect(new Set(delays).size, 'they differ, so that clients do not come back together').toBeGreaterThan(20);
  });

  it('need not have a reason at all', () => {
    expect(shouldReconnect({ code: 1006 }).retry).toBe(true);
  });
});
