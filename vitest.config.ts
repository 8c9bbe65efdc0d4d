import { defineConfig } from 'vitest/config';

/** Real sockets, processes, browsers and network namespaces: one file at a time, with patience. */
const realSuites = ['test/contract/**', 'test/e2e/**', 'test/network/**'];

/** Those of them that judge no timing, and do not build: two at a time. */
const patientSuites = [
  'admin-cli',
  'completion',
  'dashboard*',
  'demo',
  'http-reference',
  'promtool',
  'prometheus',
  'simulate',
  'start-up',
].map((name) => `test/e2e/${name}.test.ts`);

const everySuite = 'test/**/*.test.ts';

const realPatience = { testTimeout: 60_000, hookTimeout: 60_000 };

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
          maxWorkers: 2,
          testTimeout: 15_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: realSuites.map((folder) => `${folder}/*.test.ts`),
          exclude: patientSuites,
          fileParallelism: false,
          ...realPatience,
          sequence: { groupOrder: 2 }, // after the others, so that the machine is theirs alone
        },
      },
      {
        extends: true,
        test: {
          name: 'patient',
          include: patientSuites,
          maxWorkers: 2,
          ...realPatience,
          sequence: { groupOrder: 1 },
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
