import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCrowd } from '../support/crowd.js';
import { mooringCommand, startMooring, type MooringProcess } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';

/** Runs the command to its end, as from a shell. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawnSync(process.execPath, [mooringCommand, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env['PATH'], ...env },
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

const urlOf = (server: MooringProcess, userId: string, threadId: string): string =>
  `${server.url}/?${new URLSearchParams({ user_id: userId, thread_id: threadId }).toString()}`;

describe('mooring config --schema', () => {
  it('prints the JSON schema of a configuration file, without a server', () => {
    const { status, stdout } = spawnSync(process.execPath, [mooringCommand, 'config', '--schema'], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      properties: { maxManagersPerUser: { type: 'integer', minimum: 0 }, idleManagerTimeout: { type: 'string' } },
    });
  });
});

describe('mooring serve', () => {
  it('echoes, and streams a run while holding the connection', async () => {
    const server = await startMooring(['--set', 'idleManagerTimeout=10s', '--set', 'maxManagersPerUser=1']);
    const crowd = await startCrowd();
    const client = await crowd.settle(urlOf(server, 'ada', 'thread_1'));
    client.send('hello');
    expect(await client.reply()).toBe('hello');
    client.send('{"type":"run","tokens":20,"everyMs":100}');
    await client.reply();
    // The floor, 1 s, is long past; but somebody streams here.
    await sleep(1_200);
    const refused = await crowd.settle(urlOf(server, 'ada', 'thread_2'));
    expect((await refused.end()).reason).toMatch(/^quota;retry=\d+\.\d\d;max=1$/);
    while (!client.texts.at(-1)?.includes('"done"')) await client.reply();
    expect(client.texts.filter((text) => text.includes('"token"'))).toHaveLength(20);
  });

  it('is healthy at /healthz, and a WebSocket server elsewhere', async () => {
    const server = await startMooring();
    const http = server.url.replace('ws', 'http');
    const health = await fetch(`${http}/healthz`);
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok', managers: 0 }]);
    const other = await fetch(`${http}/chat`);
    expect([other.status, await other.text()]).toEqual([426, expect.stringContaining('WebSocket server') as string]);
  });

  it('sums its configuration up at the start', async () => {
    const server = await startMooring(['--env', 'staging', '--set', 'closeGrace=2s']);
    expect(server.lines[0]).toMatchObject({ environment: 'staging', maxManagersPerUser: '20', closeGrace: '2s' });
  });

  it.each([
    ['no user', '', 'thread_1', /^userId /],
    ['a user of 257 units', 'u'.repeat(257), 'thread_1', /^userId /],
    ['a control character', 'a\u0000', 'thread_1', /^userId /],
    ['a thread without prefix', 'ada', '7', /^threadId must begin with "thread_"/],
  ])('refuses %s with 1008, and nothing stays behind', async (_, userId, threadId, reason) => {
    const server = await startMooring();
    const client = await (await startCrowd()).settle(urlOf(server, userId, threadId));
    expect(await client.end()).toEqual({ code: 1008, reason: expect.stringMatching(reason) as string });
    expect((await server.health()).managers).toBe(0);
  });
});

describe('mooring serve, when told to stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s tells everybody when to come back, and exits with 0',
    async (signal) => {
      const server = await startMooring(['--set', 'drainWaveSize=5', '--set', 'drainWaveInterval=50ms']);
      const crowd = await startCrowd();
      const clients = await Promise.all(
        Array.from({ length: 20 }, (_, i) => crowd.settle(urlOf(server, 'ada', `thread_${i}`))),
      );
      process.kill(server.pid, signal);
      const ends = await Promise.all(clients.map((client) => client.end()));
      expect(ends.filter(({ code, reason }) => code !== 1012 || !/^drain;retry=\d+\.\d\d$/.test(reason))).toEqual([]);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      // What a busy machine adds is not of the shutdown.
      const others = ['level.changed', 'process.stalled'];
      const said = server.lines
        .map(({ msg }) => String(msg).split(' ')[0] ?? '')
        .filter((msg) => !others.includes(msg));
      expect(said.slice(-3)).toEqual([`${signal}:`, 'server.draining', 'server.stopped']);
    },
  );
});

describe('mooring serve, when it cannot', () => {
  it('for a port that is taken says so in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    afterThisTest(() => {
      taken.close();
    });
    const { port } = taken.address() as AddressInfo;
    const { code, err } = run(['serve', '--port', String(port)]);
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`^mooring: .*EADDRINUSE.*:${port}: that port is taken; .*--port 0.*\\n$`));
  });

  it('for mistakes in the configuration names them all', () => {
    const { code, err } = run(['serve', '--set', 'maxManagersPerUser=-1', '--set', 'idleManagerTimeout=120'], {
      MOORING_CLOSE_GRACE: '1 minute',
      NETRA_ENV: 'prod',
    });
    expect(code).toBe(2);
    expect(err.trimEnd().split('\n')).toEqual([
      'mooring: The configuration has 4 mistakes:',
      expect.stringContaining('NETRA_ENV: got "prod"') as string,
      expect.stringContaining('MOORING_CLOSE_GRACE: got "1 minute", wanted a duration') as string,
      expect.stringContaining('maxManagersPerUser: got "-1"') as string,
      expect.stringContaining('idleManagerTimeout: got "120", wanted a duration with its unit') as string,
    ]);
  });

  it.each([
    [['serve', '--port', 'http'], /--port.*invalid.*0 to 65535/],
    [['serve', '--port', '65536'], /--port.*invalid/],
    [['serve', '--prot', '1'], /unknown option '--prot'.*Did you mean --port/s],
    [['sreve'], /unknown command 'sreve'.*Did you mean serve/s],
    [['serve', '--env', 'prod'], /--env.*invalid.*production, staging, development, test/],
    [['serve', '--set', 'ticket'], /--set.*name=value/],
    [['serve', '--config', '/nowhere.json'], /nowhere.json/],
  ])('%j is a usage error', (args, message) => {
    const { code, err, out } = run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  it('runs out of descriptors, refuses, says so once, and lives on', async () => {
    const server = await startMooring(['--set', 'maxTotalManagers=10000'], 'ulimit -n 512');
    const crowd = await startCrowd();
    const clients = await Promise.all(
      Array.from({ length: 700 }, (_, i) => crowd.settle(urlOf(server, `user${i}`, 'thread_1'))),
    );
    const open = clients.filter(({ isOpen }) => isOpen);
    expect(open.length).toBeGreaterThan(400);
    expect(open.length).toBeLessThan(512);
    expect(server.lines.filter(({ msg }) => String(msg).startsWith('server.full'))).toHaveLength(1);
    for (const client of open) client.close();
    await Promise.all(open.map((client) => client.end()));
    const later = await crowd.settle(urlOf(server, 'ada', 'thread_1'));
    later.send('it lives');
    expect(await later.reply()).toBe('it lives');
    process.kill(server.pid, 'SIGTERM');
    expect((await server.exited).code).toBe(0);
  });
});

describe('mooring serve --print-config', () => {
  it('has every value and where it came from, as a table and as JSON', () => {
    const args = ['serve', '--print-config', '--set', 'idleManagerTimeout=90s'];
    const table = run(args, { MOORING_TICKET: '5s', MOORING_ENV: 'production' });
    expect([table.code, table.err]).toEqual([0, '']);
    expect(table.out).toMatch(/^environment: production\n/);
    expect(table.out).toMatch(/^idleManagerTimeout +90s +flag$/m);
    expect(table.out).toMatch(/^ticket +5s +environment$/m);
    expect(table.out).toMatch(/^maxTotalManagers +\d+ +machine$/m);
    const json = JSON.parse(run([...args, '--json']).out) as { settings: Record<string, unknown> };
    expect(json.settings['idleManagerTimeoutMs']).toEqual({ value: 90_000, source: 'flag' });
  });

  it('takes no harm from what Kubernetes puts into the environment of a service called mooring', () => {
    const { code, out } = run(['serve', '--print-config'], {
      MOORING_PORT: 'tcp://10.0.0.1:80',
      MOORING_SERVICE_HOST: '10.0.0.1',
      MOORING_PORT_80_TCP_PROTO: 'tcp',
    });
    expect([code, out.includes('environment\n')]).toEqual([0, false]);
  });
});

describe('mooring', () => {
  it('has help with examples, and a version', () => {
    expect(run(['serve', '--help'])).toMatchObject({ code: 0, err: '' });
    expect(run(['serve', '--help']).out).toMatch(/Examples:\n +mooring serve --port 8080/);
    expect(run(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
  });

  it('warns of variables that name no setting', async () => {
    process.env['MOORING_TICKETS'] = '5s';
    afterThisTest(() => {
      delete process.env['MOORING_TICKETS'];
    });
    const server = await startMooring();
    expect(server.lines[0]).toMatchObject({
      level: 40,
      msg: 'MOORING_TICKETS is set but names no setting; did you mean MOORING_TICKET?',
    });
  });
});
