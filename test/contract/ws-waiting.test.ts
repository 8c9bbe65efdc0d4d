import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions, type ServerOptions } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import { frame, handshake, rawClient, type RawClient } from '../support/raw-client.js';
import { afterThisTest, uncaughtException } from '../support/setup.js';
import { SlowLedger } from '../support/slow-ledger.js';
import { wsServer, type WsServer, type WsServerOptions } from '../support/ws-server.js';

/** A large message in short: comparing megabytes takes the test runner seconds. */
const digest = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** What the application got: texts as they are, binary messages in short, and the code of the close. */
type Got = unknown[];

const path = '/?userId=ada&threadId=thread_1';

/** A server whose newcomers wait until the ledger answers, and what its application hears. */
async function waitingServer(options: WsServerOptions = {}) {
  const ledger = new SlowLedger();
  const got: Got = [];
  const sockets: WebSocket[] = [];
  const server = await wsServer({
    ledger,
    serve: (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('message', (content: Buffer, isBinary) => got.push(isBinary ? digest(content) : content.toString()));
      socket.on('close', (code) => got.push(code));
    },
    ...options,
  });
  return { server, ledger, got, sockets };
}

/** A client that was accepted and waits. */
async function waiting(server: WsServer, options: ClientOptions = {}, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(server.url('ada', 'thread_1'), protocols, options);
  client.on('error', () => undefined);
  afterThisTest(() => {
    client.terminate();
  });
  await once(client, 'open');
  return client;
}

async function rawWaiting(server: WsServer, more = Buffer.alloc(0)): Promise<RawClient> {
  const client = await rawClient(server.port);
  client.socket.write(Buffer.concat([Buffer.from(handshake(path)), more]));
  await client.hears('101 Switching');
  return client;
}

