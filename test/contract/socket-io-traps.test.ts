import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Socket as EngineSocket, Transport } from 'engine.io';
import { Server } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { attach, findManager, managerOf, type AttachOptions } from '../../src/adapters/socket-io.js';
import { createMooring } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { dial } from '../support/ws-client.js';
import {
  endOf,
  joined,
  socketIoServer,
  whoIs,
  type SocketIoServer,
  type SocketIoServerOptions,
} from '../support/socket-io-server.js';

const connectError = { refuse: 'connect_error' } as const;

describe('attach', () => {
  const options = (): AttachOptions => ({ mooring: createMooring({ env: {} }), authenticate: whoIs });

  it('wants a server that has an HTTP server', () => {
    expect(() => attach(new Server(), options())).toThrow(/no HTTP server yet/);
  });

  it('may come after listen', async () => {
    const http = createServer();
    const io = new Server(http);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(() => io.close());
    expect(attach(io, options())).toBeTypeOf('function');
  });

  it('cannot come twice, but again after it was detached', () => {
    const io = new Server(createServer());
    const detach = attach(io, options());
    expect(() => attach(io, options())).toThrow(/has a Mooring attached already/);
    detach();
    detach();
    attach(io, options())();
    expect(io.engine.opts.allowRequest).toBeUndefined();
  });

  it('refuses recovery that walks past middlewares', () => {
    const io = new Server(createServer(), { connectionStateRecovery: {} });
    expect(() => attach(io, options())).toThrow(/skipMiddlewares: false/);
  });

  it.each([
    [{ at: 'connection' }, 'at: got connection, wanted connect or request'],
    [{ refuse: 'close' }, 'refuse: got close, wanted hold or connect_error'],
    [{ announce: '' }, 'announce: got , wanted the name of an event of your own, or false'],
    [{ announce: 'disconnect' }, 'announce: got disconnect, wanted the name of an event of your own, or false'],
    [{ namespaces: '/chat' }, 'namespaces: got /chat, wanted a function of a name that gives true or false'],
    [{ authenticate: undefined }, 'authenticate: got undefined, wanted a function that returns the user of a socket'],
    [{ keyOf: 'ip' }, "keyOf: got ip, wanted a function that returns the client's address"],
    [{ mooring: undefined }, 'mooring: got undefined, wanted a Mooring, made by createMooring()'],
    [{ isKeepalive: /x/ }, 'isKeepalive: got /x/, wanted a function of a message that gives true or false'],
  ])('says of %j what is wrong', (wrong, message) => {
    const io = new Server(createServer());
    expect(() => attach(io, { ...options(), ...wrong } as unknown as AttachOptions)).toThrow(new TypeError(message));
  });

  it.each([[undefined], [null], [{}], ['io']])('says of %j that it is no server', (wrong) => {
    expect(() => attach(wrong as unknown as Server, options())).toThrow(/wanted a Server of Socket\.IO/);
  });

  it('leaves sockets alone that were there before', async () => {
    const http = createServer();
    const io = new Server(http);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(() => io.close());
    const { io: connectTo } = await import('socket.io-client');
    const client = connectTo(`http://127.0.0.1:${String((http.address() as { port: number }).port)}`);
    afterThisTest(() => void client.disconnect());
    await joined(client);
    attach(io, options());
    const [socket] = io.sockets.sockets.values();
    expect(socket && findManager(socket)).toBeUndefined();
    expect(() => socket && managerOf(socket)).toThrow(/has no manager/);
    const other = client.io.socket('/other', {});
    io.of('/other');
    await joined(other);
    expect(io.of('/other').sockets.size).toBe(1);
  });
});

describe('middlewares of the application', () => {
  it('come first, also those that are added later: nobody is admitted whom they refuse', async () => {
    const server = await socketIoServer();
    server.io.use((_, next) => {
      next(new Error('not you'));
    });
    expect(await endOf(server.client('ada', 1))).toBe('connect_error not you');
    expect(server.said('manager.admitted')).toEqual([]);
  });

  it('that never answer cost the client its session, after authenticateTimeoutMs', async () => {
    const server = await socketIoServer({ authenticateTimeoutMs: 300 });
    server.io.use(() => undefined);
    const client = server.client('ada', 1, { reconnection: false });
    await expect.poll(() => server.io.engine.clientsCount).toBe(1);
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
    expect(client.connected).toBe(false);
  });
});

