import type { Kpi, SuccessReport } from '../core/kpis/kpi.js';
import type { DayReport } from '../simulation/day.js';
import type { LeakReport } from '../simulation/leaks.js';
import { sentenceOf } from './simulate-script.js';

const hourMs = 3_600_000;

/** A day, for people. */
export function tableOf(report: DayReport): string {
  const { scenario, users, hours, seed, occurrences, realMs, kpis, violation } = report;
  const title = `${scenario}: ${count(users)} users, ${String(hours)} h, seed ${String(seed)}`;
  const speed = `${count(occurrences)} events in ${(realMs / 1000).toFixed(1)} s`;
  const rows = kpis.kpis.map((kpi) => [
    String(kpi.number),
    wordsOf(kpi.name),
    valueOf(kpi),
    kpi.target,
    kpi.verdict,
    count(kpi.samples),
  ]);
  const facts = [
    ['wanted in', count(report.wanted)],
    ['admitted', `${count(report.admitted)}, and ${count(report.takenOver)} took over`],
    ['refused', listOf(report.refusals)],
    ['released', listOf(report.releases)],
    ['healthy connections closed without a reason', count(report.healthyClosed)],
    ['most managers at once', count(report.peakManagers)],
    ['promises', violation === null ? 'all kept' : sentenceOf(violation)],
  ];
  const header = ['#', 'success metric', 'value', 'target', 'verdict', 'samples'];
  return `${title}; ${speed}\n${windowOf(kpis)}\n\n${aligned([header, ...rows])}\n\n${aligned(facts)}\n`;
}

/** What time the metrics are about. */
function windowOf({ window: { durationMs, isSinceStart } }: SuccessReport): string {
  const hours = `${String(Number((durationMs / hourMs).toPrecision(3)))} h`;
  return isSinceStart
    ? `success metrics since the start, ${hours}`
    : `success metrics over the last ${hours} only; the counts below them are of the whole time`;
}

const leakRows: readonly [string, keyof LeakReport][] = [
  ['leak incidents (user-hours)', 'incidents'],
  ['  with a lock-out', 'lockOuts'],
  ['  with an accumulated manager', 'accumulations'],
  ['connections closed in use', 'closedInUse'],
];

/** Side by side, and how many incidents fewer that is. */
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

function valueOf({ value, unit }: Kpi): string {
  if (value === null) return '-';
  if (unit === 'ratio') return `${(value * 100).toFixed(2)} %`;
  return unit === 'ms' ? `${(value / 1000).toFixed(2)} s` : count(value);
}

/** `emergencyCleanupTime` → `emergency cleanup time` */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, number]) => `${name} ${count(number)}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A number as a person reads it: `1,234`. */
export function count(number: number): string {
  return number.toLocaleString('en');
}
