import type { DayReport } from '../../simulation/day.js';
import { count } from '../../presentation/figures.js';
import type { LeakReport } from '../../simulation/leaks.js';
import type { Violation } from '../../simulation/promises.js';
import { kpiTable } from './kpi-table.js';
import { plain } from './paint.js';
import { aligned } from './table.js';

/** Which promise was broken, when and how. */
export function violationText({ atMs, invariant, message }: Violation): string {
  return `Broken after ${String(Math.round(atMs))} ms: ${invariant}: ${message}`;
}

/** The report of a day, for people. */
export function tableOf(report: DayReport): string {
  const { scenario, users, hours, seed, occurrences, realMs, kpis, violation } = report;
  const title = `${scenario}: ${count(users)} users, ${String(hours)} h, seed ${String(seed)}`;
  const speed = `${count(occurrences)} events in ${(realMs / 1000).toFixed(1)} s`;
  const facts = [
    ['wanted in', count(report.wanted)],
    ['admitted', `${count(report.admitted)}, and ${count(report.takenOver)} took over`],
    ['refused', listOf(report.refusals)],
    ['released', listOf(report.releases)],
    ['healthy connections closed without a reason', count(report.healthyClosed)],
    ['most managers at once', count(report.peakManagers)],
    ['promises', violation === null ? 'all kept' : violationText(violation)],
  ];
  return `${title}; ${speed}
${kpiTable(kpis, plain, '; the counts below are of the whole time')}
${aligned(facts)}
`;
}

const leakRows: readonly [string, keyof LeakReport][] = [
  ['leak incidents (user-hours)', 'incidents'],
  ['  with a lock-out', 'lockOuts'],
  ['  with an accumulated manager', 'accumulations'],
  ['connections closed in use', 'closedInUse'],
];

/** The leaks of each server side by side, and how many fewer incidents Mooring has. */
export function comparisonOf(leaks: Readonly<Record<string, LeakReport>>): string {
  const { mooring, ...others } = leaks;
  const header = ['', ...Object.keys(leaks)];
  const rows = leakRows.map(([label, name]) => [label, ...Object.values(leaks).map((report) => count(report[name]))]);
  const sentences = Object.entries(others).map(([name, { incidents }]) => {
    const fewer = incidents === 0 ? 0 : 1 - (mooring?.incidents ?? 0) / incidents;
    return `${(fewer * 100).toFixed(1)} % fewer incidents than ${name}\n`;
  });
  return `\n${aligned([header, ...rows])}\n\n${sentences.join('')}`;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, number]) => `${name} ${count(number)}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