describe('namespaces', () => {
  it('share one manager, whether made before or later, or by a pattern', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 1, attach: connectError });
    server.io.of('/later');
    server.io.of(/^\/room-\d+$/);
    const client = await server.connected('ada', 1);
    for (const name of ['/later', '/room-7']) {
      const more = client.io.socket(name, { auth: { userId: 'ada', threadId: 'thread_1' } });
      await joined(more);
      const [socket] = server.io.of(name).sockets.values();
      expect(socket && findManager(socket)).toBe(findManager(server.sockets('ada')[0]!));
    }
    expect(server.mooring.managerCountOf('ada')).toBe(1);
    expect(await endOf(server.client('ada', 2, { namespace: '/later' }))).toMatch(/^connect_error quota/);
    expect(await endOf(server.client('ada', 2, { namespace: '/room-8' }))).toMatch(/^connect_error quota/);
  });

  it('may be left out: they count for nothing, and their sessions are no newcomers', async () => {
    const server = await socketIoServer({
      authenticateTimeoutMs: 200,
      attach: { namespaces: (name: string) => name !== '/admin' },
    });
    server.io.of('/admin');
    const client = await server.connected('ada', 1, { namespace: '/admin' });
    await sleep(500);
    expect(client.connected).toBe(true);
    expect(server.mooring.managerCount).toBe(0);
    const more = client.io.socket('/', { auth: { userId: 'ada', threadId: 'thread_1' } });
    await joined(more);
    expect(server.mooring.managerCountOf('ada')).toBe(1);
  });

  it('joined at once are decided once, and refused alike', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 1, attach: connectError });
    server.io.of('/a');
    await server.connected('ada', 1);
    const one = server.client('ada', 2);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_2' } });
    const ends = await Promise.all([endOf(one), endOf(two)]);
    expect(ends[0]).toMatch(/^connect_error quota/);
    expect(ends[1]).toBe(ends[0]);
    expect(server.said('admission.refused')).toHaveLength(1);
  });

  it('joined at once are let in together', async () => {
    const server = await socketIoServer();
    server.io.of('/a');
    const one = server.client('ada', 2);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_2' } });
    await Promise.all([joined(one), joined(two)]);
    expect(server.mooring.managerCountOf('ada')).toBe(1);
  });

  it('may be joined again on the same session after a refusal', async () => {
    const server = await socketIoServer({
      maxManagersPerUser: 1,
      attach: { ...connectError, namespaces: (n) => n !== '/free' },
    });
    server.io.of('/free');
    const first = await server.connected('ada', 1);
    const free = await server.connected('ada', 2, { namespace: '/free' });
    const second = free.io.socket('/', { auth: { userId: 'ada', threadId: 'thread_2' } });
    expect(await endOf(second)).toMatch(/^connect_error quota/);
    first.disconnect();
    await expect.poll(() => server.mooring.managerCount).toBe(0);
    second.connect();
    await joined(second);
  });

  it.each([
    ['another user', { userId: 'bob', threadId: 'thread_1' }, /^connect_error wrong/],
    ['nobody', { userId: null, threadId: null }, /^connect_error/],
  ])('are refused to %s than the first said', async (_, auth, message) => {
    const server = await socketIoServer({ attach: { authenticate: (socket) => socket.handshake.auth as never } });
    server.io.of('/a');
    const one = await server.connected('ada', 1);
    const two = one.io.socket('/a', { auth });
    expect(await endOf(two)).toMatch(message);
    expect(one.connected).toBe(true);
  });

  it('of the same user with another thread belong to the first thread', async () => {
    const server = await socketIoServer();
    server.io.of('/a');
    const one = await server.connected('ada', 1);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_2' } });
    await joined(two);
    expect(server.mooring.managersOf('ada').map(({ threadId }) => threadId)).toEqual(['thread_1']);
  });

  it('all hear of the close, and of its reason', async () => {
    const server = await socketIoServer();
    server.io.of('/a');
    const one = await server.connected('ada', 1);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_1' } });
    await joined(two);
    const ends = Promise.all([endOf(one), endOf(two)]);
    server.mooring.releaseAll('ada');
    expect(await ends).toEqual(['disconnect io server disconnect', 'disconnect io server disconnect']);
  });
});

