import type { Kpi, SuccessReport } from '../../core/kpis/kpi.js';
import { count, duration } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { plain, type Paint } from './paint.js';
import { aligned } from './table.js';

const dayMs = 86_400_000;

/**
 * The success metrics as a table, below the time that they cover.
 * @param note follows that time if it no longer reaches back to the start
 */
export function kpiTable({ kpis, window }: SuccessReport, paint: Paint = plain, note = ''): string {
  const rows = kpis.map((kpi) => [
    String(kpi.number),
    inert(wordsOf(kpi.name)),
    valueOf(kpi),
    inert(kpi.target),
    paint(verdictColours[kpi.verdict], kpi.verdict),
    count(kpi.samples),
  ]);
  const header = ['#', 'success metric', 'value', 'target', 'verdict', 'samples'];
  return `${windowOf(window)}${window.isSinceStart ? '' : note}\n\n${aligned([header, ...rows])}\n`;
}

const verdictColours = Object.freeze({ pass: 'green', fail: 'red', 'no data': 'dim' } as const);

/** The time that the metrics cover, with a remark if that is less than a day. */
function windowOf({ durationMs, lengthMs, isSinceStart }: SuccessReport['window']): string {
  const about = isSinceStart ? `since the start, ${duration(durationMs)}` : `over the last ${duration(durationMs)}`;
  const short = lengthMs < dayMs ? ` (a short window: ${duration(lengthMs)} instead of ${duration(dayMs)})` : '';
  return `success metrics ${about}${short}`;
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
