import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, beforeAll, afterAll } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** The first example of the README that attaches to a server. */
const example =
  /```js\n(import \{ WebSocketServer \}.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? '';

/** An empty project with nothing but the packed package and ws in it. */
let folder = '';

const write = (name: string, text: string): void => {
  writeFileSync(join(folder, name), text);
};

const node = async (file: string): Promise<string> => {
  const { stdout } = await run(process.execPath, [file], { cwd: folder, timeout: 20_000 });
  return stdout;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-package-'));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, '--json'], {
    cwd: root,
  });
  const [{ filename } = { filename: '' }] = JSON.parse(packed.stdout) as { filename: string }[];
  write('package.json', '{ "name": "empty", "version": "1.0.0", "type": "module" }\n');
  const install = ['install', '--no-audit', '--no-fund', `./${filename}`, 'ws', '@types/ws', '@types/node@20'];
  await run('npm', install, { cwd: folder, timeout: 180_000 });
}, 240_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the example of the README', () => {
  it('has five lines', () => {
    expect(example.trim().split('\n').filter(Boolean)).toHaveLength(5);
  });

  it('runs in plain JavaScript, and echoes once told to', async () => {
    write(
      'example.mjs',
      `${example.replace('8080', '0')}
       import { WebSocket } from 'ws';
       server.on('connection', (socket) => socket.on('message', (text) => socket.send(text)));
       server.on('listening', () => {
         const client = new WebSocket(\`ws://127.0.0.1:\${server.address().port}/?user_id=alice&thread_id=thread_1\`);
         client.on('open', () => client.send('hello'));
         client.on('message', (text) => { console.log(String(text)); process.exit(0); });
       });`,
    );
    expect(await node('example.mjs')).toBe('hello\n');
  });

  it('type-checks in strict TypeScript', () => {
    write('example.ts', example);
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
    const modules = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const checked = spawnSync(process.execPath, [compiler, ...strict, ...modules, 'example.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(checked).toMatchObject({ status: 0, stdout: '' });
  }, 60_000);
});

describe('the package', () => {
  it('can be imported by every name, has no side effects, and lets the process end', async () => {
    write(
      'imports.mjs',
      `const subpaths = ['ws', 'client', 'testing', 'admin', 'prometheus', 'opentelemetry'];
       const names = ['mooring', ...subpaths.map((each) => 'mooring/' + each)];
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
       console.log(found.map((each) => Object.keys(each).length > 0).join(), after === before ? 'as before' : after);`,
    );
    expect(await node('imports.mjs')).toBe('true,true,true,true,true,true,true as before\n');
  });

  it('has the command', async () => {
    const { stdout } = await run('npx', ['--no-install', 'mooring', '--version'], { cwd: folder });
    expect(stdout).toBe(
      `${(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version}\n`,
    );
  });

  it('brings the alerts for Prometheus, with their tests, and the dashboard for Grafana', () => {
    const deployed = join(folder, 'node_modules/mooring/deploy');
    for (const file of ['prometheus/alerts.yml', 'prometheus/alerts.test.yml', 'grafana/mooring.json'])
      expect(readFileSync(join(deployed, file), 'utf8')).toBe(readFileSync(join(root, 'deploy', file), 'utf8'));
  });

  it('brings its licence, its notes and nothing of where it was made', async () => {
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--dry-run', '--json'], { cwd: root });
    const [{ files } = { files: [] }] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']));
    expect(paths.filter((path) => /^(test|bench|scripts|\.ci)\//.test(path))).toEqual([]);
    const traces = paths.filter((path) => readFileSync(join(root, path), 'utf8').includes(root));
    expect(traces).toEqual([]);
  });
});
