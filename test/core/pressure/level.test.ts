import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.js';
import { levelOf, maxWithin, thresholdsOf, usageRatio } from '../../../src/core/pressure/level.js';
import { harness, remote } from '../support.js';
import type { AlertLevel } from '../../../src/core/vocabulary.js';

type Row = readonly [environment: string, limit: number, levels: Readonly<Partial<Record<AlertLevel, number>>>];

/** From how many managers on each level holds; a level that is missing is never seen. */
const ladder: readonly Row[] = [
  ['production', 20, { normal: 0, info: 8, warning: 12, critical: 16, emergency: 18 }],
  ['staging', 20, { normal: 0, info: 7, warning: 10, critical: 16, emergency: 18 }],
  ['development', 20, { normal: 0, info: 6, warning: 8, critical: 16, emergency: 18 }],
  ['test', 20, { normal: 0, info: 6, warning: 8, critical: 16, emergency: 18 }],
  ['production', 5, { normal: 0, info: 2, warning: 3, critical: 4, emergency: 5 }],
  ['staging', 5, { normal: 0, info: 2, warning: 3, critical: 4, emergency: 5 }],
  ['development', 5, { normal: 0, warning: 2, critical: 4, emergency: 5 }],
  ['production', 4, { normal: 0, info: 4 }],
  ['staging', 4, { normal: 0, info: 4 }],
  ['development', 4, { normal: 0, info: 4 }],
  ['production', 2, { normal: 0, info: 2 }],
  ['production', 1, { normal: 0, info: 1 }],
  ['staging', 1, { normal: 0, info: 1 }],
  ['development', 1, { normal: 0, info: 1 }],
  ['production', 100, { normal: 0, info: 40, warning: 60, critical: 80, emergency: 90 }],
  ['staging', 100, { normal: 0, info: 34, warning: 50, critical: 80, emergency: 90 }],
  ['development', 100, { normal: 0, info: 27, warning: 40, critical: 80, emergency: 90 }],
];

/** Each threshold, one manager below it and one above, with the level that holds there. */
function around([environment, limit, levels]: Row): [string, number, number, AlertLevel][] {
  const steps = Object.entries(levels) as [AlertLevel, number][];
  const at = (count: number): AlertLevel => steps.findLast(([, from]) => from <= count)![0];
  const counts = new Set(steps.flatMap(([, from]) => [from - 1, from, from + 1]));
  return [...counts]
    .filter((count) => count >= 0 && count <= limit)
    .map((count) => [environment, count, limit, at(count)]);
}

describe('the level', () => {
  it.each(ladder.flatMap(around))('in %s, with %i of %i: %s', async (environment, count, limit, level) => {
    const h = harness({ environment, config: { maxManagersPerUser: limit } });
    await h.fill('ada', count, remote);
    expect(h.mooring.monitor.checkUserResources('ada')).toEqual({
      userId: 'ada',
      managerCount: count,
      usageRatio: count / limit,
      alertLevel: level,
      maxManagers: limit,
    });
  });

  it('of a limit of 0 is normal, and info for a user who still has a manager', async () => {
    let limit = 1;
    const h = harness({ limitOf: () => limit });
    await h.connect('ada', 'thread_1', remote);
    limit = 0;
    expect(h.mooring.monitor.checkUserResources('ada').alertLevel).toBe('info');
    expect(h.mooring.monitor.checkUserResources('grace').alertLevel).toBe('normal');
  });

  it('counts reserved slots', () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    for (let i = 1; i <= 5; i++) h.ticket('ada', `thread_${i}`);
    expect(h.mooring.monitor.checkUserResources('ada').alertLevel).toBe('emergency');
  });

  it('follows thresholds that are set', () => {
    const { config } = loadConfig({
      environment: 'production',
      overrides: { proactiveCleanupThreshold: 0.3, criticalThreshold: 0.5, emergencyThreshold: 0.7 },
    });
    const thresholds = thresholdsOf(config);
    expect(thresholds).toEqual({ info: 0.2, warning: 0.3, critical: 0.5, emergency: 0.7 });
    expect([19, 20, 30, 50, 70].map((managers) => levelOf(managers, 100, thresholds))).toEqual([
      'normal',
      'info',
      'warning',
      'critical',
      'emergency',
    ]);
  });
});

describe('the usage', () => {
  it.each([
    [0, 0, 0],
    [3, 0, 3],
    [1, 1, 1],
    [5, 20, 0.25],
    [25, 20, 1.25],
  ])('of %i with a limit of %i is %d', (count, limit, ratio) => {
    expect(usageRatio(count, limit)).toBe(ratio);
  });

  it('is compared as a quotient: 29 of 100 are 0.29, though 100 × 0.29 is 28.999…', () => {
    expect(usageRatio(29, 100) >= 0.29).toBe(true);
    expect(maxWithin(0.29, 100)).toBe(29);
  });

  it.each([
    [0.6, 20, 12],
    [0.5, 20, 10],
    [0.4, 20, 8],
    [0.6, 4, 2],
    [0.6, 1, 0],
    [0.6, 0, 0],
    [1, 20, 20],
  ])('of %d is not exceeded by, with a limit of %i: %i', (threshold, limit, most) => {
    expect(maxWithin(threshold, limit)).toBe(most);
  });
});