/** Resolves once the server has read all that the client has sent: it answers pings also while the client waits. */
async function allRead(client: WebSocket): Promise<void> {
  client.ping();
  await once(client, 'pong');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

const closeOf = async (client: WebSocket): Promise<string> => {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return `${code} ${reason.toString()}`;
};

describe('a client that has to wait for its admission', () => {
  it('is open at once, and the application meets it when it is admitted', async () => {
    const { server, ledger, sockets } = await waitingServer();
    let opened = 0;
    server.mooring.on('connection.opened', () => (opened += 1));
    const client = await waiting(server);
    await sleep(30);
    expect([sockets.length, server.server.clients.size, opened]).toEqual([0, 0, 0]);
    ledger.grant();
    await until(() => sockets.length === 1);
    const [socket] = sockets;
    expect([...server.server.clients]).toEqual([socket]);
    expect(managerOf(socket!).threadId).toBe('thread_1');
    expect(client.readyState).toBe(WebSocket.OPEN);
  });

  it('is left without a trace of its wait', async () => {
    const { server, ledger, sockets } = await waitingServer({ serve: (socket) => sockets.push(socket) });
    const client = await waiting(server);
    client.send('early');
    await allRead(client);
    ledger.grant();
    await until(() => sockets.length === 1);
    await sleep(30);
    const [socket] = sockets;
    expect(socket!.eventNames()).toEqual(['close']);
    expect(socket!.listenerCount('close')).toBe(1);
    expect(['emit', 'close', 'resume'].filter((name) => Object.hasOwn(socket!, name))).toEqual([]);
    expect([socket!.binaryType, socket!.isPaused]).toEqual(['nodebuffer', false]);
    client.close();
    await until(() => server.server.clients.size === 0);
  });

  it.each<[string, ServerOptions, ClientOptions]>([
    ['plain', {}, {}],
    ['compressed', { perMessageDeflate: { threshold: 0 } }, { perMessageDeflate: { threshold: 0 } }],
    ['with deferred events', { allowSynchronousEvents: false }, {}],
  ])('loses nothing, doubles nothing, keeps the order: %s', async (_, ws, options) => {
    const { server, ledger, got } = await waitingServer({ ws });
    const client = await waiting(server, options);
    const megabyte = randomBytes(1_000_000);
    const binary = Buffer.from('bytes');
    client.send('first');
    client.send('žluťoučký kůň 🐎');
    client.send('');
    client.send('frag', { fin: false });
    client.ping();
    client.send('ment€d', { fin: true });
    client.send(binary);
    client.send(megabyte);
    client.send('half before, ', { fin: false });
    await sleep(100);
    expect(got).toEqual([]);
    ledger.grant();
    client.send('half after', { fin: true });
    client.send('last');
    await until(() => got.at(-1) === 'last');
    const expected = [
      'first',
      'žluťoučký kůň 🐎',
      '',
      'fragment€d',
      digest(binary),
      digest(megabyte),
      'half before, half after',
      'last',
    ];
    expect(got).toEqual(expected);
  });

  it('is heard with what came in one piece with its request', async () => {
    const { server, ledger, got } = await waitingServer();
    const client = await rawWaiting(server, Buffer.concat([frame('one'), frame('two')]));
    client.socket.write(frame('three'));
    await sleep(30);
    ledger.grant();
    client.socket.write(frame('four'));
    await until(() => got.length === 4);
    expect(got).toEqual(['one', 'two', 'three', 'four']);
  });

  it.each(['arraybuffer', 'fragments', 'nodebuffer'] as const)('gives binary messages as %s', async (binaryType) => {
    const { server, ledger, got } = await waitingServer({
      serve: (socket) => {
        socket.binaryType = binaryType;
        socket.on('message', (content) => got.push(content));
      },
    });
    const client = await waiting(server);
    client.send(Buffer.from('one'));
    client.send(Buffer.from('tw'), { fin: false });
    client.send(Buffer.from('o'), { fin: true });
    await allRead(client);
    ledger.grant();
    await until(() => got.length === 2);
    const wanted = {
      arraybuffer: [new Uint8Array(Buffer.from('one')).buffer, new Uint8Array(Buffer.from('two')).buffer],
      fragments: [[Buffer.from('one')], [Buffer.from('tw'), Buffer.from('o')]],
      nodebuffer: [Buffer.from('one'), Buffer.from('two')],
    };
    expect(got).toEqual(wanted[binaryType]);
  });

  it('waits on with its messages while the application has paused the socket', async () => {
    const { server, ledger, got, sockets } = await waitingServer({
      serve: (socket) => {
        socket.pause();
        sockets.push(socket);
        socket.on('message', (content: Buffer) => got.push(content.toString()));
      },
    });
    const client = await waiting(server);
    client.send('early');
    await allRead(client);
    ledger.grant();
    await until(() => sockets.length === 1);
    client.send('later');
    await sleep(50);
    expect(got).toEqual([]);
    sockets[0]!.resume();
    await until(() => got.length === 2);
    expect(got).toEqual(['early', 'later']);
  });

  it('has the rest of its messages delivered when a listener throws, and the exception is uncaught', async () => {
    const got: string[] = [];
    const { server, ledger } = await waitingServer({
      serve: (socket) =>
        socket.on('message', (content: Buffer) => {
          got.push(content.toString());
          if (got.length === 1) throw new Error("the application's own");
        }),
    });
    const client = await waiting(server);
    client.send('one');
    client.send('two');
    await allRead(client);
    const uncaught = uncaughtException();
    ledger.grant();
    expect((await uncaught).message).toBe("the application's own");
    await until(() => got.length === 2);
  });

  it('may say something and close in the same moment as it is admitted', async () => {
    const { server, ledger, got } = await waitingServer();
    const client = await waiting(server);
    client.send('early');
    await allRead(client);
    ledger.grant();
    client.send('bye');
    client.close(4001, 'done');
    await until(() => got.length === 3);
    expect(got).toEqual(['early', 'bye', 4001]);
  });

  it('is heard no more once the application has closed its socket, whichever message it closes at', async () => {
    const got: string[] = [];
    const { server, ledger } = await waitingServer({
      serve: (socket) =>
        socket.on('message', (content: Buffer) => {
          got.push(content.toString());
          socket.close(1009, 'enough');
        }),
    });
    const client = await waiting(server);
    client.send('one');
    client.send('two');
    await allRead(client);
    ledger.grant();
    expect(await closeOf(client)).toBe('1009 enough');
    expect(got).toEqual(['one']);
  });

  it('has its pings answered', async () => {
    const { server } = await waitingServer();
    const client = await waiting(server);
    client.ping('there?');
    expect(String((await once(client, 'pong'))[0])).toBe('there?');
  });

  it('has its pings answered although the application would do it itself', async () => {
    const { server } = await waitingServer({ ws: { autoPong: false } });
    const client = await waiting(server);
    client.ping('there?');
    expect(String((await once(client, 'pong'))[0])).toBe('there?');
  });

  it('is not read beyond 4 kB, however it says them', async () => {
    const { server, ledger } = await waitingServer();
    const client = await waiting(server);
    for (let i = 0; i < 400; i++) client.send(Buffer.alloc(20_000));
    await sleep(200);
    expect(client.bufferedAmount).toBeGreaterThan(500_000);
    ledger.grant();
    await until(() => client.bufferedAmount === 0);
  });

  it('may ping as often as it likes without being taken for one that says too much', async () => {
    const { server, ledger, got } = await waitingServer();
    const client = await waiting(server);
    for (let i = 0; i < 400; i++) {
      client.ping('0123456789');
      await once(client, 'pong');
    }
    client.close();
    await server.hears('admission.cancelled');
    ledger.grant();
    expect(got).toEqual([]);
  });
});

describe('the place of a client that waits comes back', () => {
  it.each<[string, (client: RawClient) => void]>([
    ['with a close frame, without a FIN', ({ socket }) => socket.write(frame('', 8))],
    ['with a FIN', ({ socket }) => socket.end()],
    ['with a RST', ({ socket }) => socket.resetAndDestroy()],
    ['with a frame that breaks the protocol', ({ socket }) => socket.write(frame('', 3))],
    ['with text that is none', ({ socket }) => socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]))],
  ])('%s', async (_, end) => {
    const { server, ledger, sockets } = await waitingServer({ config: { closeGraceMs: 200 } });
    const client = await rawWaiting(server);
    end(client);
    await server.hears('admission.cancelled');
    ledger.grant();
    if (!client.socket.destroyed) await once(client.socket, 'close');
    expect([sockets.length, server.countOf('ada'), server.server.clients.size]).toEqual([0, 0, 0]);
  });

  it.each<[string, ServerOptions['verifyClient']]>([
    ['at once', () => false],
    ['later', (asked: object, done: (ok: boolean) => void) => setTimeout(done, 20, !asked)],
  ])('if verifyClient says no, %s', async (_, verifyClient) => {
    const { server } = await waitingServer({ ws: { verifyClient } });
    const client = await rawClient(server.port);
    client.socket.write(handshake(path));
    await client.hears('401');
    await server.hears('admission.cancelled');
    expect(server.countOf('ada')).toBe(0);
  });

  it('if handleProtocols throws, which is uncaught', async () => {
    const { server } = await waitingServer({
      ws: {
        handleProtocols: () => {
          throw new Error('broken');
        },
      },
    });
    const uncaught = uncaughtException();
    const client = await rawClient(server.port);
    client.socket.write(handshake(path, { 'Sec-WebSocket-Protocol': 'chat' }));
    expect((await uncaught).message).toBe('broken');
    await server.hears('admission.cancelled');
    await client.hears('503');
  });

  it('if the server stops: it is told when to come back', async () => {
    const { server, sockets } = await waitingServer();
    const client = await waiting(server);
    const closed = closeOf(client);
    await server.mooring.stop();
    expect(await closed).toMatch(/^1012 drain;retry=/);
    expect(sockets).toEqual([]);
  });
});

