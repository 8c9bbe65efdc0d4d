import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { reachableModules } from '../../scripts/reachable-modules.mjs';
import { afterThisTest } from '../support/setup.js';
import { manifestOf, packedFiles, repository, type PackageName } from '../support/fresh-project.js';

const library = manifestOf('mooring');
const command = manifestOf('mooring-cli');
const entries = Object.values(library.exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry]));
const inDist = (path: string): string => path.replace(/^(\.\/)?dist\//, '');

const dist = join(repository, 'dist');

/** What each package ships, relative to its folder. */
const files: Record<PackageName, string[]> = { mooring: [], 'mooring-cli': [] };

/** The files below its dist that fit, without the dashboard. */
function shipped(name: PackageName, fits: RegExp): string[] {
  const inside = files[name].filter((path) => path.startsWith('dist/') && !path.startsWith('dist/dashboard/'));
  return inside
    .map(inDist)
    .filter((path) => fits.test(path))
    .sort();
}

beforeAll(async () => {
  for (const name of ['mooring', 'mooring-cli'] as const) files[name] = await packedFiles(name);
});

describe.each([
  ['mooring', repository],
  ['mooring-cli', join(repository, 'packages/cli')],
] as const)('the package %s', (name, folder) => {
  it('has its licence and its page, and nothing of where it was made', () => {
    expect(files[name]).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    expect(files[name].filter((path) => /^(test|bench|scripts|src|node_modules|\.ci)\//.test(path))).toEqual([]);
    expect(files[name].filter((path) => readFileSync(join(folder, path), 'utf8').includes(repository))).toEqual([]);
  });

  it('has every file that its page links to', () => {
    const page = readFileSync(join(folder, 'README.md'), 'utf8');
    const links = [...page.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(([, md, html]) => md ?? html ?? '');
    const relative = links.filter((link) => !/^(https?:|#)/.test(link)).map((link) => link.replace(/#.*$/, ''));
    expect(relative.filter((link) => !files[name].includes(link))).toEqual([]);
  });

  it('has source maps only for modules it has, each with its source in it', () => {
    const maps = files[name].filter((path) => path.endsWith('.map'));
    for (const path of maps) {
      expect(files[name]).toContain(path.replace(/\.map$/, ''));
      const map = JSON.parse(readFileSync(join(folder, path), 'utf8')) as { sources: []; sourcesContent?: string[] };
      expect(map.sourcesContent?.filter((text) => text !== '')).toHaveLength(map.sources.length);
    }
    const mapped = files[name].filter(
      (path) => path.endsWith('.js') && /^\/\/# sourceMappingURL=/m.test(readFileSync(join(folder, path), 'utf8')),
    );
    expect(mapped.map((path) => `${path}.map`).sort()).toEqual(maps.sort());
  });
});

describe('the library', () => {
  it('has the modules and declarations that its entries need, and no others', () => {
    const { modules } = reachableModules(
      dist,
      entries.map((entry) => inDist(entry.default)),
    );
    const { modules: declarations } = reachableModules(
      dist,
      entries.map(({ types }) => inDist(types)),
    );
    expect(shipped('mooring', /\.js$/)).toEqual(modules);
    expect(shipped('mooring', /\.d\.ts$/)).toEqual(declarations);
    // One for each name, and what several of them share.
    expect(modules.length).toBeLessThan(2.5 * entries.length);
  });

  it('has nothing of the simulator, the demo and the commands', () => {
    const theirs = /\bsrc\/(simulation|demo|cli)\//;
    const maps = shipped('mooring', /\.map$/).map((path) => readFileSync(join(dist, path), 'utf8'));
    const sources = maps.flatMap((map) => (JSON.parse(map) as { sources: string[] }).sources);
    expect(sources).toContain('../../src/core/mooring.ts');
    expect(sources.filter((source) => theirs.test(source))).toEqual([]);
  });

  it('imports its dependencies and peers, and no others', () => {
    const { packages } = reachableModules(
      dist,
      entries.flatMap((entry) => [inDist(entry.default), inDist(entry.types)]),
    );
    const { '@types/ws': typesOfWs, ...dependencies } = library.dependencies ?? {};
    expect(typesOfWs).toBeDefined();
    expect(packages).toEqual(Object.keys({ ...dependencies, ...library.peerDependencies }).sort());
  });

  it('needs ws only, of its peers, and all of them to be tested with', () => {
    const optional = Object.entries(library.peerDependenciesMeta ?? {}).filter(([, meta]) => meta.optional);
    const needed = Object.keys(library.peerDependencies ?? {}).filter(
      (peer) => !optional.some(([name]) => name === peer),
    );
    expect(needed).toEqual(['ws']);
    expect(Object.keys(library.devDependencies ?? {})).toEqual(
      expect.arrayContaining(Object.keys(library.peerDependencies ?? {})),
    );
  });

  it('brings the dashboard, and what Prometheus and Grafana need', () => {
    const brought = ['dist/dashboard/index.html', 'deploy/prometheus/alerts.yml', 'deploy/prometheus/alerts.test.yml'];
    expect(files.mooring).toEqual(expect.arrayContaining([...brought, 'deploy/grafana/mooring.json']));
  });
});

describe('the command', () => {
  it('imports its dependencies, and no others', () => {
    const { packages } = reachableModules(join(repository, 'packages/cli/dist'), shipped('mooring-cli', /\.js$/));
    expect(packages).toEqual(Object.keys(command.dependencies ?? {}).sort());
  });

  it('is of the version of the library, and wants what a clone has', () => {
    expect(command.version).toBe(library.version);
    expect({ ...library.devDependencies, ...library.dependencies }).toMatchObject(command.dependencies ?? {});
  });

  it('is a file that may be run', () => {
    for (const bin of Object.values(command.bin ?? {})) {
      expect(files['mooring-cli']).toContain(bin);
      expect(readFileSync(join(repository, 'packages/cli', bin), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });
});

describe('mooring/client, bundled and minified', () => {
  it.each([
    [['createWatchdog', 'explainClose', 'keepConnected', 'shouldReconnect'], 5_500],
    [['shouldReconnect'], 700],
  ])('takes little: %s', async (names, most) => {
    const list = names.join(', ');
    const code = await bundled(`import { ${list} } from '${join(dist, 'lib/client.js')}'; globalThis.all = [${list}];`);
    expect(code).toContain('globalThis.all=');
    expect(code.length).toBeLessThanOrEqual(most);
  });
});

/** As browsers get it. */
async function bundled(entry: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-bundle-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? id : null),
        load: (id) => (id === 'entry' ? entry : null),
      },
    ],
    build: { write: false, modulePreload: false, rolldownOptions: { input: 'entry' } },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((each) => ('output' in each ? each.output : []));
  return outputs.map((each) => (each.type === 'chunk' ? each.code : '')).join('');
}
