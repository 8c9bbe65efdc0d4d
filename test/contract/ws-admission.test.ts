import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import { attach, managerOf } from '../../src/adapters/ws.js';
import { AuthenticationError, createMooring } from '../../src/index.js';
import { frame, handshake, rawClient } from '../support/raw-client.js';
import { afterThisTest, uncaughtException } from '../support/setup.js';
import { userOfQuery, wsServer, type WsServer } from '../support/ws-server.js';

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
    expect([server.mooring.managerCount, server.server.clients.size]).toEqual([0, 0]);
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
    expect(server.mooring.managerCount).toBe(0);
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

  it.each<[string, (origin: string) => unknown]>([
    ['throws', () => fail()],
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['gives a promise', () => Promise.resolve(true)],
    ['gives something else', () => 'yes'],
  ])('an origin is not allowed by a function that %s, which is reported', async (_, allowedOrigins) => {
    const server = await wsServer({ attach: { allowedOrigins: allowedOrigins as () => boolean } });
    expect(await endOf(dial(server.url('ada', 'thread_1'), { origin: 'https://any.example' }))).toBe('HTTP 403');
    expect(server.said('authentication.failed')).toHaveLength(1);
    await opened(dial(server.url('ada', 'thread_2')));
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
          return userOfQuery(request);
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
    expect(await endOf(client)).toMatch(/^1013 quota;retry=\d+\.\d\d;max=0$/);
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
    expect(await endOf(dial(server.url('alan', 'thread_1')))).toMatch(/^1013 capacity;retry=\d+\.\d\d$/);
    await opened(dial(server.url('ada', 'thread_1')));
    expect(server.mooring.managerCount).toBe(2);
  });
});

