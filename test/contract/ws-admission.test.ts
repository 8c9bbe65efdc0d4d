import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions, type ServerOptions } from 'ws';
import { attach, managerOf } from '../../src/adapters/ws.js';
import { AuthenticationError } from '../../src/index.js';
import { frame, handshake, rawClient } from '../support/raw-client.js';
import { afterThisTest } from '../support/setup.js';
import { whoeverTheySay, wsServer, type WsServer } from '../support/ws-server.js';

/** A client of this process. */
function dial(url: string, { protocols = [], ...options }: ClientOptions & { protocols?: string[] } = {}): WebSocket {
  const client = new WebSocket(url, protocols, options);
  client.on('error', () => undefined);
  afterThisTest(() => {
    client.terminate();
  });
  return client;
}

/** How a connection ended: `1013 quota;…`, or `HTTP 403`. */
function endOf(client: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    client.once('close', (code, reason) => {
      resolve(`${code} ${reason.toString()}`.trim());
    });
    client.once('unexpected-response', (_, { statusCode }: IncomingMessage) => {
      resolve(`HTTP ${String(statusCode)}`);
    });
  });
}

/** Opened, and the server knows. */
async function opened(client: WebSocket): Promise<WebSocket> {
  await once(client, 'open');
  return client;
}

/** Nobody is on the way in: with a cap of 1, whoever comes next is let in. */
async function expectNobodyUnadmitted(server: WsServer): Promise<void> {
  await opened(dial(server.url('grace', 'thread_next')));
}

/** `ws` tells by the number of parameters that it has to wait. */
const neverAnswers: ServerOptions['verifyClient'] = (asked: object, answer: unknown) => {
  if (answer === asked) throw new Error('cannot be');
};

const capOfOne = { maxUnadmittedSockets: 1 };

describe('authentication', () => {
  it.each([
    ['gives nobody', () => null, '4401 missing'],
    ['says why not', () => Promise.reject(new AuthenticationError('expired')), '4401 expired'],
    ['throws', () => fail(), '1011'],
    ['rejects', () => Promise.reject(new Error('database is down')), '1011'],
    ['never answers', () => new Promise<never>(() => undefined), '1011'],
    ['gives ids that break a rule', () => ({ userId: 'ada', threadId: 'room' }), '1008 threadId'],
    ['gives a thread that is no text', () => ({ userId: 'ada', threadId: 7 }) as never, '1008 threadId'],
  ])('that %s lets nobody in', async (_, authenticate, end) => {
    const server = await wsServer({ attach: { authenticate }, config: { authenticateTimeoutMs: 200 } });
    expect(await endOf(dial(server.url('ada', 'thread_1')))).toContain(end);
    expect([server.mooring.factory.managerCount, server.server.clients.size]).toEqual([0, 0]);
    expect(server.said('authentication.failed')).toHaveLength(end === '1011' ? 1 : 0);
  });

  it('that answers after its deadline changes nothing', async () => {
    const authenticate = async () => {
      await sleep(300);
      return { userId: 'ada', threadId: 'thread_1' };
    };
    const server = await wsServer({ attach: { authenticate }, config: { authenticateTimeoutMs: 100 } });
    expect(await endOf(dial(server.url('ada', 'thread_1')))).toContain('1011');
    await sleep(300);
    expect(server.mooring.factory.managerCount).toBe(0);
  });

  it('is not asked about what is no handshake, nor about an origin that is not allowed', async () => {
    let asked = 0;
    const authenticate = () => {
      asked += 1;
      return null;
    };
    const server = await wsServer({ attach: { authenticate, allowedOrigins: ['https://ours.example'] } });
    const faulty = await rawClient(server.port);
    faulty.socket.write(handshake('/', { 'Sec-WebSocket-Key': 'none' }));
    await faulty.hears('HTTP/1.1 400');
    expect(await endOf(dial(server.url('ada', 'thread_1'), { origin: 'https://theirs.example' }))).toBe('HTTP 403');
    expect(asked).toBe(0);
  });
});

