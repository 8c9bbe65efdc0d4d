import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const page = join(import.meta.dirname, '../../docs/guides/stacks.md');
const [begin, end] = ['<!-- facts -->', '<!-- /facts -->'];

/** Fact → its column. */
const columns = Object.freeze({
  managed: 'managed',
  limit: 'limit',
  takeover: 'takeover',
  refusal: 'refusal',
  frozen: 'frozen',
  close: 'close',
  clean: 'nothing left',
});

/** The facts, in the order in which they are looked at. */
export const factNames = /** @type {import('./types.js').FactName[]} */ (Object.keys(columns));

/** @param {readonly import('./types.js').Run[]} runs @returns {string} Markdown */
export function tableOf(runs) {
  /** @type {string[]} */
  const notes = [];
  const rows = runs.map((run) => {
    const cells = factNames.map((fact) => cellOf(run, fact, notes));
    return `| ${[run.title, run.versions.join(', '), ...cells].join(' | ')} |`;
  });
  const head = ['stack', 'tried with', ...Object.values(columns)];
  const lines = [`| ${head.join(' | ')} |`, `|${'---|'.repeat(2)}${':-:|'.repeat(head.length - 2)}`, ...rows];
  const footnotes = notes.map((note, i) => `${i + 1}. ${note}`);
  return `${[...lines, ...(notes.length > 0 ? ['', ...footnotes] : [])].join('\n')}\n`;
}

/** @param {import('./types.js').Run} run @param {import('./types.js').FactName} fact @param {string[]} notes */
function cellOf({ skips, faults }, fact, notes) {
  const why = skips[fact];
  if (faults.get(fact) === null && why === undefined) return '✓';
  if (why === undefined || (faults.get(fact) ?? null) !== null) return '✗';
  if (!notes.includes(why)) notes.push(why);
  return `– <sup>${notes.indexOf(why) + 1}</sup>`;
}

/** Puts the table into the guide. @param {string} table */
export function writeTable(table) {
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`${page} has no ${begin} and ${end}`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${table}\n${text.slice(to)}`);
}
