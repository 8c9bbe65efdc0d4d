import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  codeBlocksOf,
  declaredModules,
  faultsOf,
  isCompiled,
  modulesOf,
  type BlockModule,
} from '../support/code-blocks.js';
import { FreshProject, installsByName, installsOf, repository } from '../support/fresh-project.js';

const guides = readdirSync(join(repository, 'docs/guides')).map((name) => `docs/guides/${name}`);
const pages = ['README.md', ...guides].filter((page) => page.endsWith('.md'));
const blocks = pages.map((page) => codeBlocksOf(page));

/** Languages of blocks that are no JavaScript or TypeScript. */
const others = [
  'console',
  'css',
  'diff',
  'dockerfile',
  'html',
  'ini',
  'js ecosystem', // test/unit/docs/stacks.test.ts looks where it comes from
  'json',
  'jsonc',
  'nginx',
  'promql',
  'python',
  'sh',
  'sql',
  'text',
  'yaml',
];

const namesFile = join(repository, 'test/support/readers-names.d.ts');
const readersNames = declaredModules(namesFile);

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  strict: true,
  skipLibCheck: false,
  noEmit: true,
};

const forNames = [...installsByName().values()].flat();
const project = new FreshProject();

const modules = blocks.flatMap((all) => {
  const page = all[0]?.page ?? '';
  const names = new Map([...readersNames].filter(([module]) => module === page || module === 'every page'));
  return modulesOf(all.filter(isCompiled), names);
});
const write = ({ file, text }: Pick<BlockModule, 'file' | 'text'>): void => {
  project.write(file, text);
};

beforeAll(async () => {
  await project.install(...new Set([...pages.flatMap(installsOf), ...forNames]));
  modules.forEach(write);
  write({ file: 'readers-names.d.ts', text: readFileSync(namesFile, 'utf8') });
}, 240_000);

afterAll(() => {
  project.remove();
});

describe('the code of README and guides', () => {
  it('is found, and every block says its language', () => {
    expect(modules.length).toBeGreaterThan(15);
    const unknown = blocks.flat().filter((block) => !isCompiled(block) && !others.includes(block.language));
    expect(unknown.map(({ page, line, language }) => `${page}:${String(line)}: ${language}`)).toEqual([]);
  });

  it('compiles in strict TypeScript, in a project with what the pages say to install', () => {
    const names = join(project.folder, 'readers-names.d.ts');
    expect(faultsOf(modules, { folder: project.folder, options }, [names])).toEqual([]);
  }, 120_000);

  it.each(pages)('needs only what the README and %s say to install', (page) => {
    const said = new Set([...['README.md', page].flatMap(installsOf), ...forNames]);
    const imported = modules.filter(({ block }) => block.page === page).flatMap(({ block }) => packagesOf(block.text));
    expect(imported.filter((name) => !said.has(name))).toEqual([]);
  });

  it('is told of what does not compile, with its place', () => {
    const block = { page: 'README.md', line: 7, language: 'ts', text: 'const a: number = 1;\nconst b = a.length;\n' };
    const [first, second] = modulesOf([block, { ...block, line: 17, text: 'b.c();\nd();\n' }], new Map());
    const wrong = [first!, second!].map((module, index) => ({ ...module, file: `wrong-${String(index)}.ts` }));
    wrong[1] = { ...wrong[1]!, text: wrong[1]!.text.replace('./README-md-1.js', './wrong-0.js') };
    wrong.forEach(write);
    expect(faultsOf(wrong, { folder: project.folder, options })).toEqual([
      "README.md:9: Property 'length' does not exist on type 'number'.",
      "README.md:19: Cannot find name 'd'.",
    ]);
  }, 60_000);
});

/** The packages that a block imports, without Node's own. */
function packagesOf(text: string): string[] {
  const specifiers = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  const names = specifiers
    .filter((name) => !/^(node:|\.)/.test(name))
    .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0]);
  return names.filter((name) => name !== undefined);
}
