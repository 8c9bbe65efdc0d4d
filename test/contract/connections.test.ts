import { once } from 'node:events';
import { describe, it } from 'vitest';
import { WebSocket } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import { createMooring } from '../../src/index.js';
import { connectionContract, FakeConnection, type ConnectionFixture } from '../../src/testing/index.js';
import { WsServer } from '../support/ws-server.js';

const message = (bytes: number): string => 'm'.repeat(bytes);

/** A real server and a real client, in this process. */
async function overWs(perMessageDeflate: boolean): Promise<ConnectionFixture> {
  const server = new WsServer({ ws: { perMessageDeflate }, serve: () => undefined });
  await once(server.server, 'listening');
  const connected = once(server.server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(server.url('ada', 'thread_1'), { perMessageDeflate, maxPayload: 64 * 1024 * 1024 });
  let ended: ConnectionFixture['peer']['ended'] = null;
  client.on('close', (code, reason) => (ended = { code, reason: reason.toString() }));
  client.on('error', () => undefined);
  const [[far]] = await Promise.all([connected, once(client, 'open')]);
  const link = managerOf(far)?.link;
  if (link === null || link === undefined) throw new Error('The socket has no manager');
  return {
    link,
    peer: {
      send: (bytes) => {
        client.send(message(bytes));
      },
      ping: () => {
        client.ping();
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
    dispose: async () => {
      client.terminate();
      await server.stop();
    },
  };
}

/** A peer that is pretended. */
async function pretended(): Promise<ConnectionFixture> {
  const mooring = createMooring({ env: {} });
  const connection = new FakeConnection();
  const { link, refusal } = await mooring.connections.connect(connection, { userId: 'ada', threadId: 'thread_1' });
  if (refusal !== null) throw refusal;
  connection.bind(link);
  let isFrozen = false;
  let unread: string[] = [];
  const ping = connection.ping.bind(connection);
  connection.ping = (payload) => {
    if (isFrozen) unread.push(payload);
    ping(payload);
  };
  return {
    link,
    peer: {
      send: (bytes) => {
        connection.message(bytes);
      },
      ping: () => {
        connection.keepalive();
      },
      freeze: () => {
        isFrozen = true;
        connection.fallSilent();
      },
      thaw: () => {
        isFrozen = false;
        connection.pongAfterMs = 0;
        connection.bytesSent += connection.unsentBytes;
        connection.unsentBytes = 0;
        for (const payload of unread.splice(0)) connection.pong(payload);
      },
      close: () => {
        connection.vanish();
      },
      vanish: () => {
        connection.vanish();
      },
      get ended() {
        if (!connection.isClosed) return null;
        return connection.closes[0] ?? { code: 1006, reason: '' };
      },
    },
    send: (bytes) => {
      if (isFrozen) connection.sendStuck(bytes);
      else connection.send(bytes);
    },
    dispose: async () => {
      unread = [];
      await mooring.stop();
    },
  };
}

describe.each([
  ['the ws adapter', () => overWs(false)],
  ['the ws adapter, with messages compressed', () => overWs(true)],
  ['FakeConnection', pretended],
])('a connection of %s', (name, open) => {
  for (const { name: sentence, run } of connectionContract) {
    // What is compressed has fewer bytes on the way than its payload.
    const isOfBytes = /bytes|payload|has not left/.test(sentence) && name.includes('compressed');
    it.skipIf(isOfBytes)(sentence, () => run(open));
  }
});