describe('connection state recovery', () => {
  it('gives the place back at once, and admits the recovered session', async () => {
    const server = await socketIoServer({
      maxManagersPerUser: 1,
      io: { connectionStateRecovery: { skipMiddlewares: false } },
    });
    const client = await server.connected('ada', 1);
    server.sockets('ada')[0]?.emit('so that there is an offset');
    await sleep(50);
    client.io.engine.close();
    await expect.poll(() => client.connected).toBe(false);
    await joined(client);
    expect(client.recovered).toBe(true);
    expect(server.mooring.managerCountOf('ada')).toBe(1);
    const [socket] = server.sockets('ada');
    expect(socket && findManager(socket)?.threadId).toBe('thread_1');
  });

  it('leaves what the application sends to one socket activity', async () => {
    const server = await socketIoServer({ io: { connectionStateRecovery: { skipMiddlewares: false } } });
    await server.connected('ada', 1);
    const [socket] = server.sockets('ada');
    if (socket === undefined) throw new Error('no socket');
    const before = managerOf(socket).lastOutboundAtMs;
    await sleep(300);
    server.io.emit('to all');
    expect(managerOf(socket).lastOutboundAtMs).toBe(before);
    socket.emit('to one');
    expect(managerOf(socket).lastOutboundAtMs).toBeGreaterThan(before);
  });
});

describe('activity', () => {
  async function lone(more: SocketIoServerOptions['attach'] = {}) {
    const server = await socketIoServer({ attach: more });
    const client = await server.connected('ada', 1);
    const [socket] = server.sockets('ada');
    if (socket === undefined) throw new Error('no socket');
    const manager = managerOf(socket);
    await sleep(300);
    return { server, client, socket, manager };
  }

  it.each([
    ['ping', []],
    ['heartbeat', [{ t: 1 }]],
    ['presence', ['here']],
  ])('is not the event %s %j', async (event, args) => {
    const { client, socket, manager } = await lone({ isKeepalive: (name) => name === 'presence' });
    const before = manager.lastActivityAtMs;
    client.emit(event, ...args);
    await once(socket as unknown as NodeJS.EventEmitter, event);
    expect(manager.lastActivityAtMs).toBe(before);
  });

  it('is an event with content, with an id, in a namespace, or binary', async () => {
    for (const [event, ...args] of [['ping', 'what is this?'], ['message'], ['message', Buffer.from('binary')]]) {
      const { client, manager } = await lone();
      const before = manager.lastInboundAtMs;
      // Again and again: the time of an activity may be a little old.
      await expect
        .poll(() => {
          client.emit(String(event), ...args);
          return manager.lastInboundAtMs;
        })
        .toBeGreaterThan(before);
    }
  });

  it('is no answer without content, but one with content', async () => {
    const { client, socket, manager } = await lone();
    client.on('question', (text: string | null, answer: (text?: string) => void) => {
      if (text === null) answer();
      else answer(text);
    });
    await socket.emitWithAck('question', null);
    const inboundAtMs = manager.lastInboundAtMs;
    await sleep(300);
    await socket.emitWithAck('question', null);
    expect(manager.lastInboundAtMs).toBe(inboundAtMs);
    await socket.emitWithAck('question', 'what?');
    expect(manager.lastInboundAtMs).toBeGreaterThan(inboundAtMs);
  });

  it.each([
    [false, 'toBe'],
    [true, 'toBeGreaterThan'],
  ] as const)('with countBroadcasts %j: an event to all', async (countBroadcasts, matcher) => {
    const { server, manager } = await lone({ countBroadcasts });
    const before = manager.lastActivityAtMs;
    server.io.emit('presence', 'to all');
    expect(manager.lastActivityAtMs)[matcher](before);
  });

  it('is what the application sends', async () => {
    const { socket, manager } = await lone();
    const before = manager.lastActivityAtMs;
    socket.emit('answer', 'a token');
    expect(manager.lastActivityAtMs).toBeGreaterThan(before);
  });
});

