/**
 * A lint rule: no file of `src/` may reach itself by imports, imports of types included. `import-x/no-cycle` skips those,
 * yet two files that need each other's types are one file in two places.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const sources = join(import.meta.dirname, '../src');

/** @typedef {Map<string, readonly string[]>} Graph files, and the files of `src/` that each imports */

/** @returns {Graph} */
function readGraph() {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  return new Map(
    files.map((name) => {
      const file = join(sources, name);
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
      return [file, importedFiles.map(({ fileName }) => targetOf(file, fileName))];
    }),
  );
}

/** @param {string} file @param {string} specifier */
function targetOf(file, specifier) {
  return resolve(file, '..', specifier.replace(/\.js$/, '.ts'));
}

/**
 * The files on the shortest way by imports from one file to another, both included; `null` if there is none.
 * @param {Graph} graph
 * @param {string} from
 * @param {string} to
 * @returns {string[] | null}
 */
export function wayBetween(graph, from, to) {
  /** @type {Map<string, string | null>} each file that was reached, and the file it was reached from */
  const reachedFrom = new Map([[from, null]]);
  for (const [file] of reachedFrom) {
    if (file === to) return wayTo(reachedFrom, to);
    for (const next of graph.get(file) ?? []) if (!reachedFrom.has(next)) reachedFrom.set(next, file);
  }
  return null;
}

/** @param {Map<string, string | null>} reachedFrom @param {string} to @returns {string[]} */
function wayTo(reachedFrom, to) {
  const before = reachedFrom.get(to) ?? null;
  return before === null ? [to] : [...wayTo(reachedFrom, before), to];
}

/** @type {Graph | undefined} */
let graph;

/** @type {import('eslint').Rule.RuleModule} */
export const noImportCircles = {
  meta: { type: 'problem', messages: { circle: 'A circle of imports: {{way}}.' }, schema: [] },
  create(context) {
    graph ??= readGraph();
    const imports = graph;
    /** @param {{ source?: { type: string, value?: unknown } | null | undefined }} node */
    const check = ({ source }) => {
      if (source?.type !== 'Literal' || typeof source.value !== 'string' || !source.value.startsWith('.')) return;
      const way = wayBetween(imports, targetOf(context.filename, source.value), context.filename);
      if (way === null) return;
      const names = way.map((file) => file.slice(sources.length + 1)).join(' → ');
      context.report({ node: source, messageId: 'circle', data: { way: names } });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check };
  },
};
