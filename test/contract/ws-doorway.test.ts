import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AuthenticationCall } from '../../src/adapters/ws.js';
import { handshake, rawClient } from '../support/raw-client.js';
import { closeOf, dial } from '../support/ws-client.js';
import { userOfQuery, wsServer, type WsServer } from '../support/ws-server.js';

/** `open`, a close code with its reason, or `HTTP 503`: what comes first. */
function resultOf(client: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    client.once('open', () => {
      resolve('open');
    });
    client.once('close', (code) => {
      resolve(String(code));
    });
    client.once('unexpected-response', (_, { statusCode }: IncomingMessage) => {
      resolve(`HTTP ${String(statusCode)}`);
    });
  });
}

/** Authenticates everybody but mallory, whose authentications never end. With the signals of those. */
function hanging() {
  const signals: AbortSignal[] = [];
  const authenticate = (request: IncomingMessage, { signal }: AuthenticationCall) => {
    if (userOfQuery(request).userId !== 'mallory') return userOfQuery(request);
    signals.push(signal);
    return new Promise<never>(() => undefined);
  };
  return { signals, authenticate };
}

/** A client that asks and then says nothing more. */
async function asks(server: WsServer, userId: string, thread: string | number) {
  const client = await rawClient(server.port);
  client.socket.write(handshake(`/?userId=${userId}&threadId=thread_${thread}`));
  return client;
}

describe('authentications that hang', () => {
  it('of one address leave room for others: its newest is answered 503', async () => {
    const { authenticate, signals } = hanging();
    const server = await wsServer({ config: { maxUnadmittedSockets: 8 }, attach: { authenticate } });
    const mallory = await Promise.all(Array.from({ length: 8 }, (_, i) => asks(server, 'mallory', i)));
    await expect.poll(() => signals.length).toBe(8);
    expect(await resultOf(dial(server.url('mallory', 'thread_9')))).toBe('HTTP 503');
    expect(await resultOf(dial(server.url('alice', 'thread_1'), { localAddress: '127.0.0.2' }))).toBe('open');
    await expect
      .poll(() => mallory.filter(({ received }) => received().toString().startsWith('HTTP/1.1 503')).length)
      .toBe(1);
    expect(signals.filter(({ aborted }) => aborted)).toHaveLength(1);
  });

  it('of clients that have gone keep their share until the deadline, and no longer', async () => {
    const { authenticate, signals } = hanging();
    const config = { maxUnadmittedSockets: 4, authenticateTimeoutMs: 600 };
    const server = await wsServer({ config, attach: { authenticate } });
    const mallory = await Promise.all(Array.from({ length: 4 }, (_, i) => asks(server, 'mallory', i)));
    await expect.poll(() => signals.length).toBe(4);
    for (const { socket } of mallory) socket.resetAndDestroy();
    await expect.poll(() => signals.every(({ aborted }) => aborted)).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ name: 'AbortError' });
    expect(await resultOf(dial(server.url('alice', 'thread_1')))).toBe('HTTP 503');
    expect(await resultOf(dial(server.url('alice', 'thread_1'), { localAddress: '127.0.0.2' }))).toBe('open');
    await sleep(700);
    expect(await resultOf(dial(server.url('alice', 'thread_2')))).toBe('open');
    expect(server.said('authentication.failed')).toEqual([]);
  });

  it('count by what keyOf says, where proxies are in front', async () => {
    const { authenticate, signals } = hanging();
    const keyOf = ({ headers }: IncomingMessage) => String(headers['x-client']);
    const server = await wsServer({ config: { maxUnadmittedSockets: 4 }, attach: { authenticate, keyOf } });
    const headers = (client: string) => ({ headers: { 'x-client': client } });
    for (let i = 0; i < 4; i++) dial(server.url('mallory', `thread_${i}`), headers('2001:db8::1'));
    await expect.poll(() => signals.length).toBe(4);
    expect(await resultOf(dial(server.url('bob', 'thread_1'), headers('2001:db8::2')))).toBe('HTTP 503');
    expect(await resultOf(dial(server.url('alice', 'thread_1'), headers('2001:db8:0:1::1')))).toBe('open');
  });
});

