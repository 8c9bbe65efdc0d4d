import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** One line of a table: what to show by column. */
export type Row = Readonly<Record<string, string | number>>;

/** A demand and what came of it. */
export interface Bar {
  readonly bar: string;
  readonly wanted: string;
  readonly got: string;
  readonly isMet: boolean;
}

/** What a part of the benchmark says. */
export interface Report {
  readonly title: string;
  readonly tables: readonly { readonly caption: string; readonly rows: readonly Row[] }[];
  readonly bars: readonly Bar[];
  /** All that was measured, for the file. */
  readonly measured: unknown;
}

export function print({ title, tables, bars }: Report): void {
  console.log(`\n# ${title}`);
  for (const { caption, rows } of tables) {
    console.log(`\n${caption}\n`);
    console.log(tableOf(rows));
  }
  if (bars.length === 0) return;
  console.log('\nBars\n');
  console.log(tableOf(bars.map(({ bar, wanted, got, isMet }) => ({ bar, wanted, got, met: isMet ? 'yes' : 'NO' }))));
}

/** Writes the report, with the machine it was made on, into the results folder. */
export function save(name: string, report: Report): void {
  const folder = process.env['MOORING_BENCH_RESULTS'] ?? join(process.cwd(), 'bench/results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine: machine(), ...report }, null, 2)}\n`);
}

function tableOf(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => columns.map((column) => show(row[column])))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

/** Three digits that say something. */
export function show(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function machine(): Record<string, unknown> {
  const [cpu] = cpus();
  return {
    atUtc: new Date().toISOString(),
    node: process.version,
    cpu: cpu?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    commit: commit(),
  };
}

function commit(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
