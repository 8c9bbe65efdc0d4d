import { describe, expect, it } from 'vitest';
import { textHash } from '../../../src/core/kpis/text-hash.js';
import { heapUsed } from '../../support/heap.js';
import { UserMinutes, type UserMinuteCount } from '../../../src/core/kpis/user-minutes.js';

function minutes() {
  const over: [atMs: number, UserMinuteCount][] = [];
  const made = new UserMinutes((count, atMs) => over.push([atMs, count]));
  const note = (userId: string, gotIn: boolean, nowMs: number): void => {
    made.note(textHash(userId), gotIn, nowMs);
  };
  return { made, over, note };
}

describe('user minutes', () => {
  it('count a user once, who got in if any attempt did', () => {
    const { made, note } = minutes();
    for (const gotIn of [false, true, false]) note('ada', gotIn, 1_000);
    note('bob', false, 2_000);
    expect(made.present()).toEqual({ wanted: 2, gotIn: 1 });
  });

  it.each([
    [59_999, []],
    [60_000, [[0, { wanted: 1, gotIn: 1 }]]],
    [600_000, [[0, { wanted: 1, gotIn: 1 }]]],
  ])('are handed over when the minute is over (at %i ms)', (nowMs, wanted) => {
    const { made, over, note } = minutes();
    note('ada', true, 0);
    made.catchUp(nowMs);
    expect(over).toEqual(wanted);
  });

  it('are handed over with the beginning of their minute', () => {
    const { made, over, note } = minutes();
    note('ada', true, 330_000);
    made.catchUp(360_000);
    expect(over).toEqual([[300_000, { wanted: 1, gotIn: 1 }]]);
  });

  it('hand over no minute in which nobody came', () => {
    const { made, over } = minutes();
    made.catchUp(0);
    made.catchUp(600_000);
    expect(over).toEqual([]);
  });

  it('keep the ratio, and about the number, when there are too many users to tell apart', () => {
    const { made, note } = minutes();
    for (let user = 0; user < 200_000; user++) note(`user-${user}`, user % 4 !== 0, 0);
    const { wanted, gotIn } = made.present();
    expect(Math.abs(wanted - 200_000)).toBeLessThan(6_000);
    expect(Math.abs(gotIn / wanted - 0.75)).toBeLessThan(0.02);
  });

  it('take little memory, however many users come in one minute', () => {
    const { made, note } = minutes();
    const before = heapUsed();
    for (let user = 0; user < 400_000; user++) note(`user-${user}`, true, 0);
    expect(heapUsed() - before).toBeLessThan(2 * 2 ** 20);
    expect(made.present().wanted).toBeGreaterThan(300_000);
  });
});
