import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { admit, findManager, managerOf, type SocketAdmission } from '../../src/adapters/ws.js';
import type { ContextFields } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { closeOf, dial } from '../support/ws-client.js';
import { wsServer, type WsServer, type WsServerOptions } from '../support/ws-server.js';

interface Later extends WsServer {
  readonly admissions: SocketAdmission[];
  readonly messages: string[];
}

/** A server whose clients say in their first message who they are, as JSON. It notes all messages. */
async function laterServer(options: WsServerOptions = {}): Promise<Later> {
  const admissions: SocketAdmission[] = [];
  const messages: string[] = [];
  const server = await wsServer({
    serve: (socket) => {
      socket.once('message', (data: Buffer) => {
        void admit(socket, JSON.parse(data.toString()) as ContextFields | null).then((admission) =>
          admissions.push(admission),
        );
        socket.on('message', (text: Buffer) => messages.push(text.toString()));
      });
    },
    ...options,
    attach: { authenticate: 'later', ...options.attach },
  });
  return Object.assign(server, { admissions, messages });
}

async function open(server: WsServer): Promise<WebSocket> {
  const client = dial(`ws://127.0.0.1:${server.port}/`);
  await once(client, 'open');
  return client;
}

async function join(server: WsServer, userId: string, threadId: string): Promise<WebSocket> {
  const client = await open(server);
  client.send(JSON.stringify({ userId, threadId }));
  return client;
}

