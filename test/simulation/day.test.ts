import { describe, expect, it, vi } from 'vitest';
import { compareDay, simulateDay, type DayOptions } from '../../src/simulation/day.js';
import type { ScenarioName } from '../../src/simulation/population.js';
import { World } from '../../src/simulation/world.js';

const day = (options: Partial<DayOptions> = {}): DayOptions => ({
  hours: 6,
  users: 500,
  seed: 7,
  scenario: 'reference',
  ...options,
});

const verdicts = async (options: DayOptions) => {
  const { kpis } = await simulateDay(options);
  return Object.fromEntries(kpis.kpis.map(({ number, verdict }) => [number, verdict]));
};

describe('a simulated day', () => {
  it('follows from its seed', async () => {
    const reports = [await simulateDay(day()), await simulateDay(day())];
    const [first, second] = reports.map((report) => ({ ...report, realMs: 0 }));
    expect(first).toEqual(second);
    const other = await simulateDay(day({ seed: 8 }));
    expect(other.occurrences).not.toBe(first?.occurrences);
  });

  // A change that is meant to change these days updates the numbers.
  it.each<[ScenarioName, number[]]>([
    ['reference', [356_419, 412, 33, 297, 102]],
    ['deploy', [346_087, 800, 247, 582, 204]],
    ['storm', [354_639, 1_100, 379, 826, 264]],
    ['mobile', [357_320, 506, 247, 281, 204]],
    ['hostile', [463_736, 2_158, 88, 417, 998]],
  ])('like %s is the one it was', async (scenario, known) => {
    const { occurrences, admitted, takenOver, releases } = await simulateDay(day({ scenario, hours: 8, users: 300 }));
    const { closed, disconnected } = releases;
    expect([occurrences, admitted, takenOver, closed, disconnected]).toEqual(known);
  });

  it('of hostile users fails on how many are at their limits, and refuses and kills nobody wrongly', async () => {
    expect(await verdicts(day({ scenario: 'hostile' }))).toMatchObject({ 3: 'fail', 6: 'pass', 7: 'pass' });
  }, 60_000);

  it.each([
    [0.1, [0.1]],
    [0.25, [0.25]],
    [1.6, [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.6]],
  ])('of %d hours ends when they are over, and tells each quarter and the end', async (hours, told) => {
    const runUntil = vi.spyOn(World.prototype, 'runUntil');
    const heard: number[] = [];
    const { kpis } = await simulateDay(day({ hours, users: 5, onProgress: (progress) => heard.push(progress.hours) }));
    expect(heard).toEqual(told);
    const forMs = hours * 3_600_000;
    const ends = runUntil.mock.calls.map(([atMs]) => atMs);
    expect(ends).toContain(forMs);
    expect(kpis.window.isSinceStart).toBe(true);
    expect(forMs - kpis.window.durationMs).toBeLessThan(10_000); // stalls are left out
  });

  it('lets the process hear of signals every ten simulated seconds', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await simulateDay(day({ hours: 1, users: 5 }));
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(360);
  });

  it('with a stricter limit refuses more', async () => {
    const few = await simulateDay(day({ config: { maxManagersPerUser: 3 } }));
    expect(few.refusals['quota']).toBeGreaterThan((await simulateDay(day())).refusals['quota'] ?? 0);
  });
});

describe("the sketch's algorithm", () => {
  it('follows from its seed too', async () => {
    expect(await compareDay('before', day())).toEqual(await compareDay('before', day()));
  });
});
