import { defineConfig } from 'vitest/config';

/** The tests of `src/core` alone, for `npm run mutate`: each mutant is met by those that reach it. */
export default defineConfig({
  test: {
    setupFiles: ['test/support/setup.ts'],
    include: ['test/core/**/*.test.ts', 'test/properties/**/*.test.ts'],
    testTimeout: 60_000,
    restoreMocks: true,
    env: { TEST_PROPERTY_RUNS: '20' },
  },
});
