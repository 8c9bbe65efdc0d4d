import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlannedEvent, Calendar } from '../../src/simulation/calendar.js';

const runs = Number(process.env['TEST_PROPERTY_RUNS'] ?? 500);

/** Something is planned so many milliseconds from now, or so much time passes. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('plan'), ms: fc.oneof(fc.nat(5), fc.nat(3_000), fc.nat(400_000)) }),
    fc.record({ kind: fc.constant('pass'), ms: fc.oneof(fc.nat(5), fc.nat(3_000), fc.nat(100_000)) }),
  ),
);

describe('calendar', () => {
  it('are taken as a sorted list would give them', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const calendar = new Calendar();
        const taken: number[] = [];
        const planned: { readonly atMs: number; readonly id: number }[] = [];
        let nowMs = 0;
        for (const [id, { kind, ms }] of all.entries()) {
          if (kind === 'plan') {
            planned.push({ atMs: nowMs + ms, id });
            calendar.put(new PlannedEvent(() => taken.push(id)), nowMs + ms);
            continue;
          }
          nowMs += ms;
          const due = planned.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs || a.id - b.id);
          for (const { id: dueId } of due)
            planned.splice(
              planned.findIndex(({ id: other }) => other === dueId),
              1,
            );
          taken.length = 0;
          for (let next = calendar.take(nowMs); next !== null; next = calendar.take(nowMs)) next.act();
          expect(taken).toEqual(due.map(({ id: dueId }) => dueId));
          expectSoonest(calendar, planned, nowMs);
        }
      }),
      { numRuns: runs },
    );
  });

  it('that are taken may be put in again', () => {
    const calendar = new Calendar();
    const again = new PlannedEvent(() => undefined);
    calendar.put(again, 5);
    expect(calendar.take(5)).toBe(again);
    calendar.put(again, 5_000);
    expect([calendar.take(4_999), calendar.take(5_000), calendar.take(1e9)]).toEqual([null, again, null]);
    expect(calendar.soonestMs()).toBe(Infinity);
  });
});

/** It may say too soon a time, but never too late a one, nor one that has passed. */
function expectSoonest(calendar: Calendar, planned: readonly { readonly atMs: number }[], nowMs: number): void {
  const soonestMs = calendar.soonestMs();
  if (planned.length === 0) expect(soonestMs).toBe(Infinity);
  else expect(soonestMs).toBeLessThanOrEqual(Math.min(...planned.map(({ atMs }) => atMs)));
  expect(soonestMs).toBeGreaterThan(nowMs);
}
