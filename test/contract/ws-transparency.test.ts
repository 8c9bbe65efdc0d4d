import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import { attach } from '../../src/adapters/ws.js';
import { createMooring, type QuotaLedger } from '../../src/index.js';
import { frame, handshake, rawClient } from '../support/raw-client.js';
import { afterThisTest } from '../support/setup.js';

/** Confirms every slot, a little later: so every client has to wait for its admission, as an open socket. */
const slowLedger: QuotaLedger = {
  acquire: async () => {
    await sleep(20);
    return { granted: true, total: 1 };
  },
  release: () => undefined,
};

/**
 * Every test runs over `ws` alone, over `ws` with Mooring, and so that every client has to wait for its admission: an
 * application must not see which of them it has.
 */
describe.each(['ws alone', 'ws with Mooring', 'ws with Mooring, waiting'])('%s', (variant) => {
  function prepare(server: WebSocketServer): void {
    const ledger = variant === 'ws with Mooring, waiting' ? { ledger: slowLedger } : {};
    const mooring = createMooring({ environment: 'production', env: {}, ...ledger });
    if (variant !== 'ws alone') {
      // Asynchronous, as most are: whatever a client sends meanwhile must not be lost.
      const authenticate = async () => {
        await sleep(20);
        return { userId: 'ada', threadId: `thread_${Math.random()}` };
      };
      attach(server, { mooring, authenticate });
    }
    afterThisTest(async () => {
      for (const socket of server.clients) socket.terminate();
      await mooring.stop();
    });
  }

  /** A server, a client of it, and the server's socket for that client. */
  async function pair(options: ServerOptions = {}, client: ClientOptions & { protocols?: string[] } = {}) {
    const { server, port } = await listen(options);
    const connected = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const near = new WebSocket(`ws://127.0.0.1:${port}/`, client.protocols ?? [], client);
    const [[far, request]] = await Promise.all([connected, once(near, 'open')]);
    return { server, near, far, request, port };
  }

  async function listen(options: ServerOptions) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
    prepare(server);
    await once(server, 'listening');
    afterThisTest(() => {
      server.close();
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  /** The first message, as text. */
  const nextMessage = async (socket: WebSocket): Promise<string> => {
    const [content] = (await once(socket, 'message')) as [Buffer];
    return content.toString();
  };

  describe('messages', () => {
    it('works through a Proxy of the socket, as instrumentation makes one', async () => {
      const { near, far } = await pair();
      const wrapped = new Proxy(far, {});
      const heard: unknown[] = [];
      near.on('message', (content: Buffer) => heard.push(content.toString()));
      near.on('ping', (payload: Buffer) => heard.push(payload.toString()));
      wrapped.on('message', (content: Buffer) => {
        wrapped.send(content);
        wrapped.ping('there?');
        wrapped.close(4000, 'done');
      });
      wrapped.on('custom', (word) => heard.push(word));
      wrapped.emit('custom', 'own');
      near.send('hello');
      const [code, reason] = (await once(near, 'close')) as [number, Buffer];
      expect([...heard, code, reason.toString()]).toEqual(['own', 'hello', 'there?', 4000, 'done']);
    });

    it('arrive, of every kind, in order', async () => {
      const { near, far } = await pair();
      const got: unknown[] = [];
      far.on('message', (content: Buffer, isBinary) => got.push(isBinary ? content.length : content.toString()));
      near.send('text');
      near.send(Buffer.alloc(100_000));
      near.send('');
      near.send('frag', { fin: false });
      near.send('mented');
      near.send('ping');
      near.send('last');
      while (got.at(-1) !== 'last') await once(far, 'message');
      expect(got).toEqual(['text', 100_000, '', 'fragmented', 'ping', 'last']);
    });

    it('of a client that does not wait for the 101 are not lost', async () => {
      const { server, port } = await listen({});
      const texts: string[] = [];
      server.on('connection', (socket) => socket.on('message', (content: Buffer) => texts.push(content.toString())));
      const client = await rawClient(port);
      client.socket.write(Buffer.concat([Buffer.from(handshake('/')), frame('with the request')]));
      await sleep(5);
      client.socket.write(frame('while you look'));
      await client.hears('101 Switching');
      client.socket.write(frame('after'));
      while (texts.length < 3) await sleep(5);
      expect(texts).toEqual(['with the request', 'while you look', 'after']);
    });

    it('over maxPayload are an error at the server and 1009 at the client', async () => {
      const { near, far } = await pair({ maxPayload: 1_000 });
      const errored = once(far, 'error') as Promise<[Error & { code: string }]>;
      const closed = once(near, 'close') as Promise<[number]>;
      near.send('x'.repeat(1_001));
      expect((await errored)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
      expect((await closed)[0]).toBe(1009);
    });

    it('are compressed where that was agreed', async () => {
      const { near, far } = await pair({ perMessageDeflate: { threshold: 0 } }, { perMessageDeflate: true });
      near.send('a'.repeat(10_000));
      expect(await nextMessage(far)).toHaveLength(10_000);
      expect([near.extensions, far.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
    });

    it.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)('come as %s where asked for', async (binaryType) => {
      const { near, far } = await pair();
      far.binaryType = binaryType;
      near.send(Buffer.from('bytes'));
      const [content] = (await once(far, 'message')) as [unknown];
      const shape = Array.isArray(content)
        ? 'fragments'
        : content instanceof ArrayBuffer
          ? 'arraybuffer'
          : 'nodebuffer';
      expect(shape).toBe(binaryType);
    });

    it('wait while the socket is paused', async () => {
      const { near, far } = await pair();
      const texts: string[] = [];
      far.on('message', (content: Buffer) => texts.push(content.toString()));
      far.pause();
      near.send('one');
      await sleep(50);
      expect(texts).toEqual([]);
      far.resume();
      while (texts.length === 0) await sleep(5);
      expect(texts).toEqual(['one']);
    });

    it('flow through a stream', async () => {
      const { near, far } = await pair();
      const stream = createWebSocketStream(far, { encoding: 'utf8' });
      near.send('in');
      expect(String((await once(stream, 'data'))[0])).toBe('in');
      stream.write('out');
      expect(await nextMessage(near)).toBe('out');
    });

    it('call back once written', async () => {
      const { near, far } = await pair();
      const got = nextMessage(near);
      expect(await new Promise((resolve) => far.send('hello', resolve))).toBeFalsy();
      expect(await got).toBe('hello');
    });

    it('on a closed socket are an error to the callback', async () => {
      const { near, far } = await pair();
      near.close();
      await once(far, 'close');
      expect(await new Promise((resolve) => far.send('late', resolve))).toBeInstanceOf(Error);
    });
  });

  describe('pings', () => {
    it("of the application's get their pong, and no other is seen", async () => {
      const { far } = await pair();
      const pongs: string[] = [];
      far.on('pong', (payload: Buffer) => pongs.push(payload.toString()));
      far.ping('mine');
      await once(far, 'pong');
      await sleep(50);
      expect(pongs).toEqual(['mine']);
    });

    it('of the client are seen and answered', async () => {
      const { near, far } = await pair();
      const pinged = once(far, 'ping') as Promise<[Buffer]>;
      near.ping('yours');
      expect((await pinged)[0].toString()).toBe('yours');
      expect(String((await once(near, 'pong'))[0])).toBe('yours');
    });

    it('of a client are left to an application that answers them itself', async () => {
      const { near, far } = await pair({ autoPong: false });
      far.on('ping', () => {
        far.pong('by hand');
      });
      near.ping();
      expect(String((await once(near, 'pong'))[0])).toBe('by hand');
    });
  });

  describe('the handshake', () => {
    it('agrees on a subprotocol of the application', async () => {
      const handleProtocols = (offered: Set<string>) => [...offered][1] ?? false;
      const { near, far } = await pair({ handleProtocols }, { protocols: ['one', 'two'] });
      expect([near.protocol, far.protocol]).toEqual(['two', 'two']);
    });

    it('takes headers of the application', async () => {
      const { server, port } = await listen({});
      server.on('headers', (headers) => headers.push('X-Application: here'));
      const near = new WebSocket(`ws://127.0.0.1:${port}`);
      const opened = once(near, 'open');
      const [response] = (await once(near, 'upgrade')) as [IncomingMessage];
      expect(response.headers['x-application']).toBe('here');
      await opened;
    });

    it.each([
      ['at once', () => false],
      ['later', (asked: object, done: (ok: boolean, code: number) => void) => setTimeout(done, 20, !asked, 401)],
    ])('is refused by verifyClient, %s', async (_, verifyClient) => {
      const { server, port } = await listen({ verifyClient });
      const near = new WebSocket(`ws://127.0.0.1:${port}`);
      const [, response] = (await once(near, 'unexpected-response')) as [unknown, IncomingMessage];
      expect(response.statusCode).toBe(401);
      expect(server.clients.size).toBe(0);
      near.on('error', () => undefined).terminate();
    });

    it.each([
      ['on another path', '/elsewhere', {}, '400 Bad Request'],
      ['without a key', '/here', { 'Sec-WebSocket-Key': 'short' }, '400 Bad Request'],
      ['of version 7', '/here', { 'Sec-WebSocket-Version': '7' }, '400 Bad Request'],
      ['with a bad extension', '/here', { 'Sec-WebSocket-Extensions': 'permessage-deflate; =' }, '400 Bad Request'],
    ])('%s is turned down', async (_, path, headers, answer) => {
      const { port } = await listen({ path: '/here', perMessageDeflate: true });
      const client = await rawClient(port);
      client.socket.write(handshake(path, headers));
      await client.hears(`HTTP/1.1 ${answer}`);
    });

    it('that is faulty is told to wsClientError', async () => {
      const { server, port } = await listen({});
      const told = once(server, 'wsClientError') as Promise<[Error]>;
      const client = await rawClient(port);
      client.socket.write(handshake('/', { 'Sec-WebSocket-Version': '7' }));
      expect((await told)[0]).toBeInstanceOf(Error);
    });

    it('gives the application the request', async () => {
      const { request } = await pair({}, { headers: { 'x-mine': '1' } });
      expect(request.headers['x-mine']).toBe('1');
    });
  });

  describe('the end', () => {
    it('is told with code and reason, whoever closes', async () => {
      const one = await pair();
      one.near.close(4001, 'client says bye');
      expect((await once(one.far, 'close')).map(String)).toEqual(['4001', 'client says bye']);
      const other = await pair();
      other.far.close(4002, 'server says bye');
      expect((await once(other.near, 'close')).map(String)).toEqual(['4002', 'server says bye']);
    });

    it('of a client that is cut off is 1006', async () => {
      const { near, far } = await pair();
      near.terminate();
      expect((await once(far, 'close'))[0]).toBe(1006);
    });

    it('of a client that breaks the protocol is an error and 1002', async () => {
      const { server, port } = await listen({});
      const connected = once(server, 'connection') as Promise<[WebSocket]>;
      const client = await rawClient(port);
      client.socket.write(handshake('/'));
      const [far] = await connected;
      const errored = once(far, 'error') as Promise<[Error & { code: string }]>;
      client.socket.write(frame('', 3));
      expect((await errored)[0].code).toBe('WS_ERR_INVALID_OPCODE');
      await client.hears(Buffer.from([0x88, 0x02, 0x03, 0xea]));
      expect((await once(far, 'close'))[0]).toBe(1006);
    });
  });

  describe('the server', () => {
    it('has the socket among its clients, without listeners of anybody else', async () => {
      const { server, far } = await pair();
      expect([...server.clients]).toEqual([far]);
      expect(far.eventNames().filter((name) => name !== 'close')).toEqual([]);
      expect(far.listenerCount('close')).toBe(1);
    });

    it('makes sockets of the class it was given', async () => {
      class Custom extends WebSocket {
        readonly isMine = true;
      }
      const { far } = await pair({ WebSocket: Custom });
      expect(far).toBeInstanceOf(Custom);
      expect(far).toHaveProperty('isMine', true);
    });

    it('works beside an HTTP server', async () => {
      const http = createServer((_, response) => response.end('plain'));
      const server = new WebSocketServer({ server: http });
      prepare(server);
      await checkHttp(http, server);
    });

    it('works without one, by handleUpgrade', async () => {
      const http = createServer((_, response) => response.end('plain'));
      const server = new WebSocketServer({ noServer: true });
      prepare(server);
      http.on('upgrade', (request, stream, head) => {
        server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
      });
      await checkHttp(http, server);
    });
  });

  async function checkHttp(http: ReturnType<typeof createServer>, server: WebSocketServer): Promise<void> {
    server.on('connection', (socket) => socket.on('message', (content: Buffer) => socket.send(content.toString())));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(() => {
      http.close();
      http.closeAllConnections();
    });
    const { port } = http.address() as AddressInfo;
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('plain');
    const near = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(near, 'open');
    near.send('echo');
    expect(await nextMessage(near)).toBe('echo');
  }
});
