import { RuleTester } from 'eslint';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import tseslint from 'typescript-eslint';
import { noImportCircles, wayBetween } from '../../scripts/no-import-circles.mjs';

const core = join(import.meta.dirname, '../../src/core');

describe('a circle of imports', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['e']],
    ['d', ['e', 'b']],
    ['e', ['zod']],
  ]);

  it('is found by the shortest way', () => {
    expect(wayBetween(graph, 'd', 'b')).toEqual(['d', 'b']);
    expect(wayBetween(graph, 'a', 'e')).toEqual(['a', 'c', 'e']);
    expect(wayBetween(graph, 'b', 'b')).toEqual(['b']);
  });

  it('is none if the way does not come back', () => {
    expect(wayBetween(graph, 'e', 'a')).toBeNull();
    expect(wayBetween(graph, 'unknown', 'a')).toBeNull();
  });

  it('is reported by lint, also if types alone are imported', () => {
    RuleTester.it = (_: string, run: () => void) => run();
    RuleTester.describe = (_: string, run: () => void) => run();
    const tester = new RuleTester({ languageOptions: { parser: tseslint.parser } });
    const filename = join(core, 'vocabulary.ts');
    tester.run('no-import-circles', noImportCircles, {
      valid: [{ filename: join(core, 'events.ts'), code: "import type { OfKey } from './event-table.js';" }],
      invalid: [
        {
          filename,
          code: "import type { OfKey } from './event-table.js';",
          errors: [{ message: 'A circle of imports: core/event-table.ts → core/vocabulary.ts.' }],
        },
      ],
    });
  });
});
