import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { frame, handshake, rawClient, type RawClient } from '../support/raw-client.js';
import { afterThisTest } from '../support/setup.js';
import { dial } from '../support/ws-client.js';
import { wsServer, WsServer } from '../support/ws-server.js';

/** A client that neither reads nor closes any more. */
async function opened(server: WsServer, userId: string, threadId: string): Promise<RawClient> {
  const client = await rawClient(server.port);
  const { pathname, search } = new URL(server.url(userId, threadId));
  client.socket.write(handshake(`${pathname}${search}`));
  await client.hears('101 Switching Protocols');
  client.socket.pause();
  return client;
}

const sayGoodbye = ({ socket }: RawClient): boolean => socket.write(frame('\x03\xe8', 8));

describe('a peer that sends a close frame and keeps TCP open', () => {
  it('gives its place back at once, and loses its socket after closeGraceMs', async () => {
    const server = await wsServer({ config: { closeGraceMs: 200 } });
    const client = await opened(server, 'ada', 'thread_1');
    sayGoodbye(client);
    await server.hears('manager.released', ({ reason }) => reason === 'closed');
    expect([server.countOf('ada'), server.mooring.closingCount]).toEqual([0, 1]);
    await expect.poll(() => server.server.clients.size).toBe(0);
    expect(server.mooring.closingCount).toBe(0);
  });

  it('gains no sockets by coming again: one user of limit 1 has one that is closing', async () => {
    const server = await wsServer({ config: { closeGraceMs: 30_000, maxManagersPerUser: 1 } });
    for (let i = 0; i < 30; i++) {
      sayGoodbye(await opened(server, 'mallory', `thread_${i}`));
      await server.hears('manager.released', ({ threadId }) => threadId === `thread_${i}`);
    }
    await expect.poll(() => server.server.clients.size).toBe(1);
  });

  it('gains no sockets by closing while it waits: one user has a quarter of those that may be closing', async () => {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const config = { closeGraceMs: 30_000, maxManagersPerUser: 1, maxTotalManagers: 1_000 };
    const server = new WsServer({ ws: { server: http }, config });
    afterThisTest(async () => {
      await server.stop();
      http.close();
    });
    await opened(server, 'mallory', 'thread_0');
    for (let i = 1; i <= 40; i++) {
      sayGoodbye(await opened(server, 'mallory', `thread_${i}`));
      await server.hears('admission.cancelled', ({ threadId }) => threadId === `thread_${i}`);
    }
    const connections = async (): Promise<number> => promisify(http.getConnections.bind(http))();
    await expect.poll(connections).toBe(1 + 25);
  });

  it('does not hold up stop()', async () => {
    const server = await wsServer({ config: { closeGraceMs: 200 } });
    sayGoodbye(await opened(server, 'ada', 'thread_1'));
    await server.hears('manager.released');
    await server.mooring.stop();
    expect(server.mooring.closingCount).toBe(0);
  });
});

const sentBytes = 32 * 1_024 * 1_024;

/** A client to whom the application sends much, and then closes. */
async function receives(closeGraceMs: number): Promise<WebSocket> {
  const server = await wsServer({
    config: { closeGraceMs },
    serve: (socket) => {
      socket.send(Buffer.alloc(sentBytes));
      socket.close(1000, 'done');
    },
  });
  return dial(server.url('ada', 'thread_1'));
}

/** How many bytes it gets, and the close code. */
async function resultOf(client: WebSocket): Promise<[bytes: number, code: number]> {
  let received = 0;
  client.on('message', (content: Buffer) => (received += content.length));
  const [code] = (await once(client, 'close')) as [number];
  return [received, code];
}

describe('an application that closes a socket', () => {
  it('has what it sent before delivered, though that takes longer than closeGraceMs', async () => {
    const client = await receives(300);
    // Reads a part, and waits, again and again.
    client.once('open', () => {
      const reading = setInterval(() => {
        client.resume();
        setTimeout(() => {
          client.pause();
        }, 1);
      }, 60);
      client.once('close', () => {
        clearInterval(reading);
      });
    });
    expect(await resultOf(client)).toEqual([sentBytes, 1000]);
  });

  it('has it delivered over a link that pauses for longer than closeGraceMs', async () => {
    const client = await receives(200);
    client.once('open', () => {
      client.pause();
      setTimeout(() => {
        client.resume();
      }, 1_200);
    });
    expect(await resultOf(client)).toEqual([sentBytes, 1000]);
  });
});

describe('an upgrade behind a request that is not answered to the end', () => {
  it('is refused after its answer, and nothing of that answer comes into the WebSocket', async () => {
    const waiting: ServerResponse[] = [];
    const http = createServer((_, response) => {
      response.write('half');
      waiting.push(response);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const server = new WsServer({ ws: { server: http } });
    afterThisTest(async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    });
    const client = await rawClient((http.address() as AddressInfo).port);
    client.socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.hears('half');
    client.socket.write(handshake('/?userId=ada&threadId=thread_1'));
    const closed = once(client.socket, 'close');
    setTimeout(() => waiting[0]?.end('whole'), 100);
    await closed;
    const text = client.received().toString('latin1');
    expect(text.indexOf('400 Bad Request')).toBeGreaterThan(text.indexOf('whole'));
    expect(text).not.toContain('101 Switching');
    expect(server.said('socket.rejected')).toMatchObject([{ status: 400 }]);
  });

  it.each([{ 'Content-Length': '3' }, { 'Transfer-Encoding': 'chunked' }])(
    'and one with a body, %j, never is a WebSocket',
    async (headers) => {
      const server = await wsServer({});
      const client = await rawClient(server.port);
      client.socket.write(handshake('/?userId=ada&threadId=thread_1', headers));
      await client.hears('400 Bad Request');
      expect(server.mooring.managerCount).toBe(0);
    },
  );
});
