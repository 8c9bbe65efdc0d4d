import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, ServerResponse, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attach, findManager, managerOf, type AttachOptions } from '../../src/adapters/ws.js';
import { createMooring } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { userOfQuery, wsServer, type WsServer } from '../support/ws-server.js';

type WsModule = typeof WebSocket & { readonly Server: typeof WebSocketServer; readonly WebSocket: typeof WebSocket };

const load = createRequire(import.meta.url) as (name: string) => WsModule;

/** What is needed to attach. */
function options(): AttachOptions {
  return { mooring: createMooring({ environment: 'production', env: {} }), authenticate: userOfQuery };
}

function dial(url: string, more: object = {}): WebSocket {
  const client = new WebSocket(url, more);
  client.on('error', () => undefined);
  afterThisTest(() => {
    client.terminate();
  });
  return client;
}

const closeOf = async (client: WebSocket): Promise<string> => {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return `${code} ${reason.toString()}`;
};

describe('a server of a ws that ignores options.WebSocket', () => {
  const tooOld = ['ws-7', 'ws-8.0', 'ws-8.4'];

  it.each(tooOld)('cannot be attached to: %s', (name) => {
    const server = new (load(name).Server)({ noServer: true });
    expect(() => attach(server, options())).toThrow(TypeError);
    expect(() => attach(server, options())).toThrow(
      /got an instance of WebSocketServer.*[Uu]pdate ws to 8\.5 or newer/,
    );
    expect(Object.hasOwn(server, 'handleUpgrade')).toBe(false);
  });

  it.each(tooOld)('cannot be attached to though somebody has set it: %s', (name) => {
    const { Server } = load(name);
    class Own extends Server {}
    const server = new Own({ noServer: true, WebSocket: load(name) });
    expect(() => attach(server, options())).toThrow(/ignores options\.WebSocket.*[Uu]pdate ws/);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /got undefined, wanted the WebSocketServer of ws 8\.5 or newer/],
    ['an HTTP server', createServer(), /got an instance of Server, wanted/],
    ['an emitter', new EventEmitter(), /wanted the WebSocketServer/],
    ['a fake', { options: {}, handleUpgrade: () => undefined, on: () => undefined }, /ignores options\.WebSocket/],
  ])('is not %s', (_, server, problem) => {
    expect(() => attach(server as WebSocketServer, options())).toThrow(problem);
  });
});

describe("the application's own copy of ws", () => {
  it.each(['ws-8.5', 'ws'])('is managed: %s', async (name) => {
    const { Server, WebSocket: Class } = load(name);
    const server = new Server({ port: 0, host: '127.0.0.1' });
    const { mooring, authenticate } = options();
    attach(server, { mooring, authenticate });
    afterThisTest(async () => {
      await mooring.stop();
      server.close();
    });
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const { port } = server.address() as AddressInfo;
    const client = dial(`ws://127.0.0.1:${port}/?userId=ada&threadId=thread_1`);
    const [socket] = await connected;
    expect(socket).toBeInstanceOf(Class);
    expect(managerOf(socket).userId).toBe('ada');
    socket.on('message', (content: Buffer) => {
      socket.send(content.toString());
    });
    if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
  });
});

describe('a socket that comes out unmanaged while Mooring is attached', () => {
  async function expectRefused(server: WsServer, connections: () => number): Promise<void> {
    expect(await closeOf(dial(server.url('ada', 'thread_1')))).toBe('1011 unmanaged');
    expect([connections(), server.server.clients.size]).toEqual([0, 0]);
    expect(server.said('socket.unmanaged')).toHaveLength(1);
    await server.hears('manager.released');
  }

  it('of a class set after attach is refused', async () => {
    let connections = 0;
    const server = await wsServer({ serve: () => (connections += 1) });
    server.server.options.WebSocket = WebSocket;
    await expectRefused(server, () => connections);
  });

  it('of a class set for the call, after a slow authentication, is refused', async () => {
    let connections = 0;
    const authenticate = async (request: IncomingMessage) => {
      await sleep(20);
      return userOfQuery(request);
    };
    const server = await wsServer({ serve: () => (connections += 1), attach: { authenticate } });
    server.server.options.WebSocket = WebSocket;
    await expectRefused(server, () => connections);
  });

  it.each(['handleUpgrade', 'completeUpgrade'] as const)('of a server with its own %s is refused', async (method) => {
    let connections = 0;
    class Own extends WebSocketServer {}
    const own = (...args: unknown[]): void => {
      const basic = (WebSocketServer.prototype as unknown as Record<string, (...args: unknown[]) => void>)[method];
      basic?.apply(server, [
        ...args.slice(0, -1),
        (ws: unknown, asked: unknown) => server.emit('connection', ws, asked),
      ]);
    };
    Object.assign(Own.prototype, { [method]: own });
    const http = createServer();
    const server = new Own({ noServer: true });
    server.on('connection', () => (connections += 1));
    const { mooring, authenticate } = options();
    const said: string[] = [];
    mooring.on('socket.unmanaged', ({ reason }) => said.push(reason));
    attach(server, { mooring, authenticate });
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, () => (connections += 1));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(async () => {
      await mooring.stop();
      http.close();
    });
    const { port } = http.address() as AddressInfo;
    expect(await closeOf(dial(`ws://127.0.0.1:${port}/?userId=ada&threadId=thread_1`))).toBe('1011 unmanaged');
    expect([connections, said.length, server.clients.size]).toEqual([0, 1, 0]);
    while (mooring.managerCount > 0) await sleep(5);
  });

  it('is let through once Mooring is detached, and one that was connected before always', async () => {
    const seen: unknown[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => seen.push(socket));
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await once(dial(url), 'open');
    const { mooring, authenticate } = options();
    const detach = attach(server, { mooring, authenticate });
    const [first] = seen;
    server.emit('connection', first);
    expect(seen).toEqual([first, first]);
    detach();
    await once(dial(url), 'open');
    expect([seen.length, Object.hasOwn(server, 'emit')]).toEqual([3, false]);
    server.close();
  });
});

