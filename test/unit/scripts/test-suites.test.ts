import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allProjects, listedFiles, projectOf, testFiles } from '../../../scripts/test-suites.mjs';
import { tools } from '../../../scripts/test-tools.mjs';

const root = join(import.meta.dirname, '../../..');
const files = testFiles();
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the lists of test files', () => {
  it('name files that exist, once', () => {
    const listed = Object.values(listedFiles).flat();
    expect(new Set(listed).size).toBe(listed.length);
    expect(files).toEqual(expect.arrayContaining(listed));
  });

  it('leave no file out', () => {
    expect(allProjects).toEqual(expect.arrayContaining(files.map(projectOf)));
    expect(projectOf('test/unit/scripts/test-suites.test.ts')).toBe('fast');
    expect(projectOf('test/e2e/pipes.test.ts')).toBe('quick');
  });
});

describe('a tool that tests need', () => {
  it.each(tools)('lists the files that skip tests without it: $name', ({ variable, flag, files: listed }) => {
    const skipping = files.filter((file) => {
      const text = textOf(file);
      return file !== 'test/unit/scripts/test-suites.test.ts' && (text.includes(variable) || text.includes(flag));
    });
    expect(listed.toSorted()).toEqual(skipping);
  });
});
