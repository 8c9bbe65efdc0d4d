import { describe, expect, it } from 'vitest';
import { compareDay, simulateDay, type DayOptions } from '../../src/simulation/day.js';
import { scenarios, type ScenarioName } from '../../src/simulation/population.js';

/** Long enough that users are refused, so that KPIs 1 and 6 mean something. */
const eventful: DayOptions = { hours: 12, users: 2_000, seed: 10, scenario: 'reference' };

describe('a busy simulated day', () => {
  it.each((Object.keys(scenarios) as ScenarioName[]).filter((name) => name !== 'hostile'))(
    'like %s keeps every promise, refuses some, and passes all seven metrics',
    async (scenario) => {
      const report = await simulateDay({ ...eventful, scenario });
      expect(report.violation).toBeNull();
      expect([report.healthyClosed, report.leaks.closedInUse]).toEqual([0, 0]);
      expect(report.releases['disconnected']).toBeGreaterThan(0);
      expect(report.refusals['quota']).toBeGreaterThan(0);
      expect(report.kpis.kpis.map(({ name, verdict }) => [name, verdict])).toEqual(
        report.kpis.kpis.map(({ name }) => [name, 'pass']),
      );
    },
  );

  it("has fewer than a fifth of the incidents of the sketch's algorithm", async () => {
    const { leaks } = await simulateDay(eventful);
    const before = await compareDay('before', eventful);
    expect(before.lockOuts).toBeGreaterThan(0);
    expect(leaks.incidents).toBeLessThan(0.2 * before.incidents);
  });
});