describe('before authentication', () => {
  it('an origin is allowed by list or by function, and none at all is no page', async () => {
    const listed = await wsServer({ attach: { allowedOrigins: ['https://ours.example'] } });
    await opened(dial(listed.url('ada', 'thread_1'), { origin: 'https://ours.example' }));
    await opened(dial(listed.url('ada', 'thread_2')));
    const judged = await wsServer({ attach: { allowedOrigins: (origin) => origin.endsWith('.example') } });
    await opened(dial(judged.url('ada', 'thread_1'), { origin: 'https://any.example' }));
    expect(await endOf(dial(judged.url('ada', 'thread_2'), { origin: 'https://any.test' }))).toBe('HTTP 403');
  });

  it('too many attempts of one address are answered 429, with when to come back', async () => {
    const server = await wsServer({ attach: { attemptRate: { limit: 2, windowMs: 60_000 } } });
    await opened(dial(server.url('ada', 'thread_1')));
    await opened(dial(server.url('ada', 'thread_2')));
    const client = await rawClient(server.port);
    client.socket.write(handshake('/'));
    await client.hears('\r\n\r\n');
    expect(client.received().toString()).toMatch(/^HTTP\/1.1 429 .*Retry-After: [1-9]/s);
    expect(server.countOf('ada')).toBe(2);
  });

  it('too many on their way in are answered 503, and those on their way are not hurt', async () => {
    let letIn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letIn = resolve));
    const server = await wsServer({
      config: capOfOne,
      attach: {
        authenticate: async (request) => {
          await gate;
          return whoeverTheySay(request);
        },
      },
    });
    const first = dial(server.url('ada', 'thread_1'));
    await sleep(50);
    expect(await endOf(dial(server.url('ada', 'thread_2')))).toBe('HTTP 503');
    letIn();
    await opened(first);
  });
});

describe('a refusal', () => {
  it('has the first offered subprotocol, so that a page can read it', async () => {
    const server = await wsServer({ config: { maxManagersPerUser: 0 } });
    const client = dial(server.url('ada', 'thread_1'), { protocols: ['chat.v2', 'chat.v1'] });
    await opened(client);
    expect(client.protocol).toBe('chat.v2');
    expect(await endOf(client)).toMatch(/^1013 quota;retry=\d+;max=0$/);
  });

  it('never reaches the application', async () => {
    const server = await wsServer({ config: { maxManagersPerUser: 0 } });
    let connections = 0;
    server.server.on('connection', () => (connections += 1));
    await endOf(dial(server.url('ada', 'thread_1')));
    expect([connections, server.server.clients.size]).toEqual([0, 0]);
  });

  it('of a client that does not answer the close frame ends with the grace', async () => {
    const server = await wsServer({ config: { maxManagersPerUser: 0, closeGraceMs: 100, ...capOfOne } });
    const client = await rawClient(server.port);
    client.socket.write(handshake('/?userId=ada&threadId=thread_1'));
    await client.hears('quota');
    await once(client.socket, 'close');
    expect(await endOf(dial(server.url('ada', 'thread_1')))).toContain('1013');
  });

  it('of the process as a whole is 1013 capacity, after takeover and swap', async () => {
    const server = await wsServer({ config: { maxTotalManagers: 2 } });
    await opened(dial(server.url('ada', 'thread_1')));
    await opened(dial(server.url('grace', 'thread_1')));
    expect(await endOf(dial(server.url('alan', 'thread_1')))).toMatch(/^1013 capacity;retry=\d+$/);
    await opened(dial(server.url('ada', 'thread_1')));
    expect(server.mooring.factory.managerCount).toBe(2);
  });
});

describe('a client that vanishes while it is being authenticated', () => {
  it.each([
    ['with a FIN', (client: Awaited<ReturnType<typeof rawClient>>) => client.socket.end()],
    ['with a RST', (client: Awaited<ReturnType<typeof rawClient>>) => client.socket.resetAndDestroy()],
    [
      'for sending 5 kB too early',
      (client: Awaited<ReturnType<typeof rawClient>>) => client.socket.write('x'.repeat(5_000)),
    ],
  ])('%s leaves nothing', async (_, vanish) => {
    let isFirst = true;
    const server = await wsServer({
      config: capOfOne,
      attach: {
        authenticate: async (request) => {
          if (!isFirst) return whoeverTheySay(request);
          isFirst = false;
          await sleep(200);
          return { userId: 'ada', threadId: 'thread_late' };
        },
      },
    });
    const client = await rawClient(server.port);
    client.socket.write(handshake('/'));
    await sleep(50);
    vanish(client);
    await sleep(50);
    await expectNobodyUnadmitted(server);
    await sleep(200);
    expect(server.countOf('ada')).toBe(0);
  });
});

describe('a slot that was granted', () => {
  it("comes back at once where the application's verifyClient refuses", async () => {
    const server = await wsServer({ ws: { verifyClient: () => false } });
    expect(await endOf(dial(server.url('ada', 'thread_1')))).toBe('HTTP 401');
    await server.hears('manager.released');
    expect(server.releases).toEqual({ unattached: 1 });
  });

  it('comes back where ws finds fault with the handshake after all', async () => {
    const server = await wsServer({ ws: { perMessageDeflate: true } });
    const client = await rawClient(server.port);
    client.socket.write(
      handshake('/?userId=ada&threadId=thread_1', { 'Sec-WebSocket-Extensions': 'permessage-deflate; =' }),
    );
    await client.hears('HTTP/1.1 400');
    await server.hears('manager.released');
    expect(server.countOf('ada')).toBe(0);
  });

  it('comes back after ticketMs where verifyClient never answers, and the client is told in the end', async () => {
    const server = await wsServer({
      ws: { verifyClient: neverAnswers },
      config: { ticketMs: 200, authenticateTimeoutMs: 200 },
    });
    const ended = endOf(dial(server.url('ada', 'thread_1')));
    const { reason } = await server.hears('manager.released');
    expect(reason).toBe('unattached');
    expect(await ended).toBe('HTTP 503');
  });

  it('comes back when the server stops while verifyClient is thinking', async () => {
    const server = await wsServer({ ws: { verifyClient: neverAnswers } });
    const ended = endOf(dial(server.url('ada', 'thread_1')));
    await server.hears('manager.admitted');
    await server.mooring.stop();
    expect(await ended).toBe('HTTP 503');
    expect(server.releases).toEqual({ shutdown: 1 });
  });
});

