import type { Kpi, SuccessReport } from '../core/kpis/kpi.js';
import { plain, type Paint } from './paint.js';
import { aligned } from './table.js';

const hourMs = 3_600_000;

/** The success metrics as a table, below the time they are about. */
export function kpiTable({ kpis, window }: SuccessReport, paint: Paint = plain): string {
  const rows = kpis.map((kpi) => [
    String(kpi.number),
    wordsOf(kpi.name),
    valueOf(kpi),
    kpi.target,
    paint(verdictColours[kpi.verdict], kpi.verdict),
    count(kpi.samples),
  ]);
  const header = ['#', 'success metric', 'value', 'target', 'verdict', 'samples'];
  return `${windowOf(window)}\n\n${aligned([header, ...rows])}\n`;
}

const verdictColours = Object.freeze({ pass: 'green', fail: 'red', 'no data': 'dim' } as const);

/** What time the metrics are about. */
function windowOf({ durationMs, isSinceStart }: SuccessReport['window']): string {
  const hours = `${String(Number((durationMs / hourMs).toPrecision(3)))} h`;
  return isSinceStart
    ? `success metrics since the start, ${hours}`
    : `success metrics over the last ${hours} only; the counts below them are of the whole time`;
}

function valueOf({ value, unit }: Kpi): string {
  if (value === null) return '-';
  if (unit === 'ratio') return `${(value * 100).toFixed(2)} %`;
  return unit === 'ms' ? `${(value / 1000).toFixed(2)} s` : count(value);
}

/** `emergencyCleanupTime` → `emergency cleanup time` */
export function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A number as a person reads it: `1,234`. */
export function count(number: number): string {
  return number.toLocaleString('en');
}
