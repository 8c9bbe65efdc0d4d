import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'examples');
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
  .map(({ name }) => name);
const packageOf = (path: string): Package => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Package;
const { dependencies, peerDependencies, devDependencies } = packageOf(root);
const tested: Readonly<Record<string, string>> = { ...dependencies, ...peerDependencies, ...devDependencies };

/** All files below, but not what was installed or built there: an installed example has the whole clone below it. */
function filesBelow(path: string): string[] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [join(path, entry.name)];
    return ['node_modules', 'dist'].includes(entry.name) ? [] : filesBelow(join(path, entry.name));
  });
}

/** The packages that its server and its page import, of any file of theirs. */
function importsOf(name: string): string[] {
  const text = filesBelow(name)
    .map((path) => relative(name, path))
    .filter((path) => /^(server\.js|(src|page)\/.*\.tsx?)$/.test(path))
    .map((path) => readFileSync(join(folder, name, path), 'utf8'))
    .join('\n')
    .replace(/^import type .*$/gm, '');
  const imported = [...text.matchAll(/(?: from|^import) '([^'./][^']*)'/gm)].flatMap(([, specifier = '']) =>
    specifier.startsWith('node:') ? [] : [/^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? ''],
  );
  return [...new Set(imported)];
}

it('there are examples', () => {
  expect(names.toSorted()).toEqual(['agent-run', 'express', 'fastify', 'nest', 'socket-io-react', 'ws-chat']);
});

/** A folder can be taken out of the clone, so it has copies of these; what is its own stands in page.css and app.js. */
it.each([/\/style\.css$/, /\/status\.js$/])('all copies of %s are the same', (fits) => {
  const copies = filesBelow('').filter((path) => fits.test(path));
  expect(copies.length).toBeGreaterThan(3);
  expect(new Set(copies.map((path) => readFileSync(join(folder, path), 'utf8'))).size).toBe(1);
});

describe.each(names)('the example %s', (name) => {
  const { dependencies: needed, devDependencies: toBuild } = packageOf(join(folder, name));
  const listed = { ...needed, ...toBuild };

  it('lists the packages that it imports', () => {
    expect(importsOf(name)).toContain('mooring');
    expect(Object.keys(listed)).toEqual(expect.arrayContaining(importsOf(name)));
  });

  it('lists them in the versions that it is tested with', () => {
    const { mooring, ...others } = listed;
    expect(mooring).toBe('file:../..');
    for (const [each, range] of Object.entries(others)) expect([each, range]).toEqual([each, tested[each]]);
  });

  it('has a page of text', () => {
    expect(readFileSync(join(folder, name, 'README.md'), 'utf8').split('\n').length).toBeLessThan(60);
  });
});