describe('an upgrade from polling', () => {
  it('is no second admission, and counts on', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 1 });
    const client = server.client('ada', 1, { way: 'upgrade' });
    await joined(client);
    const [manager] = server.mooring.managersOf('ada');
    const counts: number[][] = [];
    const note = (): void => {
      const transport = manager?.connection?.transport;
      if (transport !== undefined) counts.push([transport.bytesReceived, transport.bytesSent]);
    };
    note();
    await expect
      .poll(() => {
        note();
        return client.io.engine.transport.name;
      })
      .toBe('websocket');
    for (let i = 0; i < 20; i++) {
      await client.emitWithAck('echo', 'x'.repeat(i * 100));
      note();
    }
    for (let i = 1; i < counts.length; i++) {
      expect(counts[i]![0]).toBeGreaterThanOrEqual(counts[i - 1]![0]!);
      expect(counts[i]![1]).toBeGreaterThanOrEqual(counts[i - 1]![1]!);
    }
    expect(server.said('manager.admitted')).toHaveLength(1);
    expect(server.said('connection.replaced')).toEqual([]);
  });
});

describe('a session that ends early', () => {
  it('gives its place in the queue back while its CONNECT waits, and leaves nothing', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 1 });
    const mute = dial(`${server.url}/socket.io/?EIO=4&transport=websocket`, { autoPong: false });
    mute.once('message', () => {
      mute.send(`40${JSON.stringify({ userId: 'ada', threadId: 'thread_mute' })}`);
    });
    await expect.poll(() => server.mooring.managerCountOf('ada')).toBe(1);
    const second = server.client('ada', 2, { reconnection: false });
    await expect.poll(() => server.mooring.waitingCountOf('ada')).toBe(1);
    second.io.engine.close();
    await expect.poll(() => server.said('admission.cancelled').length).toBe(1);
    expect(server.mooring.waitingCountOf('ada')).toBe(0);
    await expect.poll(() => server.unanswered).toBe(0);
  });

  it('leaves nothing when it is held', async () => {
    const server = await socketIoServer({ maxTotalManagers: 1 });
    await server.connected('ada', 1);
    const second = server.client('bob', 2, { reconnection: false });
    await expect.poll(() => server.said('admission.refused').length).toBe(1);
    second.io.engine.close();
    await expect.poll(() => server.unanswered).toBe(0);
  });

  it('gives its place back while authenticate is under way, whose signal is aborted', async () => {
    let signal: AbortSignal | null = null;
    const server = await socketIoServer({
      attach: {
        authenticate: (_, call) => {
          signal = call.signal;
          return new Promise<never>(() => undefined);
        },
      },
    });
    const client = server.client('ada', 1, { reconnection: false });
    await expect.poll(() => signal).not.toBeNull();
    client.io.engine.close();
    await expect.poll(() => signal?.aborted).toBe(true);
  });
});

describe('authenticate', () => {
  it.each([
    ['gives nothing', () => null, /^connect_error missing/],
    ['throws', () => Promise.reject(new Error('the database is away')), /^connect_error authentication;retry=/],
    ['names no thread', () => ({ userId: 'ada' }) as never, /^connect_error threadId/],
  ])('that %s', async (_, authenticate, message) => {
    const server = await socketIoServer({ attach: { ...connectError, authenticate } });
    expect(await endOf(server.client('ada', 1))).toMatch(message);
  });

  it('that takes too long is a failure of the server, and its client is held', async () => {
    const server = await socketIoServer({
      authenticateTimeoutMs: 200,
      attach: { authenticate: () => new Promise<never>(() => undefined) },
    });
    const client = server.client('ada', 1);
    await expect.poll(() => server.said('authentication.failed').length).toBe(1);
    expect(client.active).toBe(true);
    expect(client.connected).toBe(false);
  });

  it('is not asked for a session that joins no namespace, which is closed', async () => {
    const server = await socketIoServer({ authenticateTimeoutMs: 200, closeGraceMs: 100 });
    const reply = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
    expect(reply.status).toBe(200);
    expect(server.io.engine.clientsCount).toBe(1);
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
  });
});