describe('the signal of an authentication', () => {
  it('is aborted at the deadline', async () => {
    const { authenticate, signals } = hanging();
    const server = await wsServer({ config: { authenticateTimeoutMs: 100 }, attach: { authenticate } });
    expect(await closeOf(dial(server.url('mallory', 'thread_1')))).toContain('1011');
    expect(signals[0]?.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('is aborted when the server drains, and newcomers are told without being authenticated', async () => {
    const { authenticate, signals } = hanging();
    const server = await wsServer({ attach: { authenticate } });
    const ended = closeOf(dial(server.url('mallory', 'thread_1')));
    await expect.poll(() => signals.length).toBe(1);
    await server.mooring.stop();
    expect(await ended).toMatch(/^1012 drain/);
    expect(signals[0]?.aborted).toBe(true);
    expect(await closeOf(dial(server.url('mallory', 'thread_2')))).toMatch(/^1012 drain/);
    expect(signals).toHaveLength(1);
  });

  it('is not aborted for a client that is let in, nor for one that is refused', async () => {
    const signals: AbortSignal[] = [];
    const authenticate = async (request: IncomingMessage, { signal }: AuthenticationCall) => {
      signals.push(signal);
      await sleep(10);
      return userOfQuery(request);
    };
    const server = await wsServer({ config: { maxManagersPerUser: 1 }, attach: { authenticate } });
    expect(await resultOf(dial(server.url('ada', 'thread_1')))).toBe('open');
    expect(await closeOf(dial(server.url('ada', 'no thread')))).toContain('1008');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('that is first asked for when it is over is aborted', async () => {
    let call: AuthenticationCall | null = null;
    const authenticate = (_: IncomingMessage, given: AuthenticationCall) => {
      call = given;
      return new Promise<never>(() => undefined);
    };
    const server = await wsServer({ config: { authenticateTimeoutMs: 50 }, attach: { authenticate } });
    await closeOf(dial(server.url('ada', 'thread_1')));
    expect(call).toMatchObject({ signal: { aborted: true } });
  });
});

describe('refused sockets that do not close', () => {
  it('keep nobody out, and one user has at most a quarter of them', async () => {
    const server = await wsServer({
      config: { maxUnadmittedSockets: 8, closeGraceMs: 60_000 },
      limitOf: (userId) => (userId === 'mallory' ? 0 : 20),
    });
    const clients: Awaited<ReturnType<typeof asks>>[] = [];
    for (let i = 0; i < 20; i++) {
      const client = await asks(server, 'mallory', i);
      await client.hears('101');
      clients.push(client);
    }
    await expect.poll(() => clients.filter(({ socket }) => !socket.destroyed && !socket.readableEnded).length).toBe(2);
    expect(await resultOf(dial(server.url('alice', 'thread_1')))).toBe('open');
  });
});

describe('a user who is refused again and again', () => {
  it('is told a second later from the sixth time on, and others at once', async () => {
    const limitOf = (userId: string) => (userId === 'mallory' ? 0 : 1);
    const server = await wsServer({ limitOf });
    for (let i = 0; i < 5; i++) expect(await closeOf(dial(server.url('mallory', `thread_${i}`)))).toContain('quota');
    const sixth = dial(server.url('mallory', 'thread_6'));
    let isClosed = false;
    const closed = closeOf(sixth).finally(() => (isClosed = true));
    await once(sixth, 'open');
    await sleep(500);
    expect(isClosed).toBe(false);
    expect(await closed).toMatch(/^1013 quota;retry=\d+\.\d\d;max=0$/);
  });
});

describe('of two attempts for a thread', () => {
  it('the one that arrived later stays, though the earlier one was authenticated after it', async () => {
    const authenticate = async (request: IncomingMessage) => {
      if (request.url?.endsWith('slow') === true) await sleep(300);
      return { userId: 'ada', threadId: 'thread_1' };
    };
    const server = await wsServer({ attach: { authenticate } });
    const older = closeOf(dial(`${server.url('ada', 'thread_1')}&slow`));
    await sleep(50);
    const newer = dial(server.url('ada', 'thread_1'));
    await once(newer, 'open');
    expect(await older).toBe('4409 replaced');
    expect([newer.readyState, server.said('connection.replaced')]).toEqual([WebSocket.OPEN, []]);
  });

  it('the earlier one stays where the later one has gone', async () => {
    const authenticate = async (request: IncomingMessage) => {
      if (request.url?.endsWith('slow') === true) await sleep(300);
      return { userId: 'ada', threadId: 'thread_1' };
    };
    const server = await wsServer({ attach: { authenticate } });
    const older = dial(`${server.url('ada', 'thread_1')}&slow`);
    await sleep(50);
    const newer = dial(server.url('ada', 'thread_1'));
    await once(newer, 'open');
    newer.close();
    await once(older, 'open');
    await sleep(50);
    expect(older.readyState).toBe(WebSocket.OPEN);
  });
});
