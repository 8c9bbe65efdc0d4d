import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

/** The walks, and how many files each may send its reader to. A folder of alike files counts once. */
const walks = { 'A connection': 9, 'A full quota': 12, "An operator's release": 6 };

/** A step of a walk: its file or folder, and the functions that the step names. */
interface Step {
  readonly path: string;
  readonly functions: readonly string[];
}

describe('ARCHITECTURE.md', () => {
  it.each([...new Set(pathsIn(page))])('names %s, which exists', (path) => {
    expect(placesOf(path).some((place) => existsSync(join(root, place)))).toBe(true);
  });

  describe.each(Object.entries(walks))('%s', (title, most) => {
    const steps = stepsOf(title);

    it(`leads through at most ${String(most)} files, and through none twice`, () => {
      const paths = steps.map(({ path }) => path);
      expect(steps.length).toBeGreaterThan(2);
      expect(paths.length).toBeLessThanOrEqual(most);
      expect(new Set(paths).size).toBe(paths.length);
      // A step that sends its reader to a second file would not be counted.
      expect(pathsIn(section(title)).sort()).toEqual(paths.sort());
    });

    it.each(steps)('finds the functions of $path there', ({ path, functions }) => {
      const source = path.endsWith('/') ? '' : readFileSync(join(root, 'src', path), 'utf8');
      expect(functions.filter((name) => !declares(source, name))).toEqual([]);
    });
  });
});

function section(title: string): string {
  const text = page.split(`\n## ${title}\n`)[1];
  if (text === undefined) throw new Error(`ARCHITECTURE.md has no section "${title}"`);
  return text.split('\n## ')[0] ?? '';
}

function stepsOf(title: string): Step[] {
  return section(title)
    .split(/^\d+\. /m)
    .slice(1)
    .map((step) => ({
      path: pathsIn(step)[0] ?? '',
      functions: [...step.matchAll(/`(#?\w+)\(\)`/g)].map(([, name = '']) => name),
    }));
}

/** What is written as code and is a file, or a folder. */
function pathsIn(text: string): string[] {
  return [...text.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map(([, path = '']) => path);
}

function placesOf(path: string): string[] {
  return [join('src', path), join('src/cli', path), path];
}

/** Whether the source has a function, a method, or a field with an arrow function of this name, or calls one. */
function declares(source: string, name: string): boolean {
  return new RegExp(String.raw`(?<![\w#])${name}(?:<[^>]*>)?(?:\(| = )`).test(source);
}
