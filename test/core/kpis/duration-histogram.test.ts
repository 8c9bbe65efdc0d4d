import { describe, expect, it } from 'vitest';
import { DurationHistogram } from '../../../src/core/kpis/duration-histogram.js';
import { seeded } from '../support.js';

function histogramOf(durations: readonly number[]): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const duration of durations) histogram.add(duration);
  return histogram;
}

describe('a duration histogram', () => {
  it('is 0 without samples', () => {
    const { samples, longestMs } = new DurationHistogram();
    expect({ samples, longestMs, p99: new DurationHistogram().quantile(0.99) }).toEqual({
      samples: 0,
      longestMs: 0,
      p99: 0,
    });
  });

  it.each([0.5, 0.9, 0.99, 1])('gives the %d quantile at most 3 % too long, and never too short', (part) => {
    const random = seeded(3);
    const durations = Array.from({ length: 5_000 }, () => 10_000 ** random());
    const sorted = [...durations].sort((a, b) => a - b);
    const exact = sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
    const got = histogramOf(durations).quantile(part);
    expect(got).toBeGreaterThanOrEqual(exact - 1e-9);
    expect(got).toBeLessThanOrEqual(exact * 1.03);
  });

  it('knows the longest exactly', () => {
    expect(histogramOf([3, 1_234.5, 7]).longestMs).toBe(1_234.5);
    expect(histogramOf([3, 1_234.5, 7]).quantile(1)).toBe(1_234.5);
  });

  it.each([0, 0.4, 1, 1e12, Number.NaN])('takes any number (%d)', (durationMs) => {
    expect(histogramOf([durationMs]).samples).toBe(1);
  });

  it('takes what is longer than some 12 days for that', () => {
    expect(histogramOf([1e12]).quantile(1)).toBe(2 ** 30);
  });

  it('of several is that of all together', () => {
    const union = DurationHistogram.union([histogramOf([1, 2, 3]), histogramOf([100, 200])]);
    const all = histogramOf([1, 2, 3, 100, 200]);
    expect([union.samples, union.longestMs, union.quantile(0.5)]).toEqual([5, 200, all.quantile(0.5)]);
  });
});
