import { existsSync, readFileSync } from 'node:fs';

/**
 * The parts we read of what vitest's JSON reporter writes.
 *
 * @typedef {{ fullName: string, status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled' }} Test
 * @typedef {{ name: string, status: 'passed' | 'failed', assertionResults: Test[] }} File
 * @typedef {{ testResults: File[] }} Report
 */

const longestList = 30;

/**
 * Names the tests that were skipped, then gives the last line of a run. A run that failed never ends with "0 failed":
 * a file that could not be read, or an error outside of any test, counts as one failure.
 *
 * @param {string} reportFile
 * @param {number} exitCode
 * @returns {{ line: string, passed: number }} `N passed, N failed`, with `, N skipped` if there are any
 */
export function summarise(reportFile, exitCode) {
  const files = existsSync(reportFile) ? readReport(reportFile).testResults : [];
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length + files.filter(isBroken).length;
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  listSkipped(skipped);
  const line = `${passed} passed, ${exitCode === 0 ? failed : Math.max(failed, 1)} failed`;
  return { line: skipped.length === 0 ? line : `${line}, ${skipped.length} skipped`, passed };
}

/** @param {string} file @returns {Report} */
function readReport(file) {
  return /** @type {Report} */ (JSON.parse(readFileSync(file, 'utf8')));
}

/** A file that failed although none of its tests did. @param {File} file */
function isBroken(file) {
  return file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed');
}

/** @param {Test[]} tests */
function listSkipped(tests) {
  if (tests.length === 0) return;
  console.log('\nSkipped:');
  for (const test of tests.slice(0, longestList)) console.log(`  ${test.fullName}`);
  if (tests.length > longestList) console.log(`  … and ${tests.length - longestList} more`);
}
