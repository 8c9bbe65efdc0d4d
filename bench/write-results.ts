import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saved, tablesOf, type SavedReport } from './support/report.js';

const page = join(process.cwd(), 'docs/benchmarks.md');
const from = '<!-- results: written by `npm run bench -- --write` -->';
const to = '<!-- end of results -->';

/** Puts what was measured last into the page, between its two comments; parts that were not measured here stay. */
export function writeResults(parts: readonly string[]): void {
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split(from);
  const [results, after] = rest?.split(to) ?? [];
  if (before === undefined || results === undefined || after === undefined)
    throw new Error(`${page} lacks the comments results go between`);
  const measured = parts.filter((part) => saved(part) !== null);
  const sections = parts.map((part) => {
    const report = saved(part);
    return `${markOf(part)}\n\n${report === null ? formerOf(part, results) : sectionOf(report)}`;
  });
  writeFileSync(page, `${before}${from}\n\n${sections.join('\n\n')}\n\n${to}${after}`);
  console.error(`${page}: new results of ${measured.join(', ') || 'nothing'}; the others are as they were`);
}

const markOf = (part: string): string => `<!-- part: ${part} -->`;

/** What the page says of a part, up to the next. */
function formerOf(part: string, results: string): string {
  const said = results.split(markOf(part))[1]?.split('<!-- part: ')[0]?.trim();
  return said === undefined || said === '' ? 'Nothing has been measured yet.' : said;
}

function sectionOf(report: SavedReport): string {
  const { atUtc, command, node, cpu, cores, memoryGiB, commit } = report.machine;
  const version = commit === null ? '' : `, commit ${commit}`;
  const when = `\`${command}\` on ${atUtc.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}${version}.`;
  return `### ${report.title}\n\n${when}\n\n${tablesOf(report)}`;
}
