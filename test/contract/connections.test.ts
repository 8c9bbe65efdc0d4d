import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Socket as SocketIoSocket } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as socketIo from '../../src/adapters/socket-io.js';
import { managerOf } from '../../src/adapters/ws.js';
import { until } from '../../src/testing/contract.js';
import { connectionContract, type ConnectionFixture, type ContractPeer } from '../../src/testing/index.js';
import { pretended } from '../support/pretended-connection.js';
import { PollingClient } from '../support/polling-client.js';
import { SocketIoServer } from '../support/socket-io-server.js';
import { WsServer } from '../support/ws-server.js';

/** Nothing that could be compressed. */
const message = (bytes: number): Buffer => randomBytes(bytes);

const maxUnsentBytes = 40 * 1024 * 1024;

/** A text message without a mask, which only servers may send. */
const unmasked = Buffer.from([0x81, 0x01, 0x6d]);

interface Wording {
  /** A message with at least so many bytes that cannot be compressed. */
  readonly message: (bytes: number) => Buffer | string;
  readonly keepalive: string;
}

/** A client of `ws`. @param stream below its WebSocket */
function peerOf(client: WebSocket, stream: Socket, { message: messageOf, keepalive }: Wording): ContractPeer {
  let ended: ContractPeer['ended'] = null;
  client.on('close', (code, reason) => (ended = { code, reason: reason.toString() }));
  return {
    send: (bytes) => {
      client.send(messageOf(bytes));
    },
    sendPart: (bytes) => {
      client.send(message(bytes), { fin: false });
    },
    ping: () => {
      client.ping();
    },
    keepalive: () => {
      client.send(keepalive);
    },
    breakProtocol: () => {
      stream.write(unmasked);
    },
    freeze: () => {
      client.pause();
    },
    thaw: () => {
      client.resume();
    },
    close: () => {
      client.close(1000);
    },
    vanish: () => {
      client.terminate();
    },
    get ended() {
      return ended;
    },
  };
}

/** A real server and a real client, in this process. */
async function overWs(perMessageDeflate: boolean): Promise<ConnectionFixture> {
  const server = new WsServer({
    maxUnsentBytes,
    ws: { perMessageDeflate },
    serve: (socket) => socket.on('error', () => undefined),
  });
  await once(server.server, 'listening');
  const connected = once(server.server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(server.url('ada', 'thread_1'), { perMessageDeflate, maxPayload: 64 * 1024 * 1024 });
  client.on('error', () => undefined);
  const upgraded = once(client, 'upgrade') as Promise<[IncomingMessage]>;
  const [[far], [{ socket }]] = await Promise.all([connected, upgraded, once(client, 'open')]);
  const connection = managerOf(far).connection;
  if (connection === null) throw new Error('The socket has no manager');
  return {
    connection,
    socket: far,
    maxUnsentBytes,
    peer: peerOf(client, socket, { message, keepalive: '{"type":"ping"}' }),
    send: (bytes) => {
      far.send(message(bytes));
    },
    pause: () => {
      far.pause();
    },
    resume: () => {
      far.resume();
    },
    dispose: async () => {
      client.terminate();
      await server.stop();
    },
  };
}

/** An event of Socket.IO with at least so many bytes that cannot be compressed. */
const event = (bytes: number): string => JSON.stringify(['message', randomBytes(bytes).toString('base64')]);

/** A real Socket.IO server, and a client of `ws` that speaks its protocol, so that it can do everything wrong. */
async function overSocketIo(): Promise<ConnectionFixture> {
  const server = new SocketIoServer({ maxUnsentBytes: 2 * maxUnsentBytes, io: { maxHttpBufferSize: 1e8 } });
  server.http.listen(0, '127.0.0.1');
  await once(server.http, 'listening');
  const connected = once(server.io as unknown as NodeJS.EventEmitter, 'connection') as Promise<[SocketIoSocket]>;
  const client = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const upgraded = once(client, 'upgrade') as Promise<[IncomingMessage]>;
  const [[{ socket }]] = await Promise.all([upgraded, once(client, 'message')]);
  client.send('40{"userId":"ada","threadId":"thread_1"}');
  const [far] = await connected;
  await once(client, 'message');
  const connection = socketIo.managerOf(far).connection;
  if (connection === null) throw new Error('The session has no manager');
  client.on('error', () => undefined);
  return {
    connection,
    socket: far,
    maxUnsentBytes: 2 * maxUnsentBytes, // events are longer than their content
    cannot: ['close codes'],
    peer: peerOf(client, socket, { message: (bytes) => `42${event(bytes)}`, keepalive: '42["ping"]' }),
    send: (bytes) => {
      far.emit('message', randomBytes(bytes).toString('base64'));
    },
    dispose: async () => {
      client.terminate();
      await server.stop();
    },
  };
}

/** The same by polling. The client asks for data again and again, unless it is frozen. */
async function byPolling(): Promise<ConnectionFixture> {
  const server = new SocketIoServer({ maxUnsentBytes, io: { maxHttpBufferSize: 1e8 } });
  server.http.listen(0, '127.0.0.1');
  await once(server.http, 'listening');
  const connected = once(server.io as unknown as NodeJS.EventEmitter, 'connection') as Promise<[SocketIoSocket]>;
  const client = new PollingClient(server.url);
  await client.post('40{"userId":"ada","threadId":"thread_1"}');
  const [far] = await connected;
  const connection = socketIo.managerOf(far).connection;
  if (connection === null) throw new Error('The session has no manager');
  await until('it polls', () => client.polls > 1);
  return {
    connection,
    socket: far,
    maxUnsentBytes,
    cannot: ['close codes', 'client pings', 'partial messages', 'unsent bytes'],
    peer: {
      send: (bytes) => void client.post(`42${event(bytes)}`),
      sendPart: () => undefined,
      ping: () => undefined,
      keepalive: () => void client.post('42["ping"]'),
      breakProtocol: () => void client.post('z'),
      freeze: () => {
        client.isFrozen = true;
      },
      thaw: () => {
        client.isFrozen = false;
      },
      close: () => void client.post('1'),
      vanish: () => {
        client.vanish();
      },
      get ended() {
        return client.hasEnded ? { code: 1006, reason: '' } : null;
      },
    },
    send: (bytes) => {
      far.emit('message', randomBytes(bytes).toString('base64'));
    },
    dispose: async () => {
      client.vanish();
      await server.stop();
    },
  };
}

/** The adapters, and what the contract may leave out. */
const adapters: [string, () => Promise<ConnectionFixture>, string[]][] = [
  ['the ws adapter', () => overWs(false), []],
  ['the ws adapter, with messages compressed', () => overWs(true), []],
  ['FakeConnection', () => pretended(), []],
  ['the Socket.IO adapter', overSocketIo, ['the fixture has no `pause` and `resume`']],
  [
    'the Socket.IO adapter, by polling',
    byPolling,
    [
      'the fixture has no `pause` and `resume`',
      'the fixture cannot do this: client pings',
      'the fixture cannot do this: partial messages',
      'the fixture cannot do this: unsent bytes',
    ],
  ],
];

describe.each(adapters)('a connection of %s', (_, open, leftOut) => {
  for (const { name, run } of connectionContract)
    it(name, () =>
      run(open, (reason) => {
        expect(leftOut).toContain(reason);
      }),
    );
});
