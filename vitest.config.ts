import { defineConfig } from 'vitest/config';

/** Real sockets, processes, browsers and network namespaces: one file at a time, with patience. */
const realSuites = ['test/contract/**', 'test/e2e/**', 'test/network/**'];

const everySuite = 'test/**/*.test.ts';

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
        test: {
          name: 'fast', // whatever is not in `real`, so that no test file belongs to neither
          include: [everySuite],
          exclude: realSuites,
          testTimeout: 15_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: realSuites.map((folder) => `${folder}/*.test.ts`),
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 }, // after `fast`, so that the machine is theirs alone
        },
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
