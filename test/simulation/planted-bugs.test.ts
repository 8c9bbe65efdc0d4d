import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bugs, edited } from '../../scripts/planted-bugs.mjs';

const core = join(import.meta.dirname, '../../src/core');

describe('the bugs that are planted to see whether the simulator finds them', () => {
  it.each(bugs)('can still be planted: $name', ({ edits }) => {
    for (const [file, changes] of Object.entries(edits)) {
      const source = readFileSync(join(core, file), 'utf8');
      expect(edited(source, changes)).not.toBe(source);
    }
  });
});