describe('a client that vanishes while it is being authenticated', () => {
  it.each([
    ['with a FIN', (client: Awaited<ReturnType<typeof rawClient>>) => client.socket.end()],
    ['with a RST', (client: Awaited<ReturnType<typeof rawClient>>) => client.socket.resetAndDestroy()],
  ])('%s leaves nothing once its authentication has ended', async (_, vanish) => {
    let isFirst = true;
    const server = await wsServer({
      config: capOfOne,
      attach: {
        authenticate: async (request) => {
          if (!isFirst) return userOfQuery(request);
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
    await sleep(300);
    expect(server.countOf('ada')).toBe(0);
    await expectNobodyUnadmitted(server);
  });
});

describe('what a client says while it is being authenticated', () => {
  it.each([1, 60, 2_000])('is not lost: %i messages', async (count) => {
    const authenticate = async (request: IncomingMessage) => {
      await sleep(100);
      return userOfQuery(request);
    };
    const server = await wsServer({ attach: { authenticate } });
    const client = await rawClient(server.port);
    client.socket.write(handshake('/?userId=ada&threadId=thread_1'));
    for (let i = 1; i <= count; i++) client.socket.write(frame(`message ${i} ${'x'.repeat(80)}`));
    await client.hears(`message ${count} `);
    expect(
      client
        .received()
        .toString('latin1')
        .match(/message \d+ /g),
    ).toHaveLength(count);
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
        const hold = manager.hold();
        socket.once('message', () => hold());
        manager.onRelease(({ reason }) => {
          released.push(reason);
        });
      },
    });
    const client = await opened(dial(server.url('ada', 'thread_1')));
    expect(server.managerOf('ada', 'thread_1').isHeld).toBe(true);
    client.send('done');
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
    const [socket] = server.server.clients;
    if (socket === undefined) throw new Error('no socket');
    for (const payload of ['a', 'b', 'c']) {
      // While one of ours is unanswered, its pong may be the answer that the application waits for.
      await vi.waitFor(() => {
        expect(managerOf(socket).connection?.pings).toBeNull();
        socket.ping(payload);
      }, 10_000);
      const before = pings;
      await vi.waitFor(() => {
        expect(pings, 'its own ping, and one of ours after it').toBeGreaterThan(before + 1);
        expect(pongs).toContain(payload);
      }, 10_000);
    }
    expect(pongs.filter((payload) => /^[abc]$/.test(payload))).toEqual(['a', 'b', 'c']);
    expect(pongs).toHaveLength(3);
  });
});

describe("an exception of the application's", () => {
  const slowly = async (request: IncomingMessage) => {
    await sleep(10);
    return userOfQuery(request);
  };
  const thrower = (): void => {
    throw new Error("the application's own");
  };

  it.each([
    ['at once', { authenticate: userOfQuery }],
    ['later', { authenticate: slowly }],
    ['within an attempt rate', { attemptRate: { limit: 100, windowMs: 60_000 } }],
  ])('from its connection listener, of a client let in %s, is uncaught as it would be without', async (_, options) => {
    const server = await wsServer({ attach: options, serve: thrower });
    const uncaught = uncaughtException();
    const client = await opened(dial(server.url('ada', 'thread_1')));
    expect((await uncaught).message).toBe("the application's own");
    expect(server.said('authentication.failed')).toEqual([]);
    expect(server.countOf('ada')).toBe(1);
    client.close();
    await server.hears('manager.released');
  });

  it.each([
    ['at once', userOfQuery],
    ['later', slowly],
  ])('from handleProtocols, of a client let in %s, is uncaught, and the slot comes back', async (_, authenticate) => {
    const server = await wsServer({
      attach: { authenticate },
      ws: { handleProtocols: () => fail() },
      config: { ticketMs: 100, authenticateTimeoutMs: 100 },
    });
    const uncaught = uncaughtException();
    const ended = endOf(dial(server.url('ada', 'thread_1'), { protocols: ['chat'] }));
    expect((await uncaught).message).toBe('broken');
    await server.hears('manager.released');
    expect(server.releases).toEqual({ unattached: 1 });
    await ended;
  });
});

describe('a Mooring', () => {
  it.each([
    ['no mooring', { authenticate: userOfQuery }, /^mooring: got undefined, wanted/],
    ['a class for a mooring', { mooring: createMooring, authenticate: userOfQuery }, /^mooring: got/],
    ['nobody who says who it is', { mooring: createMooring({ env: {} }) }, /^authenticate: got undefined, wanted/],
    ['a text for that', { mooring: createMooring({ env: {} }), authenticate: 'jwt' }, /^authenticate: got jwt, wanted/],
  ])('cannot be attached with %s', (_, options, problem) => {
    const server = new WebSocketServer({ noServer: true });
    expect(() => attach(server, options as never)).toThrow(problem);
    expect(Object.hasOwn(server, 'handleUpgrade')).toBe(false);
  });

  it('can be attached to a server once', async () => {
    const server = await wsServer();
    const again = () => attach(server.server, { mooring: server.mooring, authenticate: userOfQuery });
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
    server.mooring.releaseAll('ada');
    expect(server.releases).toEqual({ requested: 1 });
  });

  it('that is detached while a client is being authenticated lets it pass unmanaged', async () => {
    let letIn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letIn = resolve));
    const authenticate = async (request: IncomingMessage) => {
      await gate;
      return userOfQuery(request);
    };
    const server = await wsServer({ attach: { authenticate } });
    const client = dial(server.url('ada', 'thread_1'));
    await sleep(50);
    server.detach();
    letIn();
    await opened(client);
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
    expect([server.countOf('ada'), server.managers]).toEqual([0, [undefined]]);
  });

  it('has nothing to do with sockets connected before', async () => {
    const server = await wsServer();
    server.detach();
    const before = await opened(dial(server.url('ada', 'thread_1')));
    attach(server.server, { mooring: server.mooring, authenticate: userOfQuery });
    await opened(dial(server.url('ada', 'thread_2')));
    expect(server.countOf('ada')).toBe(1);
    before.send('hello');
    expect(String((await once(before, 'message'))[0])).toBe('hello');
  });

  it('that stops does not wait for an authentication, but tells its client', async () => {
    const server = await wsServer({ attach: { authenticate: () => new Promise<never>(() => undefined) } });
    const ended = endOf(dial(server.url('ada', 'thread_1')));
    await sleep(50);
    await server.mooring.stop();
    expect(await ended).toMatch(/^1012 drain;retry=\d+\.\d\d$/);
    expect(server.said('authentication.failed')).toEqual([]);
  });

  it('that stops tells everybody when to reconnect, those who come meanwhile and later too', async () => {
    const server = await wsServer({ config: { drainWaveSize: 1, drainWaveIntervalMs: 100 } });
    const clients = await Promise.all([1, 2, 3].map((n) => opened(dial(server.url('ada', `thread_${n}`)))));
    const ends = clients.map(endOf);
    const stopped = server.mooring.stop();
    expect(await endOf(dial(server.url('ada', 'thread_4')))).toMatch(/^1012 drain;retry=\d+\.\d\d$/);
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
