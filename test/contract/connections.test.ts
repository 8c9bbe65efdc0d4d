import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'vitest';
import { WebSocket } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import { connectionContract, type ConnectionFixture } from '../../src/testing/index.js';
import { pretended } from '../support/pretended-connection.js';
import { WsServer } from '../support/ws-server.js';

/** Nothing that could be compressed. */
const message = (bytes: number): Buffer => randomBytes(bytes);

/** A text message without a mask, which only servers may send. */
const unmasked = Buffer.from([0x81, 0x01, 0x6d]);

/** A real server and a real client, in this process. */
async function overWs(perMessageDeflate: boolean): Promise<ConnectionFixture> {
  const server = new WsServer({ ws: { perMessageDeflate }, serve: (socket) => socket.on('error', () => undefined) });
  await once(server.server, 'listening');
  const connected = once(server.server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(server.url('ada', 'thread_1'), { perMessageDeflate, maxPayload: 64 * 1024 * 1024 });
  let ended: ConnectionFixture['peer']['ended'] = null;
  client.on('close', (code, reason) => (ended = { code, reason: reason.toString() }));
  client.on('error', () => undefined);
  const upgraded = once(client, 'upgrade') as Promise<[IncomingMessage]>;
  const [[far], [{ socket }]] = await Promise.all([connected, upgraded, once(client, 'open')]);
  const connection = managerOf(far).connection;
  if (connection === null) throw new Error('The socket has no manager');
  return {
    connection,
    peer: {
      send: (bytes) => {
        client.send(message(bytes));
      },
      sendPart: (bytes) => {
        client.send(message(bytes), { fin: false });
      },
      ping: () => {
        client.ping();
      },
      keepalive: () => {
        client.send('{"type":"ping"}');
      },
      breakProtocol: () => {
        socket.write(unmasked);
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
    },
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

describe.each([
  ['the ws adapter', () => overWs(false)],
  ['the ws adapter, with messages compressed', () => overWs(true)],
  ['FakeConnection', () => pretended()],
])('a connection of %s', (_, open) => {
  for (const { name, run } of connectionContract) it(name, () => run(open));
});
