import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket as ClientSocket } from 'socket.io-client';
import { Decoder, Encoder } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import { findManager, managerOf } from '../../src/adapters/socket-io.js';
import { reconnectWhenTold } from '../../src/client/index.js';
import { heapUsed } from '../support/heap.js';
import { afterThisTest } from '../support/setup.js';
import { endOf, joined, socketIoServer, whoIs, type SocketIoServer } from '../support/socket-io-server.js';

const connectError = { refuse: 'connect_error' } as const;

interface PollingSession {
  post(packets: string): Promise<Response>;
  poll(): Promise<string>;
}

/** A session by polling, without a client library: it asks for data only when the test says so. */
async function pollingSession(server: SocketIoServer, query = ''): Promise<PollingSession> {
  const base = `${server.url}/socket.io/?EIO=4&transport=polling${query}`;
  const { sid } = JSON.parse((await (await fetch(base)).text()).slice(1)) as { sid: string };
  const url = `${base}&sid=${sid}`;
  return {
    post: (body) => fetch(url, { method: 'POST', body }),
    poll: async () => (await fetch(url)).text(),
  };
}

const connectAs = (userId: string, threadId: string): string => `40${JSON.stringify({ userId, threadId })}`;

/** An upgrade request by hand, so that its TCP connection can be ended in every way. */
function upgradeTo(server: SocketIoServer, query = '') {
  const tcp = connect(Number(new URL(server.url).port), '127.0.0.1');
  tcp.on('error', () => undefined);
  tcp.write(
    `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  return tcp;
}

describe('a client that goes', () => {
  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'with %s() while its request is authenticated is noticed, and ends nothing else',
    async (go) => {
      let signal: AbortSignal | undefined;
      const server = await socketIoServer({
        attach: {
          at: 'request',
          authenticate: (_, call) => {
            signal = call.signal;
            return new Promise<never>(() => undefined);
          },
        },
      });
      const tcp = upgradeTo(server);
      await expect.poll(() => signal).toBeDefined();
      tcp[go]();
      await expect.poll(() => signal?.aborted).toBe(true);
    },
  );

  it('while the allowRequest of the application is slow is not admitted', async () => {
    const server = await socketIoServer({
      io: {
        allowRequest: (_, callback) =>
          void setTimeout(() => {
            callback(null, true);
          }, 200),
      },
      attach: { at: 'request', authenticate: () => ({ userId: 'ada', threadId: 'thread_1' }) },
    });
    const tcp = upgradeTo(server);
    await sleep(50);
    tcp.destroy();
    await sleep(300);
    expect(server.said('manager.admitted')).toEqual([]);
  });

  it('during a slow middleware is not authenticated, and leaves nothing', async () => {
    let asked = 0;
    const server = await socketIoServer({
      attach: { authenticate: (socket) => (asked++, whoIs(socket)) },
    });
    let entered = 0;
    server.io.use((_, next) => {
      entered += 1;
      setTimeout(next, 200);
    });
    const client = server.client('ada', 1, { reconnection: false });
    await expect.poll(() => entered).toBe(1);
    client.io.engine.close();
    await expect.poll(() => server.unanswered).toBe(0);
    expect(asked).toBe(0);
    expect(server.mooring.waitingCount).toBe(0);
  });
});

describe('a flood of CONNECTs', () => {
  it('before admission ends the session, and leaves nothing', async () => {
    const server = await socketIoServer({
      closeGraceMs: 100,
      attach: { authenticate: () => sleep(100).then(() => null) },
    });
    const session = await pollingSession(server);
    await session.post(Array<string>(1_000).fill('40').join('\x1e'));
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
    await expect.poll(() => server.unanswered).toBe(0);
  });

  it('after admission calls authenticate a hundred times at most', async () => {
    let asked = 0;
    const server = await socketIoServer({
      closeGraceMs: 100,
      attach: {
        authenticate: (socket) => (asked++, asked === 1 ? whoIs(socket) : new Promise<never>(() => undefined)),
      },
    });
    server.io.of('/a');
    const session = await pollingSession(server);
    await session.post(connectAs('ada', 'thread_1'));
    await expect.poll(() => server.mooring.managerCount).toBe(1);
    await session.post(Array<string>(1_000).fill('40/a,').join('\x1e'));
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
    expect(asked).toBeLessThanOrEqual(101);
  });
});

describe('a takeover', () => {
  it('that is decided in the same turn as the admission leaves one socket', async () => {
    let open = (): void => undefined;
    const ready = new Promise<void>((resolve) => (open = resolve));
    const server = await socketIoServer({
      attach: {
        authenticate: async (socket) => {
          await ready;
          return whoIs(socket);
        },
      },
    });
    const [first, second] = [server.client('ada', 1), server.client('ada', 1)];
    await expect.poll(() => server.unanswered).toBe(2);
    const ends = [first, second].map((client) => endOf(client));
    open();
    expect(await Promise.race(ends)).toBe('disconnect io server disconnect');
    expect(server.sockets('ada')).toHaveLength(1);
    expect([first, second].filter(({ active }) => active)).toHaveLength(1);
  });

  it('reaches a client whose application removed all listeners of its socket', async () => {
    const server = await socketIoServer();
    server.io.of('/a');
    for (const name of ['/', '/a']) server.io.of(name).on('connection', (socket) => socket.removeAllListeners());
    const one = await server.connected('ada', 1);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_1' } });
    await joined(two);
    one.disconnect();
    await expect.poll(() => server.io.sockets.sockets.size).toBe(0);
    const ended = endOf(two);
    await server.connected('ada', 1);
    expect(await ended).toBe('disconnect io server disconnect');
  });
});

describe('a refused client', () => {
  it('that is held after a CONNECT_ERROR on the same session is let in when there is room', async () => {
    const server = await socketIoServer({
      maxTotalManagers: 1,
      contestedRetryMs: 300,
      attach: {
        namespaces: (name) => name !== '/free',
        authenticate: (socket) => (socket.handshake.auth['userId'] === undefined ? null : whoIs(socket)),
      },
    });
    server.io.of('/free');
    const first = await server.connected('bob', 1);
    const free = await server.connected('ada', 2, { namespace: '/free' });
    const second = free.io.socket('/', {});
    expect(await endOf(second)).toMatch(/^connect_error missing/);
    second.auth = { userId: 'ada', threadId: 'thread_2' };
    second.connect();
    await expect
      .poll(() => server.said('admission.refused').some(({ closeCause }) => closeCause === 'capacity'))
      .toBe(true);
    first.disconnect();
    await joined(second);
    expect(free.connected).toBe(true);
  });

  it('that tried too often on a session that another namespace uses is let in after the time', async () => {
    const server = await socketIoServer({
      attach: {
        namespaces: (name) => name !== '/free',
        attemptRate: { limit: 2, windowMs: 1_500 },
        authenticate: (socket) => (socket.handshake.auth['userId'] === undefined ? null : whoIs(socket)),
      },
    });
    server.io.of('/free');
    const free = await server.connected('ada', 1, { namespace: '/free' });
    const { id } = free;
    const second = free.io.socket('/', {});
    expect(await endOf(second)).toMatch(/^connect_error missing/);
    second.auth = { userId: 'ada', threadId: 'thread_1' };
    second.connect();
    await expect.poll(() => server.said('socket.rejected').length).toBe(1);
    await joined(second);
    expect(free.id).toBe(id);
  });

  it('whose authenticate failed for a later namespace joins it later', async () => {
    let asked = 0;
    const server = await socketIoServer({
      contestedRetryMs: 200,
      attach: {
        authenticate: (socket) => {
          asked += 1;
          if (asked === 2) throw new Error('the database is away');
          return whoIs(socket);
        },
      },
    });
    server.io.of('/a');
    const one = await server.connected('ada', 1);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_1' } });
    await joined(two);
    expect(asked).toBe(3);
  });

  it('is still authenticated for one namespace when it joins another that is left out', async () => {
    let answer = (): void => undefined;
    let asked = 0;
    const server = await socketIoServer({
      attach: {
        namespaces: (name) => name !== '/free',
        authenticate: (socket) => {
          asked += 1;
          if (asked === 1) return whoIs(socket);
          return new Promise((resolve) => {
            answer = () => {
              resolve(whoIs(socket));
            };
          });
        },
      },
    });
    server.io.of('/free');
    server.io.of('/a');
    const one = await server.connected('ada', 1);
    const two = one.io.socket('/a', { auth: { userId: 'ada', threadId: 'thread_1' } });
    await expect.poll(() => asked).toBe(2);
    await joined(one.io.socket('/free', {}));
    answer();
    await joined(two);
  });

  it('whose WebSocket does not answer a close is destroyed after closeGraceMs', async () => {
    const server = await socketIoServer({ closeGraceMs: 200, authenticateTimeoutMs: 100 });
    const tcp = upgradeTo(server);
    tcp.on('data', () => undefined);
    await expect.poll(() => connectionsOf(server)).toBe(1);
    await expect.poll(() => connectionsOf(server), { timeout: 5_000 }).toBe(0);
  });

  it('leaves no listeners on a connection that is kept alive', async () => {
    const server = await socketIoServer({ attach: { at: 'request', authenticate: () => null } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    afterThisTest(() => {
      agent.destroy();
    });
    let listeners = 0;
    server.http.on('connection', (socket) => {
      const count = setInterval(() => (listeners = Math.max(listeners, socket.listenerCount('close'))), 1);
      socket.once('close', () => {
        clearInterval(count);
      });
    });
    for (let i = 0; i < 15; i++) await request(`${server.url}/socket.io/?EIO=4&transport=polling`, agent);
    expect(listeners).toBeLessThan(8);
  });

  it('that was displaced while its request is authenticated gets an answer', async () => {
    const server = await socketIoServer({
      maxUnadmittedSockets: 8,
      attach: {
        at: 'request',
        keyOf: ({ url = '' }) => new URL(url, 'http://x').searchParams.get('from') ?? '',
        authenticate: () => new Promise<never>(() => undefined),
      },
    });
    const get403 = (from: string) => fetch(`${server.url}/socket.io/?EIO=4&transport=polling&from=${from}`);
    const answers: number[] = [];
    for (let i = 0; i < 8; i++)
      void get403('1.1.1.1').then(
        ({ status }) => answers.push(status),
        () => undefined,
      );
    await sleep(100);
    void get403('2.2.2.2').catch(() => undefined);
    await expect.poll(() => answers).toEqual([403]);
  });
});

describe('detach', () => {
  it('leaves a session alone that has not joined yet', async () => {
    const server = await socketIoServer({ authenticateTimeoutMs: 300 });
    const session = await pollingSession(server);
    server.detach();
    await session.post(connectAs('ada', 'thread_1'));
    await sleep(600);
    expect(server.io.sockets.sockets.size).toBe(1);
  });
});

describe('detach while a request is authenticated', () => {
  it('lets it in, without a manager', async () => {
    let isAsked = false;
    const server = await socketIoServer({
      attach: {
        at: 'request',
        authenticate: () => {
          isAsked = true;
          return new Promise<never>(() => undefined);
        },
      },
    });
    const client = server.client('ada', 1);
    await expect.poll(() => isAsked).toBe(true);
    server.detach();
    await joined(client);
    expect(server.mooring.managerCount).toBe(0);
  });
});

describe('by polling', () => {
  it('a client that takes long to read an answer keeps its place', async () => {
    const server = await socketIoServer({ environment: 'development', maxManagersPerUser: 1, attach: connectError });
    const session = await pollingSession(server);
    await session.post(connectAs('ada', 'thread_1'));
    await session.poll();
    const [socket] = server.io.sockets.sockets.values();
    socket?.emit('big', 'x'.repeat(15_000_000));
    const agent = new Agent();
    const sid = (socket?.conn as unknown as { id: string }).id;
    const reading = slowly(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, agent);
    await sleep(300);
    expect(await endOf(server.client('ada', 2))).toMatch(/^connect_error quota/);
    expect(server.mooring.getManager({ userId: 'ada', threadId: 'thread_1' })).toBeDefined();
    reading.destroy();
  });

  it('the close of an application frees the place at once', async () => {
    const server = await socketIoServer();
    const session = await pollingSession(server);
    await session.post(connectAs('ada', 'thread_1'));
    await expect.poll(() => server.mooring.managerCount).toBe(1);
    server.io.disconnectSockets(true);
    await sleep(0);
    expect(server.mooring.managerCount).toBe(0);
    expect(server.said('manager.released')[0]?.reason).toBe('closed');
  });

  it('every kind of binary data is counted', async () => {
    const server = await socketIoServer();
    await server.connected('ada', 1, { way: 'polling' });
    const [socket] = server.sockets('ada');
    const transport = socket && managerOf(socket).connection?.transport;
    socket?.emit('bytes', new ArrayBuffer(10), new Uint16Array(10));
    await expect.poll(() => transport?.bytesSent).toBeGreaterThan(30);
  });
});

describe('activity', () => {
  it('is no broadcast, of binary data either', async () => {
    const server = await socketIoServer();
    await server.connected('ada', 1);
    const [socket] = server.sockets('ada');
    const before = socket && managerOf(socket).lastOutboundAtMs;
    await sleep(300);
    server.io.emit('presence', Buffer.from('x'));
    expect(socket && managerOf(socket).lastOutboundAtMs).toBe(before);
  });

  it('is told from keepalives with a parser of binary packets too', async () => {
    const parser = binaryParser();
    const server = await socketIoServer({ io: { parser } });
    const client = await server.connected('ada', 1, { parser });
    const [socket] = server.sockets('ada');
    const manager = socket && managerOf(socket);
    await sleep(300);
    const before = manager?.lastInboundAtMs;
    const arrived = new Promise((resolve) => socket?.once('ping', resolve));
    client.emit('ping');
    await arrived;
    expect(manager?.lastInboundAtMs).toBe(before);
    await expect
      .poll(() => {
        client.emit('message', 'hello');
        return manager?.lastInboundAtMs;
      })
      .toBeGreaterThan(before ?? 0);
  });
});

describe('attach after detach', () => {
  it('still refuses another user on a session that is managed', async () => {
    const server = await socketIoServer();
    server.io.of('/a');
    const one = await server.connected('ada', 1);
    server.detach();
    const { attach } = await import('../../src/adapters/socket-io.js');
    attach(server.io, { mooring: server.mooring, authenticate: whoIs });
    const two = one.io.socket('/a', { auth: { userId: 'bob', threadId: 'thread_1' } });
    expect(await endOf(two)).toMatch(/^connect_error wrong/);
  });

  it('frees namespaces that come and go', async () => {
    const server = await socketIoServer({ io: { cleanupEmptyChildNamespaces: true } });
    server.io.of(/^\/room-\d+$/);
    const rooms: WeakRef<object>[] = [];
    for (let i = 0; i < 10; i++) {
      const name = `/room-${i}`;
      const client = await server.connected('ada', 1, { namespace: name });
      rooms.push(new WeakRef(server.io.of(name)));
      client.disconnect();
      await expect.poll(() => server.io._nsps.has(name)).toBe(false);
    }
    await expect
      .poll(
        () => {
          heapUsed(); // collects
          return rooms.filter((room) => room.deref() !== undefined).length;
        },
        { timeout: 5_000 },
      )
      .toBeLessThan(5);
  });
});

describe('reconnectWhenTold', () => {
  it('leaves a client away that the application disconnected while it waited', async () => {
    const server = await socketIoServer({ maxTotalManagers: 1, contestedRetryMs: 200 });
    await server.connected('ada', 1);
    const { client, told } = server.helped('bob', 2);
    await expect.poll(() => told.length).toBe(1);
    client.disconnect();
    await sleep(500);
    expect(told).toHaveLength(1);
    expect(client.active).toBe(false);
  });

  it('sends what the application has put into auth since', async () => {
    const server = await socketIoServer({ attach: { authenticate: whoIs } });
    const auth: Record<string, unknown> = { userId: 'ada', threadId: 'thread_1' };
    const client = server.client('ada', 1, { auth, autoConnect: false });
    const stop = reconnectWhenTold(client);
    auth['token'] = 'new';
    client.connect();
    await joined(client);
    expect(server.sockets('ada')[0]?.handshake.auth).toEqual({ ...auth, mooring: 1 });
    client.disconnect();
    client.auth = (send) => {
      send({ userId: 'ada', threadId: 'thread_2' });
    };
    client.connect();
    await joined(client);
    expect(server.sockets('ada')[0]?.handshake.auth).toEqual({ userId: 'ada', threadId: 'thread_2', mooring: 1 });
    stop();
    expect(client.auth).toBeTypeOf('function');
  });

  it('takes sockets of every type of events', () => {
    const check = (typed: ClientSocket<{ news: (count: number) => void }, { say: (text: string) => void }>): void => {
      reconnectWhenTold(typed)();
    };
    expect(check).toBeTypeOf('function');
  });
});

describe('findManager', () => {
  it.each([[null], [undefined], [{}], ['socket']])('of %j is undefined', (wrong) => {
    expect(findManager(wrong as never)).toBeUndefined();
  });
});

function connectionsOf(server: SocketIoServer): Promise<number> {
  return new Promise((resolve) => {
    server.http.getConnections((_, count) => {
      resolve(count);
    });
  });
}

function request(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}

/** Reads 64 kB every 40 ms. */
function slowly(url: string, agent: Agent) {
  const asked = get(url, { agent }, (response) => {
    response.pause();
    const reading = setInterval(() => void response.read(65_536), 40);
    response.once('close', () => {
      clearInterval(reading);
    });
  });
  asked.on('error', () => undefined);
  return asked;
}

/** A parser like that of msgpack: each packet is one Buffer. */
function binaryParser() {
  class BinaryEncoder extends Encoder {
    override encode(packet: Parameters<Encoder['encode']>[0]): Buffer[] {
      return super.encode(packet).map((part) => Buffer.from(String(part)));
    }
  }
  class BinaryDecoder extends Decoder {
    override add(data: unknown): void {
      super.add(Buffer.from(data as Uint8Array).toString());
    }
  }
  return { Encoder: BinaryEncoder, Decoder: BinaryDecoder };
}
