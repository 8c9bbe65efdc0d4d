import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { handshake } from '../support/raw-client.js';
import { afterThisTest } from '../support/setup.js';
import { echo, wsServer } from '../support/ws-server.js';

/** TLS without certificates: a key both sides know. */
const psk = Buffer.from('0f'.repeat(16), 'hex');
const pskCiphers = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function listening<T extends Server>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterThisTest(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

describe('over TLS', () => {
  const tlsClient = async (port: number) => {
    const options = { pskCallback: () => ({ psk, identity: 'test' }), checkServerIdentity: () => undefined };
    const socket = connectTls({ host: '127.0.0.1', port, ...pskCiphers, ...options });
    afterThisTest(() => {
      socket.destroy();
    });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.write(handshake('/?userId=ada&threadId=thread_1'));
    await once(socket, 'data');
    return socket;
  };

  it('a dead peer goes by heartbeat, though the application keeps sending a little', async () => {
    const tls = await listening(createTlsServer({ ...pskCiphers, pskCallback: () => psk }));
    const server = await wsServer({
      ws: { server: tls },
      config: { heartbeatIntervalMs: 200 },
      serve: (socket) => {
        const sending = setInterval(() => {
          socket.send('x'.repeat(100));
        }, 20);
        socket.on('close', () => {
          clearInterval(sending);
        });
      },
    });
    const client = await tlsClient(portOf(tls));
    client.pause();
    const { reason, closeCause } = await server.hears('manager.released');
    expect([reason, closeCause]).toEqual(['disconnected', 'silent']);
  });

  it('a peer that is sent much more than it takes at a time stays', async () => {
    const tls = await listening(createTlsServer({ ...pskCiphers, pskCallback: () => psk }));
    const server = await wsServer({
      ws: { server: tls },
      config: { heartbeatIntervalMs: 200 },
      serve: (socket) => {
        socket.send('x'.repeat(8_000_000));
      },
    });
    const client = await tlsClient(portOf(tls));
    for (let i = 0; i < 20; i++) {
      client.pause();
      await sleep(80);
      client.resume();
      await sleep(20);
    }
    expect(server.said('manager.released')).toEqual([]);
  });
});

describe('over a stream that counts no bytes', () => {
  const overDuplex = async () => {
    const server = await wsServer({ ws: { noServer: true }, config: { heartbeatIntervalMs: 200 } });
    const http = await listening(createHttpServer());
    http.on('upgrade', (request, socket, head) => {
      const stream = Duplex.from({ readable: socket, writable: socket });
      server.server.handleUpgrade(request, stream, head, (ws) => {
        echo(ws);
      });
    });
    const client = new WebSocket(`ws://127.0.0.1:${portOf(http)}/?userId=ada&threadId=thread_1`);
    afterThisTest(() => {
      client.terminate();
    });
    client.on('error', () => undefined);
    await once(client, 'open');
    return { server, client };
  };

  it('a peer that answers stays', async () => {
    const { server, client } = await overDuplex();
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
    await sleep(1_500);
    expect(server.countOf('ada')).toBe(1);
    expect(server.said('heartbeat.missed')).toEqual([]);
  });

  it('a peer that fell silent goes', async () => {
    const { server, client } = await overDuplex();
    client.pause();
    expect(await server.hears('manager.released')).toMatchObject({ reason: 'disconnected' });
  });
});
