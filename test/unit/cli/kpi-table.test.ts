import { describe, expect, it } from 'vitest';
import { kpiTable } from '../../../src/cli/terminal/kpi-table.js';
import { plain } from '../../../src/cli/terminal/paint.js';

const [minute, hour] = [60_000, 3_600_000];

function headingOf(durationMs: number, lengthMs: number, isSinceStart: boolean): string | undefined {
  return kpiTable({ kpis: [], window: { durationMs, lengthMs, isSinceStart } }, plain, '; a note').split('\n')[0];
}

describe('the heading of the success metrics', () => {
  it.each([
    [90_000, 24 * hour, true, 'success metrics since the start, 90 s'],
    [23.5 * hour, 24 * hour, false, 'success metrics over the last 23 h 30 m; a note'],
    [90_000, 5 * minute, true, 'success metrics since the start, 90 s (a short window: 5 m instead of 24 h)'],
    [
      290_000,
      5 * minute,
      false,
      'success metrics over the last 4 m 50 s (a short window: 5 m instead of 24 h); a note',
    ],
  ])('says of %i ms of %i, since the start: %s', (durationMs, lengthMs, isSinceStart, heading) => {
    expect(headingOf(durationMs, lengthMs, isSinceStart)).toBe(heading);
  });
});
