import { defineConfig } from 'vitest/config';
import { listedFiles, projectOf, testFiles } from './scripts/test-suites.mjs';

/** What a test that hangs costs; nothing is judged by it. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

/** Fast and quick tests run together. Some of the quick ones mostly wait for sockets, so two cores have time for a third. */
const quickWorkers = 3;

const inProject = (name: string): string[] => testFiles().filter((file) => projectOf(file) === name);

export default defineConfig({
  test: {
    setupFiles: ['test/support/setup.ts'],
    pool: 'forks',
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        // Files share a process: loading the sources anew for each took twice as long as the tests.
        test: { name: 'fast', include: inProject('fast'), maxWorkers: quickWorkers, isolate: false, ...timeouts },
      },
      {
        extends: true,
        test: {
          name: 'quick',
          include: inProject('quick'),
          maxWorkers: quickWorkers,
          ...timeouts,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: listedFiles.slow,
          maxWorkers: 4,
          ...timeouts,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'timed',
          include: listedFiles.timed,
          maxWorkers: 2,
          ...timeouts,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: { name: 'proof', include: listedFiles.proof, maxWorkers: 2, ...timeouts, sequence: { groupOrder: 4 } },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/core/**/*.ts'],
      reporter: ['text', 'html'],
      thresholds: { lines: 98, statements: 98, functions: 98, branches: 95 },
    },
  },
});
