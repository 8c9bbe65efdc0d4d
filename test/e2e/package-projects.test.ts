import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FreshProject, installsByName, installsOf, manifestOf, repository } from '../support/fresh-project.js';

/** The first example of the README. */
const example =
  /```js\n(import \{ WebSocketServer \}.*?)```/s.exec(readFileSync(join(repository, 'README.md'), 'utf8'))?.[1] ?? '';

/** The example, with an echo and a client of its own. */
const exampleWithClient = `${example.replace('8080', '0')}
  import { WebSocket } from 'ws';
  server.on('connection', (socket) => socket.on('message', (text) => socket.send(text)));
  server.on('listening', () => {
    const client = new WebSocket(\`ws://127.0.0.1:\${server.address().port}/?user_id=alice&thread_id=thread_1\`);
    client.on('open', () => client.send('hello'));
    client.on('message', (text) => { console.log(String(text)); process.exit(0); });
  });`;

const library = manifestOf('mooring');
const names = Object.keys(library.exports)
  .filter((path) => path !== './package.json')
  .map((path) => path.replace(/^\./, 'mooring'));
const optionalPeers = Object.entries(library.peerDependenciesMeta ?? {})
  .filter(([, meta]) => meta.optional)
  .map(([name]) => name);

const installed = installsOf('README.md');
const peersByName = installsByName();
const plainNames = names.filter((name) => !peersByName.has(name));

const importsOf = (all: readonly string[]): string =>
  all.map((name, index) => `import * as all${String(index)} from '${name}';\nvoid all${String(index)};\n`).join('');

/** The strictest that a project may ask for. */
const strict = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  // All declarations are checked, but for those that TypeScript itself has.
  skipDefaultLibCheck: true,
};
/** On a busy machine. */
const compileTimeoutMs = 150_000;
const accepted = { code: 0, stdout: '' };

/** Whether something is installed at `ws`, or below a package as a second one. */
const isWs = (place: string): boolean => /(^|node_modules\/)ws$/.test(place);

const projects: FreshProject[] = [];
const createProject = (type?: 'commonjs'): FreshProject => {
  const project = new FreshProject(type);
  projects.push(project);
  return project;
};

afterAll(() => {
  for (const project of projects) project.remove();
});

describe('a project with what the README says', () => {
  let project: FreshProject;

  beforeAll(async () => {
    project = createProject();
    await project.install(...installed);
    project.write('example.ts', example);
    project.write('names.ts', importsOf(plainNames));
  }, 240_000);

  it('has at most three packages with code and three of types, and one ws', () => {
    const packages = project.installed();
    const withCode = packages.filter((name) => project.hasCode(name));
    expect(withCode.sort()).toEqual(['mooring', 'ws', 'zod']);
    expect(packages.length - withCode.length).toBeLessThanOrEqual(3);
    expect(packages.filter(isWs)).toEqual(['ws']);
  });

  it('attaches in at most six lines', () => {
    const attaching = example.split('attach(server')[0] ?? '';
    expect(attaching.split('\n').filter(Boolean).length).toBeLessThan(6);
    expect(attaching).toContain('WebSocketServer');
  });

  it('runs the example in plain JavaScript', async () => {
    project.write('example.mjs', exampleWithClient);
    expect(await project.node('example.mjs')).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
  });

  it.each([
    ['nodenext', { module: 'nodenext' }],
    ['bundler, with module esnext', { module: 'esnext', moduleResolution: 'bundler' }],
    ['bundler, with module preserve', { module: 'preserve', moduleResolution: 'bundler' }],
  ])(
    'compiles in strict TypeScript, declarations as well: %s',
    { timeout: compileTimeoutMs },
    async (_name, modules) => {
      const compiled = await project.compile(['example.ts', 'names.ts'], { ...strict, ...modules, noEmit: true });
      expect(compiled).toMatchObject(accepted);
    },
  );

  it.each([...peersByName])('is told by Node what %s needs', async (name, peers) => {
    project.write('peer.mjs', `import '${name}';\n`);
    const { stderr } = await project.node('peer.mjs');
    const [, missing = ''] = /Cannot find package '(.+)' imported from/.exec(stderr) ?? [];
    // Their types alone are imported there: whoever has a meter, or a server of Socket.IO or Hono, has the package.
    if (['mooring/opentelemetry', 'mooring/socket.io', 'mooring/hono'].includes(name)) expect(stderr).toBe('');
    else expect(peers).toContain(missing);
  });

  it('is told of every optional peer', () => {
    expect([...new Set([...peersByName.values()].flat())].sort()).toEqual(optionalPeers.sort());
  });
});

