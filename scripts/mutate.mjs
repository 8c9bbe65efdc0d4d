/**
 * `npm run mutate`: mutation testing of `src/core`, by hand, in an hour or so.
 *
 * Each part of the core is met by its own tests first, which are few and quick; what survives those is met by all. What
 * survives both is printed, and written to reports/mutation.json. Arguments are parts: `npm run mutate -- kpis liveness`;
 * `.` is the flat files, `managers/limits.ts` one file.
 */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';

/** @typedef {Awaited<ReturnType<Stryker['runMutationTest']>>[number]} MutantResult */

/** All tests of the core. */
const everyTest = 'test/{core,properties}/**/*.test.ts';
const root = join(import.meta.dirname, '..');
const core = join(root, 'src/core');
const folders = readdirSync(core, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const parts = process.argv.length > 2 ? process.argv.slice(2) : [...folders, '.'];

/** @type {MutantResult[]} */
const own = [];
for (const part of parts) own.push(...(await mutate([filesOf(part)], testsOf(part))));
const survivors = own.filter(isUndetected);
const second = survivors.length === 0 ? [] : await mutate(survivors.map(placeOf), everyTest);
const metByAll = new Map(second.map((mutant) => [idOf(mutant), mutant]));
report(own.map((mutant) => metByAll.get(idOf(mutant)) ?? mutant));

/** @param {string} part */
function filesOf(part) {
  if (part.endsWith('.ts')) return `src/core/${part}`;
  return part === '.' ? 'src/core/*.ts' : `src/core/${part}/**/*.ts`;
}

/** The tests of the same name; for a file without one, those of its folder. @param {string} part @returns {string} */
function testsOf(part) {
  if (part === '.') return 'test/core/*.test.ts';
  if (!part.endsWith('.ts')) return `test/core/${part}/**/*.test.ts`;
  const own = `test/core/${part.replace(/\.ts$/, '.test.ts')}`;
  return existsSync(join(root, own)) ? own : testsOf(dirname(part));
}

/**
 * @param {string[]} patterns files, or places in them
 * @param {string} tests
 */
function mutate(patterns, tests) {
  process.env['MUTATION_TESTS'] = tests;
  return new Stryker({ mutate: patterns }).runMutationTest();
}

/** @param {MutantResult} mutant */
function isUndetected({ status }) {
  return status === 'Survived' || status === 'NoCoverage';
}

/** As Stryker takes a place: lines are counted from one, columns from nought. @param {MutantResult} mutant */
function placeOf({ fileName, location: { start, end } }) {
  return `${relative(root, fileName)}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
}

/** @param {MutantResult} mutant */
function idOf({ fileName, location: { start, end }, mutatorName, replacement }) {
  return [fileName, start.line, start.column, end.line, end.column, mutatorName, replacement].join('|');
}

/** @param {MutantResult[]} results */
function report(results) {
  const undetected = results.filter(isUndetected);
  const judged = results.filter(({ status }) => ['Killed', 'Timeout', 'Survived', 'NoCoverage'].includes(status));
  for (const mutant of undetected) {
    const { fileName, location, mutatorName, replacement, status } = mutant;
    console.log(`${status} ${relative(root, fileName)}:${location.start.line} ${mutatorName}: ${oneLine(replacement)}`);
  }
  mkdirSync(join(root, 'reports'), { recursive: true });
  writeFileSync(join(root, 'reports/mutation.json'), JSON.stringify(results, null, 2));
  const score = (100 * (judged.length - undetected.length)) / Math.max(1, judged.length);
  console.log(`\n${judged.length} mutants, ${undetected.length} survived: score ${score.toFixed(1)} %`);
}

/** @param {string} code */
function oneLine(code) {
  return code.replace(/\s+/g, ' ').slice(0, 100);
}
