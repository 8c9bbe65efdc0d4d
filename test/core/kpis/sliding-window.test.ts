import { describe, expect, it } from 'vitest';
import { SlidingWindow } from '../../../src/core/kpis/sliding-window.js';
import { seeded } from '../support.js';

const hourMs = 3_600_000;

function counter() {
  return new SlidingWindow(() => ({ count: 0 }));
}

function total(window: SlidingWindow<{ count: number }>, nowMs: number): number {
  return window.all(nowMs).reduce((sum, { count }) => sum + count, 0);
}

describe('a sliding window', () => {
  it.each([
    ['in the same moment', 0, 1],
    ['an hour later', hourMs, 1],
    ['just before a day has passed', 24 * hourMs - 1, 1],
    ['after a day', 24 * hourMs, 0],
    ['long after', 1_000 * hourMs, 0],
  ])('counts what happened at the beginning of an hour: %s', (_, laterMs, wanted) => {
    const window = counter();
    window.at(100 * hourMs).count += 1;
    expect(total(window, 100 * hourMs + laterMs)).toBe(wanted);
  });

  it('has one slot for all of an hour', () => {
    const window = counter();
    for (const hour of [100, 101, 102]) {
      const slot = window.at(hour * hourMs);
      expect(window.at((hour + 1) * hourMs - 1)).toBe(slot);
    }
    expect(window.all(102 * hourMs)).toHaveLength(3);
  });

  it('adds what is a little past to the slot of its time', () => {
    const window = counter();
    const [past, present] = [window.at(100 * hourMs), window.at(101 * hourMs)];
    expect(window.at(101 * hourMs - 1)).toBe(past);
    expect(window.at(101 * hourMs + 1)).toBe(present);
    expect(window.all(101 * hourMs)).toEqual([past, present]);
  });

  it('keeps no more than 24 slots, however long it runs', () => {
    const window = counter();
    for (let hour = 0; hour < 1_000; hour++) window.at(hour * hourMs).count += 1;
    expect(window.all(999 * hourMs)).toHaveLength(24);
  });

  it('is the exact sum over its slots, whatever happens when', () => {
    const random = seeded(11);
    const window = counter();
    const happened: number[] = [];
    let nowMs = 0;
    for (let step = 0; step < 5_000; step++) {
      nowMs += random() < 0.01 ? random() * 40 * hourMs : random() * hourMs * 0.2;
      window.at(nowMs).count += 1;
      happened.push(nowMs);
      const beginsAtMs = window.beginsAtMs(nowMs);
      expect(total(window, nowMs)).toBe(happened.filter((atMs) => atMs >= beginsAtMs).length);
    }
  });

  it('begins 23 to 24 hours ago', () => {
    const window = counter();
    expect(window.beginsAtMs(100 * hourMs)).toBe(77 * hourMs);
    expect(window.beginsAtMs(101 * hourMs - 1)).toBe(77 * hourMs);
  });
});
