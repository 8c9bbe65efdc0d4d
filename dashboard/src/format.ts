/** Figures and texts, as people read them. */

import { inert } from '../../src/presentation/inert.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A duration, with two units at most: `850 ms`, `4.2 s`, `2 min 5 s`, `3 h 10 min`. `–` for none. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 1) return ms <= 0 ? '0 ms' : 'under 1 ms';
  if (ms < second) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / second).toFixed(1).replace(/\.0$/, '')} s`;
  if (ms < minute - second / 2) return `${Math.round(ms / second)} s`;
  if (ms < hour - second / 2) return pair(ms, [minute, 'min'], [second, 's']);
  return ms < day - minute / 2 ? pair(ms, [hour, 'h'], [minute, 'min']) : pair(ms, [day, 'd'], [hour, 'h']);
}

type Unit = readonly [ms: number, name: string];

function pair(ms: number, [big, bigName]: Unit, [small, smallName]: Unit): string {
  const rounded = Math.round(ms / small) * small;
  const rest = Math.round((rounded % big) / small);
  const whole = `${Math.floor(rounded / big)} ${bigName}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** `12,345`. */
export function count(value: number): string {
  return numbers.format(value);
}

/** `of 20`; `(no limit)` where there is none. */
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

/** `12.3 MB`. */
export function bytes(value: number): string {
  return value < 1e6 ? `${numbers.format(Math.round(value / 1e3))} kB` : `${(value / 1e6).toFixed(1)} MB`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const calendar = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `14:03:07`, where the reader is. */
export function timeOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? '–' : clock.format(at);
}

/** `25 Nov 2026, 14:03:07`. */
export function dateOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? '–' : `${calendar.format(at)}, ${clock.format(at)}`;
}

/** What is written from right to left: Hebrew, Arabic and their kin. */
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** As {@link shown}, for the middle of a sentence, whose order it leaves alone. */
export function shownWithin(text: string): string {
  const visible = shown(text);
  return rightToLeft.test(visible) ? `\u2068${visible}\u2069` : visible;
}

/** A text of somebody else with what cannot be seen, or would turn the direction of a line, made visible. */
export const shown = inert;