describe('the application', () => {
  it('reaches the manager from the socket, holds it, and is told of its release once', async () => {
    const released: string[] = [];
    const server = await wsServer({
      serve: (socket) => {
        const manager = managerOf(socket);
        manager?.hold();
        manager?.onRelease(({ reason }) => {
          released.push(reason);
        });
      },
    });
    const client = await opened(dial(server.url('ada', 'thread_1')));
    expect(server.managerOf('ada', 'thread_1').isHeld).toBe(true);
    client.close();
    await server.hears('manager.released');
    expect(released).toEqual(['closed']);
  });

  it('frees the slot at once with its own close, long before the client has agreed', async () => {
    const server = await wsServer({
      serve: (socket) =>
        socket.on('message', () => {
          socket.close(4000, 'enough');
        }),
    });
    const client = await rawClient(server.port);
    client.socket.write(handshake('/?userId=ada&threadId=thread_1'));
    await client.hears('101');
    client.socket.write(frame('hello'));
    await server.hears('manager.released');
    expect(server.releases).toEqual({ closed: 1 });
  });

  it('sees none of the pongs that answer our pings, and its own pings are answered among them', async () => {
    const pongs: string[] = [];
    const server = await wsServer({
      config: { heartbeatIntervalMs: 100 },
      serve: (socket) => socket.on('pong', (payload: Buffer) => pongs.push(payload.toString())),
    });
    const client = dial(server.url('ada', 'thread_1'));
    let pings = 0;
    client.on('ping', () => (pings += 1));
    await opened(client);
    for (const payload of ['a', 'b', 'c']) {
      for (const socket of server.server.clients) socket.ping(payload);
      await sleep(150);
    }
    expect(pings).toBeGreaterThan(4);
    expect(pongs.filter((payload) => /^[abc]$/.test(payload))).toEqual(['a', 'b', 'c']);
    expect(pongs).toHaveLength(3);
  });
});

describe('a Mooring', () => {
  it('can be attached to a server once', async () => {
    const server = await wsServer();
    const again = () => attach(server.server, { mooring: server.mooring, authenticate: whoeverTheySay });
    expect(again).toThrow(TypeError);
    server.detach();
    expect(again).not.toThrow();
  });

  it('that is detached leaves later sockets alone and keeps those it has', async () => {
    const server = await wsServer();
    await opened(dial(server.url('ada', 'thread_1')));
    server.detach();
    await opened(dial(server.url('ada', 'thread_2')));
    expect(server.managers.map((manager) => manager?.threadId)).toEqual(['thread_1', undefined]);
    server.mooring.factory.cleanupAllUserManagers('ada');
    expect(server.releases).toEqual({ requested: 1 });
  });

  it('has nothing to do with sockets connected before', async () => {
    const server = await wsServer();
    server.detach();
    const before = await opened(dial(server.url('ada', 'thread_1')));
    attach(server.server, { mooring: server.mooring, authenticate: whoeverTheySay });
    await opened(dial(server.url('ada', 'thread_2')));
    expect(server.countOf('ada')).toBe(1);
    before.send('hello');
    expect(String((await once(before, 'message'))[0])).toBe('hello');
  });

  it('that stops tells everybody when to reconnect, those who come meanwhile and later too', async () => {
    const server = await wsServer({ config: { drainWaveSize: 1, drainWaveIntervalMs: 100 } });
    const clients = await Promise.all([1, 2, 3].map((n) => opened(dial(server.url('ada', `thread_${n}`)))));
    const ends = clients.map(endOf);
    const stopped = server.mooring.stop();
    expect(await endOf(dial(server.url('ada', 'thread_4')))).toMatch(/^1012 drain;retry=\d+$/);
    await stopped;
    expect(await Promise.all(ends)).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/^1012 drain;retry=/) as string),
    );
    expect(await endOf(dial(server.url('ada', 'thread_5')))).toMatch(/^1012 drain/);
    expect(server.releases).toEqual({ shutdown: 3 });
  });
});

function fail(): never {
  throw new Error('broken');
}
