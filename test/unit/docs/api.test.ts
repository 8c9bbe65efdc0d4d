import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apiPages, subpaths } from '../../../scripts/reference/api.mjs';
import { strategies } from '../../../src/core/vocabulary.js';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'docs/reference/api');

describe('the reference of the API', () => {
  it('says what the types say, all of which can be imported (npm run docs writes it)', async () => {
    const pages = await apiPages(strategies);
    const written = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
    expect(written.sort()).toEqual(Object.keys(pages).sort());
    for (const [name, text] of Object.entries(pages)) expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  it('has every import of the package', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
    expect(Object.keys(subpaths)).toEqual(Object.keys(exports).filter((name) => name !== './package.json'));
  });
});
