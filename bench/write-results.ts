import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saved, tablesOf, type SavedReport } from './support/report.js';

const page = join(process.cwd(), 'docs/benchmarks.md');
const from = '<!-- results: written by `npm run bench -- --write` -->';
const to = '<!-- end of results -->';

/** Puts what was measured last into the page, between its two comments. */
export function writeResults(parts: readonly string[]): void {
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split(from);
  const after = rest?.split(to)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} lacks the comments results go between`);
  const reports = parts.map(saved).filter((report) => report !== null);
  const results = reports.length === 0 ? 'Nothing has been measured yet.' : reports.map(sectionOf).join('\n\n');
  writeFileSync(page, `${before}${from}\n\n${results}\n\n${to}${after}`);
  console.error(`${page}: results of ${reports.length} parts`);
}

function sectionOf(report: SavedReport): string {
  const { atUtc, command, node, cpu, cores, memoryGiB, commit } = report.machine;
  const version = commit === null ? '' : `, commit ${commit}`;
  const when = `\`${command}\` on ${atUtc.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}${version}.`;
  return `### ${report.title}\n\n${when}\n\n${tablesOf(report)}`;
}
