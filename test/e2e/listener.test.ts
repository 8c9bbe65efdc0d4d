import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startMooring, type MooringProcess } from '../support/mooring-process.js';
import { frame, handshake, rawClient, type RawClient } from '../support/raw-client.js';
import { afterThisTest } from '../support/setup.js';

const portOf = ({ url }: MooringProcess): number => Number(new URL(url).port);
const pathOf = (userId: string, thread: number | string): string => `/?user_id=${userId}&thread_id=thread_${thread}`;
const switched = '101 Switching Protocols';

/** A WebSocket on a bare TCP connection. */
async function upgraded(server: MooringProcess, userId: string, thread: number | string): Promise<RawClient> {
  const client = await rawClient(portOf(server));
  client.socket.write(handshake(pathOf(userId, thread)));
  await client.hears(switched);
  return client;
}

/** A TCP connection that is written to and never closed from here. */
function dial(server: MooringProcess, text = ''): Socket {
  const socket = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  if (text !== '') socket.write(text);
  afterThisTest(() => {
    socket.destroy();
  });
  return socket;
}

/** Everything a server says to these bytes, until it closes or has said nothing more for half a second. */
async function saidTo(server: MooringProcess, bytes: string | Buffer): Promise<string> {
  const client = await rawClient(portOf(server));
  client.socket.write(bytes);
  let heard = 0;
  await Promise.race([once(client.socket, 'close'), once(client.socket, 'data'), sleep(10_000)]);
  while (!client.socket.destroyed && client.received().length > heard) {
    heard = client.received().length;
    await Promise.race([once(client.socket, 'close'), sleep(500)]);
  }
  client.socket.destroy();
  return client.received().toString('latin1');
}

const statusesIn = (text: string): string[] => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, code = '']) => code);

/** Sockets a process has open. */
const descriptorsOf = ({ pid }: MooringProcess): number => readdirSync(`/proc/${String(pid)}/fd`).length;

const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
const closeFrame = frame('\x03\xe8', 8);

describe('a peer that says goodbye and stays', () => {
  it('does not delay the exit', async () => {
    const server = await startMooring();
    const client = await upgraded(server, 'ada', 1);
    client.socket.pause();
    client.socket.write(closeFrame);
    await sleep(100);
    const askedAtMs = performance.now();
    process.kill(server.pid, 'SIGTERM');
    expect((await server.exited).code).toBe(0);
    // ws itself would wait for half a minute.
    expect(performance.now() - askedAtMs).toBeLessThan(10_000);
  });

  it('has its socket for closeGrace and no longer', async () => {
    const server = await startMooring(['--set', 'closeGrace=300ms']);
    const before = descriptorsOf(server);
    const client = await upgraded(server, 'ada', 1);
    client.socket.pause();
    client.socket.write(closeFrame);
    await expect.poll(() => descriptorsOf(server), { timeout: 10_000 }).toBe(before);
  });

  it('gains no more sockets than the limit of its user by coming again', async () => {
    const server = await startMooring(['--set', 'maxManagersPerUser=5', '--set', 'closeGrace=20s']);
    const before = descriptorsOf(server);
    for (let i = 0; i < 60; i++) {
      const client = await upgraded(server, 'mallory', i);
      client.socket.pause();
      client.socket.write(closeFrame);
    }
    await upgraded(server, 'ada', 1);
    await expect.poll(() => descriptorsOf(server), { timeout: 10_000 }).toBeLessThanOrEqual(before + 6);
  });
});