describe('requests', () => {
  it('are rejected before a session is made: an origin that is not allowed, and too many attempts', async () => {
    const server = await socketIoServer({
      attach: { allowedOrigins: ['https://app.example'], attemptRate: { limit: 1 } },
    });
    const get = (origin: string) => fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    const rejected = await get('https://evil.example');
    expect([rejected.status, await rejected.json()]).toEqual([403, { code: 4, message: 'Forbidden' }]);
    expect((await get('https://app.example')).status).toBe(200);
    const often = await get('https://app.example');
    expect(await often.text()).toMatch(/^\{"code":4,"message":"Too Many Requests;retry=[\d.]+"\}$/);
    expect(server.io.engine.clientsCount).toBe(1);
  });
});

describe('a server that stops', () => {
  it('holds newcomers, so that they come back', async () => {
    const server = await socketIoServer();
    await server.connected('ada', 1);
    await server.mooring.stop();
    const newcomer = server.client('bob', 1);
    const heard: string[] = [];
    newcomer.on('connect_error', ({ message }) => heard.push(message));
    await sleep(500);
    expect(heard).toEqual([]);
    expect(newcomer.active).toBe(true);
  });
});

describe('a thread that two live clients fight for', () => {
  it('is told so, with a time to wait', async () => {
    const server = await socketIoServer({ attach: connectError });
    let end = '';
    for (let i = 0; i < 20 && !end.startsWith('connect_error'); i++) {
      const client = server.client('ada', 1);
      end = await Promise.race([endOf(client), joined(client).then(() => 'joined')]);
    }
    expect(end).toMatch(/^connect_error contested;retry=/);
  });
});

describe('polling without a request', () => {
  it('is closed within closeGraceMs, and its place is free at once', async () => {
    const server = await socketIoServer({ closeGraceMs: 300 });
    const base = `${server.url}/socket.io/?EIO=4&transport=polling&userId=ada`;
    const opened = await (await fetch(base)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const body = `40${JSON.stringify({ userId: 'ada', threadId: 'thread_1' })}`;
    await fetch(`${base}&sid=${sid}`, { method: 'POST', body });
    await expect.poll(() => server.mooring.managerCountOf('ada')).toBe(1);
    server.mooring.releaseAll('ada');
    expect(server.mooring.managerCountOf('ada')).toBe(0);
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
    await expect.poll(() => server.mooring.closingCount).toBe(0);
  });
});

describe('a client of Engine.IO 3 by polling', () => {
  it('cannot be asked, and keeps its place while it sends its own pings', async () => {
    const server = await socketIoServer({
      maxManagersPerUser: 1,
      io: { allowEIO3: true },
      attach: {
        ...connectError,
        authenticate: ({ handshake }) => ({ userId: 'ada', threadId: String(handshake.query['t']) }),
      },
    });
    const base = `${server.url}/socket.io/?EIO=3&transport=polling&t=thread_old`;
    const opened = await (await fetch(base)).text();
    const sid = /"sid":"([^"]+)"/.exec(opened)?.[1] ?? '';
    await expect.poll(() => server.mooring.managerCountOf('ada')).toBe(1);
    expect(await endOf(server.client('ada', 2, { query: { t: 'thread_new' } }))).toMatch(/^connect_error quota/);
    const answer = await fetch(`${base}&sid=${sid}`, { method: 'POST', body: '1:2' });
    expect(answer.status).toBe(200);
    expect(server.mooring.managerCountOf('ada')).toBe(1);
  });
});

/** A transport of Engine.IO without a socket, as WebTransport is. */
class BareTransport extends Transport {
  readonly sent: { readonly type: string; readonly data?: unknown }[] = [];
  override writable = true;
  readonly name = 'webtransport';

  constructor() {
    super({ _query: { EIO: '4' } });
  }

  override send(packets: { type: string; data?: unknown }[]): void {
    this.sent.push(...packets);
    this.emit('drain');
    for (const { type } of packets) if (type === 'ping') setImmediate(() => this.says('pong'));
  }

  override doClose(whenClosed: () => void): void {
    whenClosed();
  }

  says(type: string, data?: string): void {
    this.emit('packet', { type, data });
  }
}

