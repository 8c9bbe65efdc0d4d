/** Numbers as people read them, the same in a terminal and on the dashboard. */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A duration in at most two units: `850 ms`, `4.2 s`, `2 min 5 s`, `3 h 10 min`; `–` if there is none. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 1) return ms <= 0 ? '0 ms' : 'under 1 ms';
  if (ms < second - 0.5) return `${String(Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / second).toFixed(1).replace(/\.0$/, '')} s`;
  if (ms < minute - second / 2) return `${String(Math.round(ms / second))} s`;
  if (ms < hour - second / 2) return pair(ms, [minute, 'min'], [second, 's']);
  return ms < day - minute / 2 ? pair(ms, [hour, 'h'], [minute, 'min']) : pair(ms, [day, 'd'], [hour, 'h']);
}

type Unit = readonly [ms: number, name: string];

function pair(ms: number, [big, bigName]: Unit, [small, smallName]: Unit): string {
  const rounded = Math.round(ms / small) * small;
  const rest = Math.round((rounded % big) / small);
  const whole = `${String(Math.floor(rounded / big))} ${bigName}`;
  return rest === 0 ? whole : `${whole} ${String(rest)} ${smallName}`;
}

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** `12,345`. */
export function count(value: number): string {
  return numbers.format(value);
}

/** `of 20`; `(no limit)` for `null`. */
export function ofLimit(limit: number | null): string {
  return limit === null ? '(no limit)' : `of ${count(limit)}`;
}

/** `3 managers`, `1 manager`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A ratio in percent: `85 %`, `99.4 %`. */
export function percent(ratio: number): string {
  return `${numbers.format(Math.round(ratio * 1_000) / 10)} %`;
}

/** A number of bytes: `300 B`, `12 kB`, `2.5 MB`. */
export function bytes(value: number): string {
  if (value < 1_000) return `${String(value)} B`;
  return value < 999_500 ? `${String(Math.round(value / 1e3))} kB` : `${(value / 1e6).toFixed(1)} MB`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The local time of day: `14:03:07`. */
export function timeOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? '–' : clock.format(at);
}
