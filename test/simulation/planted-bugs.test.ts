import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Sources } from '../../scripts/mutants.mjs';
import { bugs } from '../../scripts/planted-bugs.mjs';

const core = new Sources(join(import.meta.dirname, '../../src/core'));

describe('the bugs that are planted to see whether the simulator finds them', () => {
  it.each(bugs)('can still be planted: $name', ({ edits }) => {
    const changed = core.edited(edits);
    expect(changed.size).toBeGreaterThan(0);
    for (const [file, source] of changed) expect(source).not.toBe(core.textOf(file));
  });
});