describe('the main port, with few descriptors', () => {
  const few = 'ulimit -n 200';

  it.each([
    ['say nothing', ''],
    ['send half a request', 'GET / HTTP/1.1\r\nHost: a'],
    ['send half a handshake', handshake(pathOf('mallory', 1)).slice(0, -4)],
    ['asked once and stay', 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['send bodies that do not arrive', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx'],
    ['offer h2c and say no more', `GET /healthz HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`],
  ])('lets newcomers in though strangers %s', async (_, text) => {
    const server = await startMooring([], few);
    for (let i = 0; i < 300; i++) dial(server, text);
    await sleep(300);
    await upgraded(server, 'ada', 1);
    expect((await server.health()).status).toBe('ok');
    expect(server.lines.filter(({ msg }) => String(msg).startsWith('server.full'))).toHaveLength(1);
  });

  it('lets newcomers in though strangers say goodbye and stay, whatever they are called', async () => {
    const server = await startMooring(['--set', 'closeGrace=30s'], few);
    for (let i = 0; i < 300; i++) {
      const client = await upgraded(server, `mallory${i}`, 1);
      client.socket.pause();
      client.socket.write(closeFrame);
    }
    await upgraded(server, 'ada', 1);
  });

  it('keeps connections in use, whoever else comes', async () => {
    const server = await startMooring([], few);
    const client = await upgraded(server, 'ada', 1);
    for (let i = 0; i < 300; i++) dial(server);
    await sleep(300);
    client.socket.write(frame('still here'));
    await client.hears('still here');
  });
});

describe('a request that offers another protocol', () => {
  it.each([
    ['h2c', 'GET /healthz', h2c, '200'],
    ['h2c in another case', 'GET /healthz', 'connection: upgrade\r\nupgrade: H2C\r\n', '200'],
    ['TLS', 'GET /healthz', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n', '200'],
    ['h2c for what is not there', 'GET /', h2c, '426'],
    ['something unknown', 'GET /', 'Connection: Upgrade\r\nUpgrade: chat/2\r\n', '426'],
    ['h2c in HTTP/1.1 that ends', 'GET /healthz', 'Connection: close, Upgrade\r\nUpgrade: h2c\r\n', '200'],
  ])('gets what it would get without it: %s', async (_, line, headers, status) => {
    const server = await startMooring();
    const asked = await saidTo(server, `${line} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
    const plain = await saidTo(server, `${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const withoutDate = (text: string) =>
      text.replace(/^Date: .*\r\n/m, '').replace(/^(Connection|Keep-Alive): .*\r\n/gm, '');
    expect(statusesIn(asked)).toEqual([status]);
    expect(withoutDate(asked)).toBe(withoutDate(plain));
  });

  it('may have a body, and others behind it on the same connection', async () => {
    const server = await startMooring();
    const post = `POST / HTTP/1.1\r\nHost: a\r\n${h2c}Content-Length: 5\r\n\r\nhello`;
    const get = `GET /healthz HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`;
    expect(statusesIn(await saidTo(server, `${post}${get}${get}${post}`))).toEqual(['426', '200', '200', '426']);
    const chunked = `POST / HTTP/1.1\r\nHost: a\r\n${h2c}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
    expect(statusesIn(await saidTo(server, `${chunked}${get}`))).toEqual(['426', '200']);
  });

  it('may be followed by a WebSocket', async () => {
    const server = await startMooring();
    const client = await rawClient(portOf(server));
    client.socket.write(`GET /healthz HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`);
    await client.hears('"status":"ok"');
    client.socket.write(handshake(pathOf('ada', 1)));
    await client.hears(switched);
    client.socket.write(frame('hello'));
    await client.hears('hello');
  });

  it('that is reset at once harms nobody', async () => {
    const server = await startMooring();
    for (let i = 0; i < 50; i++) {
      const socket = dial(server, `GET /healthz HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`.repeat(20));
      await once(socket, 'connect');
      if (i % 2 === 0) await sleep(5);
      socket.resetAndDestroy();
    }
    expect((await server.health()).status).toBe('ok');
  });
});

describe('a WebSocket handshake', () => {
  it.each([
    ['a length', { 'Content-Length': '5' }, 'hello'],
    ['a length nobody can read', { 'Content-Length': '0, 5' }, 'hello'],
    ['chunks', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n\r\n'],
  ])('with a body is refused: %s', async (_, headers, body) => {
    const server = await startMooring();
    expect(statusesIn(await saidTo(server, `${handshake(pathOf('ada', 1), headers)}${body}`))).toEqual(['400']);
    expect((await server.health()).managers).toBe(0);
  });

  it('with a body of no bytes is none with a body', async () => {
    const server = await startMooring();
    const said = await saidTo(server, handshake(pathOf('ada', 1), { 'Content-Length': '0' }));
    expect(statusesIn(said)).toEqual(['101']);
  });

  it('behind requests that are not answered to the end is refused, after their answers', async () => {
    const server = await startMooring();
    const get = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';
    const said = await saidTo(
      server,
      `${get.repeat(3)}${handshake(pathOf('ada', 1))}${frame('hello').toString('latin1')}`,
    );
    expect(statusesIn(said)).toEqual(['200', '200', '200', '400']);
  });

  it('behind a request that is answered is let in', async () => {
    const server = await startMooring();
    const client = await rawClient(portOf(server));
    client.socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.hears('"status":"ok"');
    client.socket.write(handshake(pathOf('ada', 1)));
    await client.hears(switched);
  });
});

describe('a drain', () => {
  const slowly = ['--set', 'drainWaveSize=1', '--set', 'drainWaveInterval=1s'];

  it('is told to health checks and newcomers until the last manager is released', async () => {
    const server = await startMooring(slowly);
    for (let i = 0; i < 3; i++) await upgraded(server, 'ada', i);
    process.kill(server.pid, 'SIGTERM');
    await server.hears(({ msg }) => msg === 'server.draining');
    for (let round = 0; round < 3; round++) {
      const health = await fetch(`${server.url.replace('ws', 'http')}/healthz`);
      expect([health.status, await health.json()]).toMatchObject([503, { status: 'draining' }]);
      const newcomer = await upgraded(server, `bob${round}`, 1);
      await newcomer.hears('drain;retry=');
      expect(newcomer.received().includes(Buffer.from([0x03, 0xf4]))).toBe(true); // 1012
      await sleep(400);
    }
    expect((await server.exited).code).toBe(0);
  });

  it('waits for nobody: idle connections, slow bodies, half requests, newcomers that do not close', async () => {
    const server = await startMooring();
    const client = await upgraded(server, 'ada', 1);
    client.socket.pause();
    dial(server);
    dial(server, 'GET / HTTP/1.1\r\nHost');
    dial(server, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx');
    dial(server, `POST / HTTP/1.1\r\nHost: a\r\n${h2c}Content-Length: 1000\r\n\r\nx`);
    dial(server, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await sleep(100);
    const askedAtMs = performance.now();
    process.kill(server.pid, 'SIGTERM');
    const coming = setInterval(() => {
      dial(server, handshake(pathOf('mallory', 1))).pause();
    }, 50);
    afterThisTest(() => {
      clearInterval(coming);
    });
    expect((await server.exited).code).toBe(0);
    expect(performance.now() - askedAtMs).toBeLessThan(10_000);
  });
});

describe('a long message', () => {
  /** A masked text message of `[[[[…`, in one frame. */
  function brackets(bytes: number): Buffer {
    const header = Buffer.alloc(14);
    header[0] = 0x81;
    header[1] = 0xff;
    header.writeBigUInt64BE(BigInt(bytes), 2);
    return Buffer.concat([header, Buffer.alloc(bytes, '{"type":[')]);
  }

  it('is closed 1009 from 1 MiB on, before it has come', async () => {
    const server = await startMooring();
    const client = await upgraded(server, 'ada', 1);
    client.socket.write(brackets(90_000_000).subarray(0, 1_000));
    await client.hears(Buffer.from([0x88, 0x02, 0x03, 0xf1]));
  });

  it('is taken where --max-payload allows it, and no nesting keeps others waiting', async () => {
    const server = await startMooring(['--max-payload', '16MiB', '--set', 'stallTolerance=1s']);
    const client = await upgraded(server, 'ada', 1);
    client.socket.write(brackets(16 * 1_024 * 1_024));
    await new Promise<void>((resolve) => {
      let bytes = 0;
      client.socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > 16 * 1_024 * 1_024) resolve();
      });
    });
    client.socket.write(brackets(16 * 1_024 * 1_024 + 1));
    await once(client.socket, 'end');
    expect(client.received().subarray(-4)).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xf1]));
    expect(server.lines.filter(({ msg }) => msg === 'process.stalled')).toEqual([]);
  });
});

describe('a request for a whole URL', () => {
  const password = 'hunter2';

  it.each(['GET', 'POST', 'DELETE', 'OPTIONS'])(
    '%s is answered by both ports, and the log has no password',
    async (method) => {
      const server = await startMooring(['--log-level', 'debug']);
      const adminPort = Number(new URL(await server.adminUrl()).port);
      for (const path of ['/nothing', '/healthz', '', '?a=b', '/api/v1/overview', '/api/v1/nothing'])
        for (const port of [portOf(server), adminPort]) {
          const client = await rawClient(port);
          client.socket.write(
            `${method} http://root:${password}@127.0.0.1:${port}${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
          );
          await once(client.socket, 'close');
          const [status] = statusesIn(client.received().toString('latin1'));
          expect(Number(status), `${method} ${path} on ${port}`).toBeLessThan(500);
        }
      expect(JSON.stringify(server.lines)).not.toContain(password);
    },
  );
});
