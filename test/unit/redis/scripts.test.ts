import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScripts, scriptNames, scripts } from '../../../src/redis/scripts.js';

const folder = join(import.meta.dirname, '../../../src/redis/lua');
const sources = readScripts();

describe('the scripts', () => {
  it('are the files of their folder, but for those that they begin with and take in', () => {
    const files = readdirSync(folder).filter((file) => !['prelude.lua', 'slots.lua'].includes(file));
    expect(files.toSorted()).toEqual(scriptNames.map((name) => `${name}.lua`).toSorted());
    expect(Object.isFrozen(scripts)).toBe(true);
  });

  it.each(scriptNames)('%s is the prelude and its body, and Redis finds it by its SHA-1', (name) => {
    const { text, sha1 } = sources[name];
    expect(text).toMatch(/^-- The beginning of every script/);
    expect(text).toContain(`\n-- ${name}: `);
    expect(sha1).toBe(createHash('sha1').update(text).digest('hex'));
  });

  it.each(scriptNames)('%s says its keys, arguments, reply, and what it never does', (name) => {
    const body = sources[name].text.slice(sources[name].text.indexOf(`\n-- ${name}: `));
    for (const heading of ['-- KEYS', '-- ARGV', '-- Reply', '-- Never:']) expect(body).toContain(`\n${heading}`);
    expect(body.split('\n-- KEYS')[1]).toMatch(
      scripts[name].fixedKeys === 3 ? /^ {2}m, e, log/ : /^ {2}m, e, log, hash/,
    );
  });

  it.each(scriptNames)('%s is a script without a shebang, which every Redis of a rolling upgrade runs', (name) => {
    expect(sources[name].text).not.toMatch(/^#!|redis\.register_function/m);
  });
});
