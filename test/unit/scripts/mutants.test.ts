import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Sources, type Edit } from '../../../scripts/mutants.mjs';
import { afterThisTest } from '../../support/setup.js';

/** The changed text of a folder that has one file. */
function edited(source: string, ...edits: Edit[]): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-mutants-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'one.ts'), source);
  return new Sources(folder).edited(edits).get('one.ts');
}

const counter = `
  class Counter {
    #count = 0;
    constructor(readonly limits: { most: number }) { start(limits.most); }
    // adds one
    readonly #add = (amount: number): void => {
      if (amount  <
        0 /* never */) return;
      this.#count += amount;
    };
    get isEmpty() { return this.#count === 0; }
  }
  function twice(value: number) { return value + value; }`;

describe('an edit by syntax', () => {
  it('finds its place whatever the white space and comments', () => {
    const edit = { in: 'Counter.#add', find: 'if (amount < 0) return;', replace: 'go();' };
    expect(edited(counter, edit)).toContain('=> {\n      go();\n      this.#count += amount;');
  });

  it('keeps what its placeholders stand for, whatever that is called', () => {
    const edit = { in: 'Counter.#add', find: 'this.#count += $by;', replace: 'this.#count -= 2 * $by;' };
    expect(edited(counter, edit)).toContain('this.#count -= 2 * amount;');
  });

  it('finds consecutive statements', () => {
    const find = 'if ($amount < 0) return; this.#count += $amount;';
    expect(edited(counter, { in: 'Counter.#add', find, replace: '' })).toMatch(/void => \{\s*\};/);
  });

  it.each([
    ['Counter.isEmpty', '$a === 0', 'isEmpty() { return !; }'],
    ['Counter.constructor', '$limits.most', '{ start(!); }'],
    ['twice', '$value + $value', '{ return !; }'],
  ])('finds %s', (name, find, expected) => {
    expect(edited(counter, { in: name, find, replace: '!' })).toContain(expected);
  });

  it('takes one placeholder for one expression', () => {
    const source = 'function sum(a: number, b: number) { return a + b; }';
    expect(() => edited(source, { in: 'sum', find: '$a + $a', replace: '' })).toThrow('found 0');
  });

  it('may stand beside others, each of which sees the source as it was', () => {
    const first = { in: 'Counter.#add', find: 'this.#count += $by;', replace: 'if ($by < 0) return;' };
    const second = { in: 'Counter.#add', find: 'if ($by < 0) return;', replace: 'this.#count += $by;' };
    expect(edited(counter, first, second)).toMatch(/this\.#count \+= amount;\s*if \(amount < 0\) return;/);
  });

  it('throws if its place is not there, or is there twice', () => {
    expect(() => edited(counter, { in: 'Counter.#drop', find: '$a', replace: '' })).toThrow(
      'Wanted one declaration of Counter.#drop, found 0.',
    );
    expect(() => edited(counter, { in: 'Counter.#add', find: 'amount > 0', replace: '' })).toThrow('found 0');
    expect(() => edited(counter, { in: 'Counter.#add', find: 'amount', replace: '' })).toThrow('found 3');
  });
});
