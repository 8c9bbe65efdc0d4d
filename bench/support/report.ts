import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** One line of a table: a value for each column. */
export type Row = Readonly<Record<string, string | number>>;

/** A limit, and what was measured. */
export interface Bar {
  readonly bar: string;
  readonly wanted: string;
  readonly got: string;
  readonly isMet: boolean;
}

/** Rows with the same columns, and a caption. */
export interface Table {
  readonly caption: string;
  readonly rows: readonly Row[];
}

/** The result of a part of the benchmark. */
export interface Report {
  readonly title: string;
  readonly tables: readonly Table[];
  readonly bars: readonly Bar[];
  /** All measured figures, for the file. */
  readonly measured: unknown;
}

/** Where and how a report was made. */
export interface Machine {
  readonly atUtc: string;
  readonly command: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly commit: string | null;
}

/** A report as it is saved. */
export type SavedReport = Report & { readonly machine: Machine };

export function print(report: Report): void {
  console.log(`\n# ${report.title}\n\n${tablesOf(report)}`);
}

/** All tables, the bars last. */
export function tablesOf({ tables, bars }: Pick<Report, 'tables' | 'bars'>): string {
  const barRows = bars.map(({ bar, wanted, got, isMet }) => ({ bar, wanted, got, met: isMet ? 'yes' : 'NO' }));
  const all = bars.length === 0 ? tables : [...tables, { caption: 'Bars', rows: barRows }];
  return all.map(({ caption, rows }) => `${caption}\n\n${tableOf(rows)}`).join('\n\n');
}

/** Writes the report, with the machine it was made on, into the results folder. */
export function save(name: string, report: Report): void {
  mkdirSync(resultsFolder, { recursive: true });
  const kept: SavedReport = { machine: machine(), ...report };
  writeFileSync(join(resultsFolder, `${name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
}

/** The report that was saved under this name, if any. */
export function saved(name: string): SavedReport | null {
  const file = join(resultsFolder, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SavedReport) : null;
}

const resultsFolder = process.env['MOORING_BENCH_RESULTS'] ?? join(process.cwd(), 'bench/results');

function tableOf(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => columns.map((column) => show(row[column])))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

/** Numbers with three significant digits. */
export function show(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function machine(): Machine {
  return {
    atUtc: new Date().toISOString(),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
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
