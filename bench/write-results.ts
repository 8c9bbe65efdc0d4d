import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saved, tablesOf, type SavedReport } from './support/report.js';

const page = join(process.cwd(), 'docs/reference/benchmarks.md');

const header = `# Benchmark results

<!-- Written by \`npm run bench -- --write\`; change \`bench/write-results.ts\`, not this page. -->

What \`npm run bench\` measured last, each part on the day and machine it names.
[Benchmarks](../benchmarks.md) explains what is measured, and how to run it.`;

/** Writes the page of results from the latest measurements. Parts that were not measured here stay as they are. */
export function writeResults(parts: readonly string[]): void {
  const former = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const sections = parts.map((part) => {
    const report = saved(part);
    return `${markOf(part)}\n\n${report === null ? formerOf(part, former) : sectionOf(report)}`;
  });
  writeFileSync(page, `${[header, ...sections].join('\n\n')}\n`);
  const measured = parts.filter((part) => saved(part) !== null);
  console.error(`${page}: new results of ${measured.join(', ') || 'nothing'}; the others are as they were`);
}

const markOf = (part: string): string => `<!-- part: ${part} -->`;

/** The page's text about a part, up to the next part. */
function formerOf(part: string, former: string): string {
  const said = former.split(markOf(part))[1]?.split('<!-- part: ')[0]?.trim();
  return said === undefined || said === '' ? 'Nothing has been measured yet.' : said;
}

function sectionOf(report: SavedReport): string {
  const { atUtc, command, node, cpu, cores, memoryGiB, commit } = report.machine;
  const version = commit === null ? '' : `, commit ${commit}`;
  const when = `\`${command}\` on ${atUtc.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}${version}.`;
  return `## ${report.title}\n\n${when}\n\n${tablesOf(report)}`;
}