describe('a client that waited in vain', () => {
  it('is told why on its open socket, and the application never hears of it', async () => {
    const { server, ledger, sockets, got } = await waitingServer();
    const client = await waiting(server);
    client.send('early');
    await allRead(client);
    ledger.deny();
    expect(await closeOf(client)).toMatch(/^1013 quota;/);
    expect([sockets, got, server.server.clients.size]).toEqual([[], [], 0]);
  });

  it('is destroyed after the grace if it does not answer', async () => {
    const { server, ledger } = await waitingServer({ config: { closeGraceMs: 100 } });
    const client = await rawWaiting(server);
    ledger.deny();
    await client.hears('quota');
    await once(client.socket, 'close');
  });

  it('closes properly although it has said more than was read', async () => {
    const { server, ledger } = await waitingServer();
    const client = await waiting(server);
    client.send(Buffer.alloc(20_000));
    await sleep(30);
    const before = Date.now();
    ledger.deny();
    expect(await closeOf(client)).toMatch(/^1013 quota;/);
    expect(Date.now() - before).toBeLessThan(900);
  });
});

describe('the handshake of a client that waits', () => {
  it('asks verifyClient, handleProtocols and headers once', async () => {
    const asked: string[] = [];
    const { server, ledger, sockets } = await waitingServer({
      ws: {
        verifyClient: () => asked.push('verifyClient') > 0,
        handleProtocols: (offered) => {
          asked.push('handleProtocols');
          return [...offered][1] ?? false;
        },
      },
    });
    server.server.on('headers', () => asked.push('headers'));
    const client = await waiting(server, {}, ['one', 'two']);
    expect(client.protocol).toBe('two');
    ledger.grant();
    await until(() => sockets.length === 1);
    expect([asked, sockets[0]!.protocol]).toEqual([['verifyClient', 'handleProtocols', 'headers'], 'two']);
  });

  it.each([
    ['granted', (ledger: SlowLedger) => ledger.grant(), 1],
    ['refused', (ledger: SlowLedger) => ledger.deny(), 0],
  ])('may come after the decision, %s', async (_, decide, connections) => {
    let verify = (): void => undefined;
    const verifyClient = (_: object, done: (ok: boolean) => void): void => {
      verify = () => {
        done(true);
      };
    };
    const { server, ledger, sockets } = await waitingServer({ ws: { verifyClient } });
    const client = new WebSocket(server.url('ada', 'thread_1'));
    const ended = closeOf(client);
    await ledger.asked();
    decide(ledger);
    await sleep(30);
    verify();
    await once(client, 'open');
    if (connections === 0) expect(await ended).toMatch(/^1013 quota/);
    await sleep(30);
    expect([sockets.length, server.server.clients.size]).toEqual([connections, connections]);
    client.terminate();
  });

  it('may come after the decision and after Mooring was detached: the socket is not managed and stays open', async () => {
    let verify = (): void => undefined;
    const verifyClient = (_: object, done: (ok: boolean) => void): void => {
      verify = () => {
        done(true);
      };
    };
    const { server, ledger, sockets } = await waitingServer({
      ws: { verifyClient },
      config: { authenticateTimeoutMs: 100 },
    });
    const client = new WebSocket(server.url('ada', 'thread_1'));
    await ledger.asked();
    ledger.grant();
    await sleep(30);
    server.detach();
    verify();
    await once(client, 'open');
    await sleep(200);
    expect([client.readyState, sockets.length, server.countOf('ada')]).toEqual([WebSocket.OPEN, 1, 0]);
    client.terminate();
  });

  it('is answered 503 if verifyClient never is done and the decision is no', async () => {
    // `ws` tells by the number of parameters that it has to wait.
    const verifyClient: ServerOptions['verifyClient'] = (asked: object, done: unknown) => {
      if (asked === done) throw new Error('cannot be');
    };
    const { server, ledger } = await waitingServer({ ws: { verifyClient }, config: { authenticateTimeoutMs: 100 } });
    const client = await rawClient(server.port);
    client.socket.write(handshake(path));
    await ledger.asked();
    ledger.deny();
    await client.hears('503');
  });

  it('is not admitted to a server that was closed meanwhile', async () => {
    const { server, ledger, sockets } = await waitingServer();
    const client = await waiting(server);
    server.server.close();
    ledger.grant();
    expect(await closeOf(client)).toMatch(/^1012 drain/);
    expect(sockets).toEqual([]);
  });
});

describe('at a full quota', () => {
  it('a newcomer is open before there is room, and is served with what it said meanwhile', async () => {
    const server = await wsServer({ config: { maxManagersPerUser: 1 } });
    const silent = await rawClient(server.port);
    silent.socket.write(handshake('/?userId=ada&threadId=thread_silent'));
    await silent.hears('101');
    const client = await waiting(server);
    client.send('hello');
    const [content] = (await once(client, 'message')) as [Buffer];
    expect(content.toString()).toBe('hello');
  });
});