describe('a client that says in its first message who it is', () => {
  it('is managed once it has said so, and gets the limit of its user', async () => {
    const server = await laterServer({ maxManagersPerUser: 2 });
    await join(server, 'ada', 'thread_1');
    await join(server, 'ada', 'thread_2');
    await expect.poll(() => server.admissions.length).toBe(2);
    expect(server.managers.map((manager) => manager?.threadId)).toEqual(['thread_1', 'thread_2']);
    const third = await join(server, 'ada', 'thread_3');
    expect(await closeOf(third)).toMatch(/^1013 quota;retry=/);
    await expect.poll(() => server.admissions.at(-1)?.refusal?.code).toBe('quota.exceeded');
    expect(server.countOf('ada')).toBe(2);
  });

  it('takes its thread over from an older connection', async () => {
    const server = await laterServer();
    const first = await join(server, 'ada', 'thread_1');
    await server.admits('thread_1');
    const closed = closeOf(first);
    await join(server, 'ada', 'thread_1');
    expect(await closed).toBe('4409 replaced');
    expect(server.countOf('ada')).toBe(1);
  });

  it('sends messages that count as activity from then on, and gets them all', async () => {
    const server = await laterServer();
    const client = await join(server, 'ada', 'thread_1');
    for (let i = 0; i < 3; i++) client.send(`message ${i}`);
    await expect.poll(() => server.messages).toEqual(['message 0', 'message 1', 'message 2']);
    const [socket] = server.server.clients;
    if (socket === undefined) throw new Error('no client');
    expect(managerOf(socket).threadId).toBe('thread_1');
  });

  it.each([
    ['nobody', null, '4401 missing'],
    ['nonsense', { userId: 7, threadId: 'thread_1' }, '1008 userId must be'],
    ['a thread with no prefix', { userId: 'ada', threadId: 'x' }, '1008 threadId'],
  ])('is refused if it is %s', async (_, said, close) => {
    const server = await laterServer();
    const client = await open(server);
    client.send(JSON.stringify(said));
    expect(await closeOf(client)).toContain(close);
    await expect.poll(() => server.admissions.map(({ manager }) => manager)).toEqual([null]);
  });

  it('and does not say it in time is closed with 4401, and no failure is reported', async () => {
    const server = await laterServer({ authenticateTimeoutMs: 100 });
    const client = await open(server);
    expect(await closeOf(client)).toBe('4401 missing');
    expect(server.said('authentication.failed')).toEqual([]);
  });

  it('and leaves before gets no manager', async () => {
    const server = await laterServer();
    const client = await open(server);
    const [socket] = server.server.clients;
    client.close();
    await once(client, 'close');
    if (socket === undefined) throw new Error('no client');
    if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
    const { refusal } = await admit(socket, { userId: 'ada', threadId: 'thread_1' });
    expect([refusal?.code, server.countOf('ada'), findManager(socket)]).toEqual(['admission.cancelled', 0, undefined]);
  });

  it('counts as unauthenticated before', async () => {
    const server = await laterServer({ maxUnadmittedSockets: 1 });
    const first = await open(server);
    const second = dial(`ws://127.0.0.1:${server.port}/`);
    const [error] = (await once(second, 'error')) as [Error];
    expect(error.message).toContain('503');
    first.send(JSON.stringify({ userId: 'ada', threadId: 'thread_1' }));
    await server.admits('thread_1');
    await join(server, 'ada', 'thread_2');
    await server.admits('thread_2');
  });

  it('gets 503 if verifyClient never answers, and counts no longer', async () => {
    const server = await laterServer({
      ws: { verifyClient: ({ req }, answer) => req.url === '/' && (answer(true), undefined) },
      maxUnadmittedSockets: 1,
      authenticateTimeoutMs: 200,
    });
    const stuck = dial(`ws://127.0.0.1:${server.port}/stuck`);
    const [error] = (await once(stuck, 'error')) as [Error];
    expect(error.message).toContain('503');
    await join(server, 'ada', 'thread_1');
    await server.admits('thread_1');
  });

  it('is turned down by verifyClient as before, and counts no longer', async () => {
    const server = await laterServer({
      ws: { verifyClient: ({ req }: { req: IncomingMessage }) => req.url === '/' },
      maxUnadmittedSockets: 1,
    });
    const refused = dial(`ws://127.0.0.1:${server.port}/no`);
    const [error] = (await once(refused, 'error')) as [Error];
    expect(error.message).toContain('401');
    await join(server, 'ada', 'thread_1');
    await server.admits('thread_1');
  });

  it('hears 1012 if the server stops meanwhile', async () => {
    const server = await laterServer();
    const client = await open(server);
    const closed = closeOf(client);
    void server.mooring.stop();
    expect(await closed).toMatch(/^1012 drain/);
  });

  it('cannot fill the memory before: at most 64 KiB are read, and the rest once it is admitted', async () => {
    const sockets: WebSocket[] = [];
    let bytes = 0;
    const server = await laterServer({
      serve: (socket) => {
        sockets.push(socket);
        socket.on('message', (data: Buffer) => (bytes += data.length));
      },
    });
    const client = await open(server);
    const total = 4_000 * 1_024;
    for (let i = 0; i < 4_000; i++) client.send(Buffer.alloc(1_024));
    await expect.poll(() => sockets[0]?.isPaused).toBe(true);
    expect(bytes).toBeLessThan(1_024 * 1_024);
    const [socket] = sockets;
    if (socket === undefined) throw new Error('no client');
    await admit(socket, { userId: 'ada', threadId: 'thread_1' });
    await expect.poll(() => bytes).toBe(total);
  });

  it('gives no more messages to the application once it is refused', async () => {
    const server = await laterServer({ maxManagersPerUser: 0 });
    const client = await join(server, 'ada', 'thread_1');
    for (let i = 0; i < 100; i++) client.send(`message ${i}`);
    await closeOf(client);
    const { length } = server.messages;
    await expect.poll(() => server.server.clients.size).toBe(0);
    expect(server.messages).toHaveLength(length);
  });
});

describe('admit()', () => {
  it('says what it wanted: no second call, no socket of another server, no other thing', async () => {
    const server = await laterServer({ serve: () => undefined });
    await open(server);
    const [socket] = server.server.clients;
    if (socket === undefined) throw new Error('no client');
    await admit(socket, { userId: 'ada', threadId: 'thread_1' });
    expect(() => admit(socket, { userId: 'ada', threadId: 'thread_2' })).toThrow(/for this socket already/);

    const plain = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(plain, 'listening');
    dial(`ws://127.0.0.1:${(plain.address() as { port: number }).port}/`);
    afterThisTest(() => {
      plain.close();
    });
    const [unmanaged] = (await once(plain, 'connection')) as [WebSocket];
    expect(() => admit(unmanaged, null)).toThrow(/authenticate: 'later'/);
    const other: unknown = {};
    expect(() => admit(other as WebSocket, null)).toThrow(TypeError);
  });
});
