import { describe, expect, it } from 'vitest';
import { kpiTable } from '../../../src/cli/terminal/kpi-table.js';
import { plain } from '../../../src/cli/terminal/paint.js';

const [minute, hour] = [60_000, 3_600_000];

function headingOf(durationMs: number, lengthMs: number, isSinceStart: boolean): string | undefined {
  return kpiTable({ kpis: [], window: { durationMs, lengthMs, isSinceStart } }, plain, '; a note').split('\n')[0];
}

describe('the heading of the success metrics', () => {
  it.each([
    [90_000, 24 * hour, true, 'success metrics since the start, 1 min 30 s'],
    [23.5 * hour, 24 * hour, false, 'success metrics over the last 23 h 30 min; a note'],
    [90_000, 5 * minute, true, 'success metrics since the start, 1 min 30 s (a short window: 5 min instead of 1 d)'],
    [
      290_000,
      5 * minute,
      false,
      'success metrics over the last 4 min 50 s (a short window: 5 min instead of 1 d); a note',
    ],
  ])('says of %i ms of %i, since the start: %s', (durationMs, lengthMs, isSinceStart, heading) => {
    expect(headingOf(durationMs, lengthMs, isSinceStart)).toBe(heading);
  });
});
