import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Overview } from '../../src/admin/schemas.js';
import { startCrowd } from '../support/crowd.js';
import { runMooring, runShell, startCommand, type Ran } from '../support/mooring-command.js';
import { startMooring } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';
import { world, openThreads, patiently } from '../support/admin-commands.js';
import { routineStrategyNames } from '../../src/core/vocabulary.js';

describe('mooring events', () => {
  it('follows, as lines and as JSON, what it is asked for', async () => {
    const { server, env } = await world();
    const lines = startCommand(['events'], env);
    const json = startCommand(
      ['events', '--json', '--types', 'manager.admitted,manager.released', '--user', 'ada'],
      env,
    );
    await expect.poll(async () => (await watching(env.MOORING_ADMIN_URL)).viewers.watching, patiently).toBe(2);
    const crowd = await startCrowd();
    await openThreads(crowd, server, 'bob', [1, 1]);
    const [client] = await openThreads(crowd, server, 'ada', [1, 1]);
    client!.close();
    await json.says(/manager\.released/);
    await lines.says(/ manager\.released +ada thread_1 closed by itself after /);
    expect(lines.out[0]).toMatch(/^\d\d:\d\d:\d\d {2}manager\.admitted +bob thread_1 was admitted as number 1\.$/);
    expect(json.out.map((line) => JSON.parse(line) as object)).toMatchObject([
      { type: 'manager.admitted', userId: 'ada', threadId: 'thread_1' },
      { type: 'manager.released', userId: 'ada', threadId: 'thread_1', reason: 'closed', finding: null },
    ]);
    for (const [signal, follower] of [
      ['SIGINT', lines],
      ['SIGTERM', json],
    ] as const) {
      process.kill(follower.pid, signal);
      expect(await follower.ended).toEqual({ code: 0, signal: null });
      expect(follower.err).toEqual([]);
    }
  });

  it('says that the server is gone, and goes on with the one that takes its place', async () => {
    const { server, env } = await world();
    const events = startCommand(['events', '--types', 'manager.admitted'], env);
    await expect.poll(async () => (await watching(env.MOORING_ADMIN_URL)).viewers.watching, patiently).toBe(1);
    process.kill(server.pid, 'SIGKILL');
    await events.says(/^mooring: lost http:\S+; trying again until it is back$/);
    const next = await startMooring(['--admin-port', new URL(env.MOORING_ADMIN_URL).port]);
    await events.says(/^mooring: http:\S+ is back$/);
    await events.says(/^mooring: what happened meanwhile is not known any longer$/);
    await openThreads(await startCrowd(), next, 'ada', [1, 1]);
    await events.says(/manager\.admitted +ada thread_1/);
    expect(events.err.filter((line) => line.includes('lost'))).toHaveLength(1);
    process.kill(events.pid, 'SIGINT');
    expect((await events.ended).code).toBe(0);
  });

  it('knows how far it has come where the stream says so between events, when it comes back', async () => {
    const seen: unknown[] = [];
    const server = createWebServer(({ headers }, response) => {
      seen.push(headers['last-event-id']);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: stream.hello\ndata: {"id":"e-1"}\n\n');
      if (seen.length === 1) response.end('id: e-9\nevent: stream.position\ndata: {}\n\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterThisTest(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const events = startCommand(['events', '--url', `http://127.0.0.1:${String(port)}`]);
    await events.says(/^mooring: http:\S+ is back$/);
    expect(seen).toEqual([undefined, 'e-9']);
    process.kill(events.pid, 'SIGINT');
    expect((await events.ended).code).toBe(0);
  });

  it('ends without a word where nobody reads on', async () => {
    const { server, env } = await world();
    const head = runShell('mooring events | head -1; echo "${PIPESTATUS[0]}"', env);
    await expect.poll(async () => (await watching(env.MOORING_ADMIN_URL)).viewers.watching, patiently).toBe(1);
    const crowd = await startCrowd();
    await openThreads(crowd, server, 'ada', [1, 1]);
    // What comes after the first line finds nobody.
    const more = setInterval(() => void openThreads(crowd, server, 'ada', [2, 2]), 200);
    const { out, err } = await head;
    clearInterval(more);
    expect([out, err]).toEqual([expect.stringMatching(/ manager\.admitted .*\n0\n$/), '']);
  });

  /** Of the API itself: each command is a process, which takes its time. */
  async function watching(url: string): Promise<Overview> {
    return (await (await fetch(`${url}/api/v1/overview`)).json()) as Overview;
  }
});

const asking = [
  ...['check alice', 'check alice --act', 'cleanup alice', 'cleanup alice --emergency', 'explain alice'],
  ...['users', 'kpis', 'config', 'events', 'top'],
];

describe('a command that cannot', () => {
  it.each(asking)('reach the server (%s) says so, and exits with 3', async (line) => {
    const url = await nobodyListens();
    expect(await runMooring([...line.split(' '), '--url', url])).toEqual({
      code: 3,
      out: '',
      err: `mooring: cannot reach ${url}: connect ECONNREFUSED ${url.slice(7)}; is the server running, and is --url (or MOORING_ADMIN_URL) its admin port?\n`,
    });
  });

  it('keep a connection says so, and exits with 3', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterThisTest(() => {
      server.close();
    });
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const ran = await Promise.all(['kpis', 'events', 'top'].map((command) => runMooring([command, '--url', url])));
    for (const { code, out, err } of ran) {
      expect([code, out]).toEqual([3, '']);
      // In which of these ways it is told depends on what was on its way when the connection ended.
      expect(err).toMatch(
        /^mooring: cannot reach http:\S+: (other side closed|(read|write) E(CONNRESET|PIPE)|no answer within 15 s); is the server/,
      );
    }
  });

  it('find the API where the WebSockets are says which port to give, and exits with 3', async () => {
    const { server } = await world();
    const { code, err } = await runMooring(['kpis', '--url', server.url.replace('ws', 'http')]);
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/^mooring: http:\S+ answers \(with 426\), but is not an admin API/),
    ]);
  });

  it.each([['kpis'], ['events'], ['check', 'alice'], ['cleanup', 'alice']])(
    'find the API where the path is another (%s) says so, and exits with 3',
    async (...command) => {
      const { env } = await world();
      const url = `${env.MOORING_ADMIN_URL}/nope`;
      expect(await runMooring([...command, '--url', url])).toEqual({
        code: 3,
        out: '',
        err: `mooring: ${url} answers (with 404), but is not an admin API of Mooring; is --url (or MOORING_ADMIN_URL) its admin port, without /nope?\n`,
      });
    },
  );

  it.each(['/', '/api/v1', '/api/v1/', '//api/v1//'])('would not with %j behind its url', async (path) => {
    const { env } = await world();
    const { code, out } = await runMooring(['users', '--url', `${env.MOORING_ADMIN_URL}${path}`]);
    expect([code, out]).toEqual([0, 'no users\n']);
  });

  it.each([
    ['http://user:secret@127.0.0.1:9090', 'http://…@127.0.0.1:9090'],
    ['http://secret@127.0.0.1:9090', 'http://…@127.0.0.1:9090'],
    ['ws://user:s@secret@127.0.0.1', 'ws://…@127.0.0.1'],
    ['http://user:secret/\n@127.0.0.1', 'http://…@127.0.0.1'],
    ['user:secret@127.0.0.1', '…@127.0.0.1'],
  ])('take a password in a url (%j) does not repeat it', async (url, shown) => {
    const { code, out, err } = await runMooring(['kpis', '--url', url]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(
      `mooring: --url ${shown}: wanted a URL such as http://127.0.0.1:9090, without a user or a password; a token goes with --token\n`,
    );
  });

  it.each([
    [['check', 'alice', '--url', 'foo'], /^mooring: --url foo: wanted a URL such as http:/],
    [['check', 'alice', '--url', 'ws://127.0.0.1:9090'], /^mooring: --url ws:.*: wanted a URL/],
    [['check', 'alice', '--url', 'http://\u001b[31mred'], /^mooring: --url http:\/\/\\u001b\[31mred: wanted a URL/],
    [['check', 'alice', '--token', 'with space'], /^mooring: the token may only have visible ASCII characters/],
    [['check', ''], /^mooring: the user id is empty/],
    [['check'], /missing required argument 'user'/],
    [['check', 'alice', 'bob'], /too many arguments/],
    [['check', 'alice', '--jsn'], /unknown option '--jsn'.*Did you mean --json/s],
    [['chek', 'alice'], /unknown command 'chek'.*Did you mean check/s],
    [['cleanup', 'alice', '--evict', '1'], /--evict and --keep need --emergency/],
    [['cleanup', 'alice', '--emergency', '--strategy', 'idle'], /--strategy does nothing with --emergency/],
    [['cleanup', 'alice', '--strategy', 'dead'], RegExp(`Allowed choices are ${routineStrategyNames.join(', ')}`)],
    [['users', '--limit', '0'], /from 1 to 500/],
    [['users', '--limit', '501'], /from 1 to 500/],
    [['top', '--every', '5'], /a duration with its unit/],
    [['completion', 'powershell'], /Allowed choices are bash, zsh, fish/],
  ])('make sense of %j exits with 2', async (args, message) => {
    const { code, out, err } = await runMooring(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  it.each([
    [['check', 'x'.repeat(10_000)], /^mooring: id: is 10000 units long; the most is 256\n$/],
    [['check', 'a\u001b[31mred'], /^mooring: id: has a control character\n$/],
    [['events', '--types', 'manager.gone'], /^mooring: types: got "manager.gone", wanted some of manager.admitted/],
    [['users', '--search', 'x'.repeat(300)], /^mooring: search: /],
  ])('be understood by the server exits with 2', async (args, message) => {
    const { run } = await world();
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

describe('with tokens', () => {
  const [readToken, actToken] = ['read-read-read-read', 'act-act-act-act-act'];

  async function guarded() {
    const folder = mkdtempSync(join(tmpdir(), 'mooring-tokens-'));
    afterThisTest(() => {
      rmSync(folder, { recursive: true });
    });
    const file = join(folder, 'tokens.json');
    const tokens = [
      { token: readToken, scope: 'read' },
      { token: actToken, scope: 'act', name: 'ops' },
    ];
    writeFileSync(file, JSON.stringify(tokens));
    const made = await world(['--admin-token-file', file]);
    await openThreads(await startCrowd(), made.server, 'alice', [1, 1]);
    return made;
  }

  const failed = (err: string): Ran => ({ code: 1, out: '', err: `mooring: ${err}\n` });

  it('a missing, a wrong and one that may only look are told what to give', async () => {
    const { run, env } = await guarded();
    expect(await run('check', 'alice')).toEqual(failed('No token. Give a token with --token or MOORING_ADMIN_TOKEN.'));
    expect(await run('check', 'alice', '--token', 'wrong')).toEqual(
      failed('This token is not known. Give a token with --token or MOORING_ADMIN_TOKEN.'),
    );
    for (const command of [
      ['check', 'alice', '--act'],
      ['cleanup', 'alice'],
      ['cleanup', 'alice', '--dry-run'],
    ])
      expect(await run(...command, '--token', readToken)).toEqual(
        failed('This token may read, and not act. Use a token that may act (scope: act).'),
      );
    expect((await run('check', 'alice', '--token', readToken)).code).toBe(0);
    const byVariable = await runMooring(['cleanup', 'alice'], { ...env, MOORING_ADMIN_TOKEN: actToken });
    expect(byVariable.out).toMatch(/^alice: 0 released, 1 left, in /);
    expect((await run('explain', 'alice', '--token', readToken)).out).toContain(
      'ops ran cleanup on alice: 0 released, 1 left.',
    );
  });
});

/** Where nobody listens: a port that was free a moment ago. */
async function nobodyListens(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${String(port)}`;
}
