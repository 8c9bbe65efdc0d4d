import { describe, expect, it } from 'vitest';
import { DistinctCount } from '../../../src/core/kpis/distinct-count.js';
import { textHash } from '../../../src/core/kpis/text-hash.js';

function countOf(names: Iterable<string>): DistinctCount {
  const count = new DistinctCount();
  for (const name of names) count.add(textHash(name));
  return count;
}

function* names(from: number, to: number, prefix = 'user-'): Generator<string> {
  for (let number = from; number < to; number++) yield `${prefix}${number}`;
}

describe('a distinct count', () => {
  it('of nothing is 0', () => {
    expect(DistinctCount.union([])).toBe(0);
    expect(DistinctCount.union([new DistinctCount()])).toBe(0);
  });

  it.each([1, 2, 10, 100, 1_000, 10_000, 30_000, 100_000, 1_000_000])('of %i texts is within 3 %%', (many) => {
    const estimate = DistinctCount.union([countOf(names(0, many))]);
    expect(Math.abs(estimate - many)).toBeLessThanOrEqual(Math.max(1, 0.03 * many));
  });

  it.each(['', 'thread_', '0f5b2c9e-1111-4222-8333-', '用户', 'a'.repeat(250)])(
    'does not depend on what the texts look like (%j)',
    (prefix) => {
      const estimate = DistinctCount.union([countOf(names(0, 20_000, prefix))]);
      expect(Math.abs(estimate - 20_000)).toBeLessThan(600);
    },
  );

  it('is within 2 % for most of many samples', () => {
    const errors = Array.from({ length: 40 }, (_, sample) => {
      const many = 5_000 + sample * 700;
      return Math.abs(DistinctCount.union([countOf(names(0, many, `${sample}:`))]) - many) / many;
    });
    expect(errors.filter((error) => error > 0.02).length).toBeLessThanOrEqual(4);
  });

  it('counts a text once, however often it comes', () => {
    const count = countOf(names(0, 500));
    for (let again = 0; again < 5; again++) for (const name of names(0, 500)) count.add(textHash(name));
    expect(Math.abs(DistinctCount.union([count]) - 500)).toBeLessThan(10);
  });

  it('of several is that of all together', () => {
    const union = DistinctCount.union([countOf(names(0, 6_000)), countOf(names(4_000, 10_000))]);
    expect(union).toBe(DistinctCount.union([countOf(names(0, 10_000))]));
  });

  it.each([
    ['as many as 53 bits can tell', { low: 0, high: 1 }, 2 ** 40],
    ['half of that', { low: 0, high: 2 }, 2 ** 39],
    ['twice as many as registers', { low: 2 ** 31, high: 0 }, 2],
  ])('goes by the ranks where no register is empty: %s', (_, rest, perRegister) => {
    const count = new DistinctCount();
    for (let register = 0; register < 8_192; register++) count.add({ ...rest, low: rest.low + register });
    expect(DistinctCount.union([count]) / (0.7213 * 8_192 * perRegister)).toBeCloseTo(1, 2);
  });

  it('goes by the ranks of a large number, even where a register is empty', () => {
    const count = new DistinctCount();
    for (let register = 1; register < 8_192; register++) count.add({ low: 2 ** 22 + register, high: 0 });
    expect(DistinctCount.union([count])).toBeGreaterThan(5_000_000);
  });
});
