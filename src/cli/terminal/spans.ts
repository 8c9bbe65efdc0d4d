const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];

/** A span of time as a person says it: `300 ms`, `7.5 s`, `75 s`, `12 m`, `3 h 5 m`, `2 d 4 h`. */
export function spanOf(spanMs: number): string {
  const ms = Math.max(0, spanMs);
  if (Math.round(ms) < second) return `${String(Math.round(ms))} ms`;
  if (ms < 2 * minute) return `${String(ms < 10 * second ? Math.round(ms / 100) / 10 : Math.round(ms / second))} s`;
  if (ms < 2 * hour) return twoOf(ms, [minute, 'm'], [second, 's']);
  if (ms < 2 * day) return twoOf(ms, [hour, 'h'], [minute, 'm']);
  return twoOf(ms, [day, 'd'], [hour, 'h']);
}

type Unit = readonly [ms: number, name: string];

function twoOf(ms: number, [big, bigName]: Unit, [small, smallName]: Unit): string {
  const inSmall = Math.round(ms / small);
  const per = big / small;
  const rest = inSmall % per;
  const main = `${String(Math.floor(inSmall / per))} ${bigName}`;
  return rest === 0 ? main : `${main} ${String(rest)} ${smallName}`;
}

/** The time of day here, `14:03:07`. */
export function clockOf(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
}

/** The date here, `2026-11-25`. */
export function dateOf(at: Date): string {
  return [String(at.getFullYear()), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())].join('-');
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

/** A number of bytes as a person says it: `300 B`, `12 kB`, `2.5 MB`. */
export function bytesOf(bytes: number): string {
  if (bytes < 1_000) return `${String(bytes)} B`;
  return bytes < 999_500 ? `${String(Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