describe('a transport that has no socket, and no request', () => {
  it('is admitted, pinged by packets, and closed', async () => {
    const server = await socketIoServer({
      maxManagersPerUser: 1,
      environment: 'development',
      attach: { authenticate: ({ handshake }) => handshake.auth as { userId: string; threadId: string } },
    });
    const transport = new BareTransport();
    const session = Reflect.construct(EngineSocket, ['bare', server.io.engine, transport, null, 4]) as EngineSocket;
    server.io.engine.emit('connection', session);
    transport.says('message', '0{"userId":"ada","threadId":"thread_bare"}');
    await expect.poll(() => server.mooring.managerCountOf('ada')).toBe(1);
    const manager = findManager(session);
    expect(manager?.threadId).toBe('thread_bare');
    const newcomer = server.client('ada', 2);
    await expect.poll(() => server.said('admission.refused').length).toBe(1);
    newcomer.disconnect();
    server.mooring.releaseAll('ada');
    expect(transport.sent.at(-1)).toMatchObject({ type: 'message', data: '1' });
    expect(session.readyState).toBe('closed');
  });

  it('is rejected with at: request, which has not seen it', async () => {
    const server = await socketIoServer({ attach: { at: 'request', authenticate: () => null } });
    const session = Reflect.construct(EngineSocket, [
      'bare',
      server.io.engine,
      new BareTransport(),
      null,
      4,
    ]) as EngineSocket;
    server.io.engine.emit('connection', session);
    expect(session.readyState).toBe('closed');
    expect(server.said('socket.unmanaged')).toHaveLength(1);
  });
});

describe('an HTTP server that comes after attach', () => {
  const places: [string, (server: SocketIoServer) => Promise<void>][] = [
    ['after a close', closeAndListen],
    ['besides the first', listenBesides],
  ];

  it.each(places)('%s: its clients are admitted before their sessions are made', async (_, listen) => {
    const server = await socketIoServer({
      maxManagersPerUser: 1,
      attach: { at: 'request', authenticate: whoAsks },
    });
    await listen(server);
    const client = await server.connected('ada', 1);
    expect(await client.emitWithAck('echo', 'hello')).toBe('hello');
    expect(await endOf(server.client('ada', 2, { reconnection: false }))).toMatch(/^connect_error/);
    expect(server.io.engine.clientsCount).toBe(1);
    expect(server.said('socket.unmanaged')).toEqual([]);
  });

  it.each(places)('%s: its requests are rejected too', async (_, listen) => {
    const server = await socketIoServer({ attach: { allowedOrigins: ['https://app.example'] } });
    await listen(server);
    const headers = { origin: 'https://evil.example' };
    const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers });
    expect(answer.status).toBe(403);
    await answer.body?.cancel();
  });

  it.each(places)('%s: its sessions count before they join', async (_, listen) => {
    const server = await socketIoServer({ authenticateTimeoutMs: 300, closeGraceMs: 100 });
    await listen(server);
    const session = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
    await session.body?.cancel();
    expect(server.io.engine.clientsCount).toBe(1);
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
  });

  it.each(places)('%s: is left alone after detach', async (_, listen) => {
    const server = await socketIoServer({ attach: { at: 'request', authenticate: () => null } });
    const first = server.io.engine;
    await listen(server);
    server.detach();
    const { attach } = server.io;
    expect(first.opts.allowRequest).toBeUndefined();
    expect(server.io.engine.opts.allowRequest).toBeUndefined();
    expect(attach).toBe(Server.prototype.attach);
    await listen(server);
    await server.connected('ada', 1);
    expect(server.mooring.managerCount).toBe(0);
  });
});

function whoAsks({ url = '' }: IncomingMessage): { userId: string; threadId: string } {
  const query = new URL(url, 'http://x').searchParams;
  return { userId: query.get('userId') ?? '', threadId: query.get('threadId') ?? '' };
}

async function closeAndListen({ io }: SocketIoServer): Promise<void> {
  await io.close();
  io.listen(0);
}

async function listenBesides({ io, http }: SocketIoServer): Promise<void> {
  const next = createServer();
  next.listen(0, '127.0.0.1');
  await once(next, 'listening');
  io.attach(next);
  afterThisTest(() => {
    for (const server of [http, next]) server.close();
  });
}
