/**
 * `npm run mutate`: mutation testing of `src/core`, by hand, in an hour or two.
 *
 * Each part of the core is met by its own tests first, which are few and quick; what survives those is met by all. What
 * survives both is printed, and all results are in reports/mutation, a file for each part. Arguments are parts:
 * `npm run mutate -- kpis liveness`; `.` is the flat files, `managers/limits.ts` one file.
 *
 * `--resume` goes on with a run that was ended: parts that have a file are not run again. `--share 2/4` takes the second of
 * four shares, into which functions and members of classes are dealt out at random; the four together are the whole.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

/** @typedef {Awaited<ReturnType<Stryker['runMutationTest']>>[number]} MutantResult */

/** All tests of the core. */
const everyTest = 'test/{core,properties}/**/*.test.ts';
const root = join(import.meta.dirname, '..');
const core = join(root, 'src/core');
const folders = readdirSync(core, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { resume: { type: 'boolean', default: false }, share: { type: 'string', default: '1/1' } },
});
const [share = 0, shares = 0] = /^\d+\/\d+$/.test(values.share) ? values.share.split('/').map(Number) : [];
if (share < 1 || share > shares) throw new Error(`--share: got ${values.share}, wanted one of so many, such as 2/4`);
const parts = positionals.length > 0 ? positionals : [...folders, '.'];

/** @type {MutantResult[]} */
const results = [];
for (const part of parts)
  results.push(...((values.resume ? saved(part) : undefined) ?? save(part, await resultsOf(part))));
report(results);

/** @param {string} part */
async function resultsOf(part) {
  const own = await mutate([filesOf(part)], testsOf(part));
  const survivors = own.filter(isUndetected);
  const second = survivors.length === 0 ? [] : await mutate(survivors.map(placeOf), everyTest);
  const metByAll = new Map(second.map((mutant) => [idOf(mutant), mutant]));
  return own.map((mutant) => metByAll.get(idOf(mutant)) ?? mutant);
}

/** @param {string} part @returns {MutantResult[] | undefined} */
function saved(part) {
  const file = fileOf(part);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** @param {string} part @param {MutantResult[]} results */
function save(part, results) {
  const file = fileOf(part);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(results, null, 2));
  return results;
}

/** @param {string} part */
function fileOf(part) {
  const folder = shares === 1 ? '' : `${share}-of-${shares}`;
  return join(root, 'reports/mutation', folder, `${part === '.' ? 'flat-files' : part.replaceAll('/', '-')}.json`);
}

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
  process.env['MUTATION_SHARE'] = values.share;
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
  const score = (100 * (judged.length - undetected.length)) / Math.max(1, judged.length);
  console.log(`\n${judged.length} mutants, ${undetected.length} survived: score ${score.toFixed(1)} %`);
}

/** @param {string} code */
function oneLine(code) {
  return code.replace(/\s+/g, ' ').slice(0, 100);
}