describe('a project with all peers', () => {
  let project: FreshProject;

  beforeAll(async () => {
    project = createProject();
    await project.install(...installed, ...[...peersByName.values()].flat());
    project.write('names.ts', importsOf(names));
  }, 240_000);

  it('compiles all names in strict TypeScript, declarations as well', { timeout: compileTimeoutMs }, async () => {
    const compiled = await project.compile(['names.ts'], { ...strict, module: 'nodenext', noEmit: true });
    expect(compiled).toMatchObject(accepted);
  });

  it('imports all names without side effects, and lets the process end', async () => {
    project.write(
      'imports.mjs',
      `const names = ${JSON.stringify(names)};
       // Node opens the standard streams when they are first asked for, and node:assert asks for one.
       void [process.stdout, process.stderr];
       // Node reads the modules in the background, and may be closing the last file still.
       const held = async () => {
         await new Promise((done) => setTimeout(done, 100));
         return process.getActiveResourcesInfo().toSorted().join();
       };
       const before = await held();
       const found = await Promise.all(names.map((name) => import(name)));
       const after = await held();
       console.log(found.filter((each) => Object.keys(each).length > 0).length, after === before ? 'as before' : after);`,
    );
    expect(names.length).toBeGreaterThan(7);
    expect(await project.node('imports.mjs')).toMatchObject({ stdout: `${String(names.length)} as before\n` });
  });
});

describe('a CommonJS project', () => {
  let project: FreshProject;

  beforeAll(async () => {
    project = createProject('commonjs');
    await project.install(...installed);
  }, 240_000);

  it('compiles the example with module nodenext, and runs it with require', { timeout: compileTimeoutMs }, async () => {
    project.write(
      'example.ts',
      exampleWithClient.replace('server.address().port', '(server.address() as { port: number }).port'),
    );
    expect(await project.compile(['example.ts'], { ...strict, module: 'nodenext' })).toMatchObject(accepted);
    expect(readFileSync(join(project.folder, 'example.js'), 'utf8')).toContain('require("mooring/ws")');
    expect(await project.node('example.js')).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
  });

  it('cannot have module node16', { timeout: compileTimeoutMs }, async () => {
    project.write('names.ts', importsOf(plainNames));
    const options = { ...strict, skipLibCheck: true, module: 'node16', noEmit: true };
    const { stdout } = await project.compile(['names.ts'], options);
    expect(stdout).toContain('TS1479: The current file is a CommonJS module');
  });

  it('requires every name', async () => {
    project.write('names.cjs', `for (const name of ${JSON.stringify(plainNames)}) require(name);\n`);
    expect(await project.node('names.cjs')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a project with the oldest ws; the others have the newest', () => {
  const oldest = /^\^(\d+\.\d+\.\d+)$/.exec(library.peerDependencies?.['ws'] ?? '')?.[1] ?? '';
  let project: FreshProject;

  beforeAll(async () => {
    project = createProject();
    await project.install(...installed.map((name) => (name === 'ws' ? `ws@${oldest}` : name)));
  }, 240_000);

  it('runs the example, with this ws alone', async () => {
    project.write('example.mjs', exampleWithClient);
    expect(await project.node('example.mjs')).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
    expect(project.installed().filter(isWs)).toEqual(['ws']);
    const { version } = JSON.parse(readFileSync(join(project.folder, 'node_modules/ws/package.json'), 'utf8')) as {
      version: string;
    };
    expect(version).toBe(oldest);
  });
});
