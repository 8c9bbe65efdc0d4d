import { describe, expect, it } from 'vitest';
import { RateWindow } from '../../src/core/rate-window.js';

function rate(limit = 2, windowMs = 1_000) {
  const clock = { nowMs: 0 };
  const window = new RateWindow({ limit, windowMs, now: () => clock.nowMs });
  const at = (nowMs: number, key = 'ada'): number | null => {
    clock.nowMs = nowMs;
    return window.take(key);
  };
  return { at, window, clock };
}

describe('a rate', () => {
  it('lets as many through as it says, and tells the others how long the window lasts', () => {
    const { at } = rate();
    expect([at(0), at(400), at(600), at(999)]).toEqual([null, null, 400, 1]);
    expect(at(1_000)).toBeNull();
  });

  it('counts each key by itself, and from its own first attempt', () => {
    const { at } = rate(1);
    expect([at(0, 'ada'), at(900, 'bob'), at(950, 'ada'), at(1_000, 'ada'), at(1_850, 'bob')]).toEqual([
      null,
      null,
      50,
      null,
      50,
    ]);
    expect(at(1_900, 'bob')).toBeNull();
  });

  it('forgets nobody within the window, and everybody after two', () => {
    const { at, window } = rate(1);
    for (let nowMs = 0; nowMs < 5_000; nowMs += 10) expect(at(nowMs, String(nowMs))).toBeNull();
    expect(at(5_000, '4990')).toBe(990);
    at(99_000);
    expect(window.take('4990')).toBeNull();
  });

  it('of a hundred thousand keys within a window forgets the oldest', () => {
    const { at, window } = rate(1, 60_000);
    for (let key = 0; key < 200_001; key++) window.take(String(key));
    expect(at(1, '200000')).toBe(59_999);
    expect(at(1, '0')).toBeNull();
  });
});