describe('a socket that has no manager', () => {
  /** What a framework may hand out before it has a socket, and a client's socket. */
  const strangers = () => [undefined, null, {}, 'socket', dial('ws://127.0.0.1:9')];

  it('is found to have none', () => {
    expect(strangers().map((one) => findManager(one as never))).toEqual(Array(5).fill(undefined));
  });

  it('makes managerOf throw, which names the way to ask without that', () => {
    for (const one of strangers()) expect(() => managerOf(one as never)).toThrow(TypeError);
    expect(() => managerOf(undefined as never)).toThrow(
      'got undefined, wanted a WebSocket of ws. Where that may be, use findManager()',
    );
    expect(() => managerOf(dial('ws://127.0.0.1:9'))).toThrow(
      /not come through a server with attach\(\), or is not admitted/,
    );
  });
});

describe('the data of a socket', () => {
  it('is what authenticate returned, with the type that the application gives', async () => {
    const authenticate = () => ({ userId: 'ada', threadId: 'thread_1', data: { plan: 'pro' } });
    const server = await wsServer({ attach: { authenticate } });
    const connected = once(server.server, 'connection') as Promise<[WebSocket]>;
    dial(server.url('ada', 'thread_1'));
    const [socket] = await connected;
    const plan: string = managerOf<{ plan: string }>(socket).data.plan;
    expect([plan, findManager<{ plan: string }>(socket)?.data.plan]).toEqual(['pro', 'pro']);
  });
});

