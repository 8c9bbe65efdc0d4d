import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationHistogram } from '../../src/core/kpis/duration-histogram.js';
import { SlidingWindow } from '../../src/core/kpis/sliding-window.js';

const hourMs = 3_600_000;

/** Something counted, so long after what was counted before. */
const counted = fc.record({
  afterMs: fc.oneof(fc.nat(1_000), fc.nat(3 * hourMs), fc.constantFrom(hourMs, 23 * hourMs, 24 * hourMs, 25 * hourMs)),
  amount: fc.nat(1_000),
});

describe('a sliding window', () => {
  it('has the exact sum of what its slots cover, whatever the gaps', () => {
    fc.assert(
      fc.property(fc.array(counted, { maxLength: 50 }), fc.nat(30 * hourMs), (given, laterMs) => {
        const sums = new SlidingWindow(() => ({ sum: 0 }));
        const exact: { atMs: number; amount: number }[] = [];
        let nowMs = 0;
        for (const { afterMs, amount } of given) {
          nowMs += afterMs;
          sums.at(nowMs).sum += amount;
          exact.push({ atMs: nowMs, amount });
        }
        nowMs += laterMs;
        const beginsAtMs = sums.beginsAtMs(nowMs);
        expect(nowMs - beginsAtMs).toBeGreaterThanOrEqual(23 * hourMs);
        expect(nowMs - beginsAtMs).toBeLessThan(24 * hourMs);
        const wanted = exact.filter(({ atMs }) => atMs >= beginsAtMs).reduce((sum, { amount }) => sum + amount, 0);
        expect(sums.all(nowMs).reduce((total, { sum }) => total + sum, 0)).toBe(wanted);
      }),
      // The first and the last millisecond of an hour.
      {
        examples: [
          [[], 30 * hourMs],
          [[{ afterMs: 30 * hourMs - 1, amount: 1 }], 0],
        ],
      },
    );
  });

  it('keeps no more slots than it has, however long it counts', () => {
    fc.assert(
      fc.property(fc.array(counted, { maxLength: 200 }), (given) => {
        const slots = new SlidingWindow(() => ({}));
        let nowMs = 0;
        for (const { afterMs } of given) {
          slots.at((nowMs += afterMs));
          expect(slots.all(nowMs).length).toBeLessThanOrEqual(24);
        }
      }),
    );
  });
});

describe('a histogram of durations', () => {
  const durations = fc.array(fc.oneof(fc.nat(20), fc.nat(20_000), fc.nat(80_000_000)), {
    minLength: 1,
    maxLength: 200,
  });

  it('has every quantile at most 3 % too long and never too short, and the longest exactly', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, part) => {
        const histogram = new DurationHistogram();
        for (const duration of all) histogram.add(duration);
        const exact = all.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(part * all.length)) - 1] ?? NaN;
        expect(histogram.longestMs).toBe(Math.max(...all));
        expect(histogram.quantile(part)).toBeGreaterThanOrEqual(exact);
        expect(histogram.quantile(part)).toBeLessThanOrEqual(Math.max(1, exact * 1.03));
      }),
    );
  });

  it('is the same in parts as in one', () => {
    fc.assert(
      fc.property(durations, durations, fc.double({ min: 0, max: 1, noNaN: true }), (some, others, part) => {
        const made = [some, others, [...some, ...others]].map((all) => {
          const histogram = new DurationHistogram();
          for (const duration of all) histogram.add(duration);
          return histogram;
        });
        const union = DurationHistogram.union(made.slice(0, 2));
        expect([union.samples, union.longestMs, union.quantile(part)]).toEqual([
          made[2]?.samples,
          made[2]?.longestMs,
          made[2]?.quantile(part),
        ]);
      }),
    );
  });
});
