import { defineConfig } from 'vitest/config';

/** Tests of `src/core`, for `npm run mutate`, which says which; each mutant is met by those that reach it. */
export default defineConfig({
  test: {
    setupFiles: ['test/support/setup.ts'],
    include: [process.env['MUTATION_TESTS'] ?? 'test/{core,properties}/**/*.test.ts'],
    testTimeout: 60_000,
    restoreMocks: true,
    isolate: false, // importing anew for every mutant takes longer than testing it
    env: { TEST_PROPERTY_RUNS: '20', TEST_MUTATING: '1' },
  },
});