describe('what a framework puts around handleUpgrade', () => {
  /** A framework that does it for one call, as `ws` works within the call. */
  async function framework(around: (server: WebSocketServer, request: IncomingMessage, call: () => void) => void) {
    const ended = { authenticated: (): void => undefined };
    const authenticate = async (request: IncomingMessage) => {
      if (request.url?.includes('slow') === true) await new Promise<void>((resolve) => (ended.authenticated = resolve));
      else await sleep(10);
      return userOfQuery(request);
    };
    const server = await wsServer({ ws: { noServer: true }, attach: { authenticate } });
    const http = createServer();
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      around(server.server, request, () => {
        server.server.handleUpgrade(request, socket, head, (upgraded) => {
          server.server.emit('connection', upgraded, request);
        });
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(() => {
      http.close();
      http.closeAllConnections();
    });
    const url = (thread: string): string =>
      `ws://127.0.0.1:${(http.address() as AddressInfo).port}/?userId=ada&threadId=thread_${thread}`;
    return { server: server.server, url, ended };
  }

  const headersOf = async (client: WebSocket): Promise<IncomingMessage['headers']> => {
    const opened = once(client, 'open');
    const [response] = (await once(client, 'upgrade')) as [IncomingMessage];
    await opened;
    return response.headers;
  };

  it('a response of its own to the upgrade, as @fastify/websocket makes one for its routes, is no earlier request', async () => {
    const { url } = await framework((_, request, call) => {
      new ServerResponse(request).assignSocket(request.socket);
      call();
    });
    const client = new WebSocket(url('1'));
    await once(client, 'open');
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
    client.terminate();
  });

  it('an upgrade that is injected for a test, and has no socket, is managed like others', async () => {
    const attempts = {
      attemptRate: { limit: 9 },
      authenticate: async (request: IncomingMessage) => {
        await sleep(10);
        return userOfQuery(request);
      },
    };
    const server = await wsServer({ ws: { noServer: true }, attach: attempts });
    const [there, back] = [new PassThrough(), new PassThrough()];
    const request = {
      method: 'GET',
      url: '/?userId=ada&threadId=thread_1',
      headers: {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    };
    const upgraded = new Promise<WebSocket>((resolve) => {
      const stream = Duplex.from({ readable: there, writable: back });
      server.server.handleUpgrade(request as unknown as IncomingMessage, stream, Buffer.alloc(0), resolve);
    });
    expect(managerOf(await upgraded).userId).toBe('ada');
    expect(String(back.read())).toContain('101 Switching Protocols');
    expect(server.said('attempts.uncounted')).toHaveLength(1);
  });

  it('its headers listener is called for its own request only, and none is left', async () => {
    const { server, url, ended } = await framework((wss, { url: asked = '' }, call) => {
      const add = (headers: string[]): void => {
        headers.push(`X-For: ${asked}`);
      };
      wss.on('headers', add);
      call();
      wss.off('headers', add);
    });
    const slow = headersOf(dial(url('slow')));
    await sleep(30);
    expect((await headersOf(dial(url('fast'))))['x-for']).toMatch(/fast$/);
    ended.authenticated();
    expect((await slow)['x-for']).toMatch(/slow$/);
    expect(server.listenerCount('headers')).toBe(0);
  });

  it('a headers listener for one handshake is called at that one', async () => {
    const { server, url, ended } = await framework((wss, { url: asked = '' }, call) => {
      wss.once('headers', (headers) => headers.push(`X-For: ${asked}`));
      call();
    });
    const slow = headersOf(dial(url('slow')));
    await sleep(30);
    expect((await headersOf(dial(url('fast'))))['x-for']).toMatch(/fast$/);
    ended.authenticated();
    expect((await slow)['x-for']).toMatch(/slow$/);
    expect(server.listenerCount('headers')).toBe(0);
  });

  it('its options are those of the call, and those of the server afterwards', async () => {
    const { server, url, ended } = await framework(({ options: current }, { url: asked = '' }, call) => {
      const before = { ...current };
      current.perMessageDeflate = { threshold: 0 };
      current.handleProtocols = () => (asked.includes('slow') ? 'slow' : 'fast');
      call();
      Object.assign(current, before);
    });
    const { perMessageDeflate, handleProtocols } = server.options;
    const slow = new WebSocket(url('slow'), ['slow', 'fast']);
    const opened = once(slow, 'open');
    await sleep(30);
    const fast = new WebSocket(url('fast'), ['slow', 'fast']);
    await once(fast, 'open');
    server.options.maxPayload = 77;
    ended.authenticated();
    await opened;
    expect([slow.protocol, slow.extensions]).toEqual(['slow', 'permessage-deflate']);
    expect([fast.protocol, fast.extensions]).toEqual(['fast', 'permessage-deflate']);
    expect([server.options.perMessageDeflate, server.options.handleProtocols]).toEqual([
      perMessageDeflate,
      handleProtocols,
    ]);
    expect(server.options.maxPayload).toBe(77);
    slow.terminate();
    fast.terminate();
  });

  it('a whole set of options in place of the others is that of the call, and goes with it', async () => {
    const { server, url } = await framework((wss, _, call) => {
      const before = wss.options;
      wss.options = { ...before, handleProtocols: () => 'of the call' };
      call();
      wss.options = before;
    });
    const before = server.options;
    const client = new WebSocket(url('1'), ['of', 'the']);
    client.on('error', () => undefined);
    const [response] = (await once(client, 'upgrade')) as [IncomingMessage];
    expect(response.headers['sec-websocket-protocol']).toBe('of the call');
    expect(server.options).toBe(before);
    client.terminate();
  });
});

describe('a connection that was replaced, released, or closed by the application', () => {
  it.each<[string, (server: WsServer, socket: WebSocket) => unknown]>([
    ['taken over', (server) => once(dial(server.url('ada', 'thread_1')), 'open')],
    ['released', (server) => server.mooring.releaseAll('ada')],
    [
      'closed by the application',
      (_, socket) => {
        socket.close(4000);
      },
    ],
    [
      'released while it is paused',
      (server, socket) => {
        socket.pause();
        server.mooring.releaseAll('ada');
      },
    ],
  ])('%s: its messages reach the application no more, its end does', async (_, end) => {
    const heard: string[] = [];
    const sockets: WebSocket[] = [];
    const server = await wsServer({
      serve: (socket) => {
        sockets.push(socket);
        if (sockets.length > 1) return;
        for (const name of ['message', 'ping', 'pong', 'close']) {
          socket.on(name, (payload: unknown) => heard.push(`${name} ${String(payload)}`));
        }
      },
      config: { closeGraceMs: 300 },
    });
    const client = dial(server.url('ada', 'thread_1'));
    await once(client, 'open');
    client.send('before');
    client.send('frag', { fin: false });
    while (heard.length === 0) await sleep(5);
    const [first] = sockets;
    // A client that does not know of the end yet goes on talking.
    client.pause();
    await end(server, first!);
    client.send('mented', { fin: true });
    client.send('after');
    client.ping('after');
    client.pong('after');
    await sleep(50);
    client.resume();
    await once(first!, 'close');
    expect(heard).toEqual(['message before', expect.stringMatching(/^close \d+$/)]);
    expect(await new Promise((resolve) => first!.send('late', resolve))).toBeInstanceOf(Error);
  });
});
