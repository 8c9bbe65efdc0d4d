import { describe, expect, it } from 'vitest';
import { judge, type Fault, type SlotEvent } from '../../support/slot-history.js';

const promised = { limit: 2, beatMs: 1_000, nodeTimeoutMs: 5_000 };

type Line = readonly [atMs: number, process: string, what: SlotEvent['what'], threadId: string, why?: string];

/** What is found in the history of a user with a limit of 2. */
function judged(lines: readonly Line[], ...faults: readonly Fault[]) {
  const events = lines.map(([atMs, process, what, threadId, why = '']) => {
    return { atMs, askedAtMs: atMs, process, what, userId: 'ada', threadId, why };
  });
  return judge(events, faults, promised);
}

const overAt = (lines: readonly Line[], ...faults: readonly Fault[]): number[] =>
  judged(lines, ...faults).over.map(({ atMs }) => atMs);

const full: readonly Line[] = [
  [1_000, 'p', 'open', 'a'],
  [1_001, 'q', 'open', 'b'],
];

describe('the history of a user with a limit of 2', () => {
  it('may have two threads open, and a third when one is released', () => {
    const verdict = judged([...full, [1_002, 'p', 'release', 'a'], [1_003, 'q', 'open', 'c']]);
    expect([verdict.over, verdict.opens, [...verdict.open]]).toEqual([[], 3, ['ada b', 'ada c']]);
  });

  it('may not have a third', () => {
    expect(overAt([...full, [1_002, 'q', 'open', 'c']])).toEqual([1_002]);
  });

  it('may not have a third in one process, whatever has happened to Redis', () => {
    const lines: readonly Line[] = [...full, [1_002, 'q', 'open', 'c'], [1_003, 'q', 'open', 'd']];
    const gone: Fault = { what: 'redis gone', fromMs: 0, untilMs: 2_000 };
    expect(judged(lines, gone).overInOne.map(({ atMs }) => atMs)).toEqual([1_003]);
  });

  it('counts a thread once that two processes have', () => {
    const moved: readonly Line[] = [...full, [1_100, 'q', 'open', 'a'], [2_000, 'p', 'release', 'a', 'moved']];
    const verdict = judged(moved);
    expect([verdict.over, verdict.takeovers, verdict.longestTwiceMs]).toEqual([[], 1, 900]);
    expect(overAt([...moved, [2_001, 'p', 'open', 'c']])).toEqual([2_001]);
  });

  it('does not count the former connection of a thread, which has not been told yet', () => {
    const lines: readonly Line[] = [...full, [1_100, 'q', 'open', 'a'], [1_200, 'q', 'release', 'a', 'closed']];
    expect(overAt([...lines, [1_300, 'q', 'open', 'c'], [2_000, 'p', 'release', 'a', 'moved']])).toEqual([]);
  });

  it('does not count two former connections of a thread, of which one is told before the other', () => {
    const lines: readonly Line[] = [
      ...full,
      [1_100, 'q', 'open', 'a'],
      [1_150, 'r', 'open', 'a'],
      [1_200, 'r', 'release', 'a', 'closed'],
      [1_300, 'q', 'release', 'a', 'moved'],
      [1_301, 'r', 'open', 'c'],
    ];
    expect(overAt([...lines, [2_000, 'p', 'release', 'a', 'moved']])).toEqual([]);
    expect(overAt([...lines, [9_000, 'r', 'release', 'c'], [9_001, 'r', 'open', 'd']])).toEqual([9_001]);
  });

  it('counts the former connection of a thread again when the newer one ended before it was told', () => {
    const lines: readonly Line[] = [...full, [1_100, 'q', 'open', 'a'], [1_200, 'q', 'release', 'a', 'closed']];
    const later: readonly Line[] = [...lines, [9_000, 'q', 'refuse', 'c', 'quota']];
    expect(judged(later).refusedWithRoom).toEqual([]);
    expect(overAt([...later, [9_001, 'q', 'open', 'c']])).toEqual([9_001]);
  });

  it('knows that a process may hear late that it had a thread before another took it over', () => {
    const late: readonly Line[] = [
      [1_000, 'q', 'open', 'a'],
      [1_001, 'p', 'open', 'a', 'granted'],
      [1_002, 'q', 'release', 'a', 'closed'],
      [1_003, 'q', 'open', 'b'],
      [1_004, 'q', 'open', 'c'],
      [2_000, 'p', 'release', 'a', 'moved'],
    ];
    expect(overAt(late)).toEqual([]);
  });

  it('has a thread open twice for at most 1.5 s', () => {
    const lines = (untilMs: number): Line[] => [...full, [1_100, 'q', 'open', 'a'], [untilMs, 'p', 'release', 'a']];
    expect(judged(lines(2_600)).twice).toEqual([]);
    expect(judged(lines(2_601)).twice).toHaveLength(1);
  });

  it('is without what a killed process had', () => {
    const killed: Fault = { what: 'killed', process: 'p', fromMs: 2_000 };
    expect(overAt([...full, [2_001, 'q', 'open', 'c']], killed)).toEqual([]);
    expect(overAt([...full, [1_999, 'q', 'open', 'c']], killed)).toEqual([1_999]);
  });

  it('may be beyond the limit by what a process had that stood still, and not by what it admits when it is back', () => {
    const frozen: Fault = { what: 'frozen', process: 'p', fromMs: 2_000, untilMs: 10_000 };
    const others: readonly Line[] = [...full, [7_500, 'q', 'open', 'c']];
    expect(overAt(others, frozen)).toEqual([]);
    expect(overAt([...full, [4_000, 'q', 'open', 'c']], frozen)).toEqual([4_000]);
    expect(overAt([...others, [10_001, 'p', 'open', 'd']], frozen)).toEqual([10_001]);
    expect(
      overAt(
        [...others, [14_001, 'q', 'release', 'c'], [14_002, 'q', 'open', 'd'], [14_003, 'q', 'open', 'e']],
        frozen,
      ),
    ).toEqual([14_002, 14_003]);
  });

  it('may be beyond the limit while Redis is gone, and a few beats longer', () => {
    const gone: Fault = { what: 'redis gone', fromMs: 2_000, untilMs: 4_000 };
    expect(overAt([...full, [10_000, 'p', 'open', 'c']], gone)).toEqual([]);
    expect(overAt([...full, [10_001, 'p', 'open', 'c']], gone)).toEqual([10_001]);
  });

  it('must not be refused for the quota while there has been room for 1.5 s', () => {
    const refused = (atMs: number): Line[] => [
      ...full,
      [2_000, 'p', 'release', 'a'],
      [atMs, 'q', 'refuse', 'c', 'quota'],
    ];
    expect(judged(refused(3_500)).refusedWithRoom).toEqual([]);
    expect(judged(refused(3_501)).refusedWithRoom).toHaveLength(1);
  });

  it('may be refused until the slots of a killed process are free', () => {
    const killed: Fault = { what: 'killed', process: 'p', fromMs: 2_000 };
    const refused = (atMs: number) => judged([...full, [atMs, 'q', 'refuse', 'c', 'quota']], killed).refusedWithRoom;
    expect(refused(9_500)).toEqual([]);
    expect(refused(9_501)).toHaveLength(1);
  });
});
