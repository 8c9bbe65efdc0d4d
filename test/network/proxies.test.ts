import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { createAdmin } from '../../src/admin/admin.js';
import { proxyKinds, startProxy, type Changes, type ProxyName } from '../support/proxy-process.js';
import { afterThisTest } from '../support/setup.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

const names = Object.keys(proxyKinds) as ProxyName[];

/** As the page about proxies has it. */
const clientOf = ({ headers, socket }: IncomingMessage): string =>
  String(headers['x-forwarded-for'] ?? socket.remoteAddress)
    .split(',')
    .at(-1) ?? '';

/** An admin API for the health checks. */
async function startHealth({ mooring }: WsServer): Promise<number> {
  const admin = createAdmin({ mooring, access: 'loopback' });
  const server = serve({ fetch: admin.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  afterThisTest(async () => {
    server.close();
    server.closeAllConnections();
    admin.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** Starts the proxy of the page in front of this server. HAProxy asks for the server's health, too. */
async function startBehind(name: ProxyName, server: WsServer, more: Changes = {}): Promise<number> {
  const changes = { '127.0.0.1:8080': `127.0.0.1:${String(server.port)}`, ...more };
  return startProxy(name, name === 'nginx' ? changes : { '9090': String(await startHealth(server)), ...changes });
}

function connect(port: number, threadId: string, options: ClientOptions = {}): WebSocket {
  const client = new WebSocket(`ws://127.0.0.1:${String(port)}/?userId=ada&threadId=${threadId}`, options);
  client.on('error', () => undefined);
  afterThisTest(() => {
    client.terminate();
  });
  return client;
}

async function opened(port: number, threadId: string, options?: ClientOptions): Promise<WebSocket> {
  const client = connect(port, threadId, options);
  await once(client, 'open');
  return client;
}

async function echoOf(client: WebSocket, text: string): Promise<string> {
  client.send(text);
  const [answer] = (await once(client, 'message')) as [Buffer];
  return answer.toString();
}

async function closeOf(client: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

/** The status that the handshake is answered with; 101 if it is accepted. */
async function statusOf(port: number, threadId: string): Promise<number | undefined> {
  const client = connect(port, threadId);
  return new Promise((resolve) => {
    client.once('open', () => resolve(101));
    client.once('unexpected-response', (_, { statusCode }) => resolve(statusCode));
  });
}

describe.skipIf(process.env['TEST_HAS_PROXIES'] === '0').each(names)('%s, as configured in the page', (name) => {
  it('passes handshakes, messages and close codes, either way', async () => {
    const server = await wsServer();
    const port = await startBehind(name, server);
    const [ended, leaving] = [await opened(port, 'thread_1'), await opened(port, 'thread_2')];
    expect(await echoOf(ended, 'hello')).toBe('hello');
    server.mooring.release({ userId: 'ada', threadId: 'thread_1' });
    expect(await closeOf(ended)).toEqual([4412, 'requested']);
    leaving.close(1000);
    await server.hears('manager.released', ({ reason }) => reason === 'closed');
    expect(server.countOf('ada')).toBe(0);
  });

  it('tells who the client is, whatever the client says', async () => {
    const seen: string[] = [];
    const keyOf = (request: IncomingMessage): string => {
      seen.push(clientOf(request));
      return clientOf(request);
    };
    const server = await wsServer({ attach: { attemptRate: { limit: 100, keyOf } } });
    const port = await startBehind(name, server);
    const headers = { 'X-Forwarded-For': '203.0.113.9' };
    await opened(port, 'thread_1', { localAddress: '127.0.0.2', headers });
    expect(seen).toEqual(['127.0.0.2']);
  });
});

describe.skipIf(process.env['TEST_HAS_PROXIES'] === '0')('the proxies of the page', () => {
  it('keep a quiet connection as long as the heartbeat is shorter than their timeout', async () => {
    const often = await wsServer({ heartbeatIntervalMs: 300 });
    const seldom = await wsServer({ heartbeatIntervalMs: 20_000 });
    await Promise.all(
      names.map(async (name) => {
        const ports = [often, seldom].map((server) => startBehind(name, server, { '60s': '2s' }));
        const [kept, cut] = await Promise.all(ports.map(async (port) => opened(await port, `thread_${name}`)));
        if (kept === undefined || cut === undefined) throw new Error('wanted two clients');
        expect((await closeOf(cut))[0]).toBe(1006);
        await seldom.hears('manager.released', ({ reason }) => reason === 'closed');
        await sleep(1_000); // by now it has been quiet for longer than the timeout
        expect(await echoOf(kept, 'still here')).toBe('still here');
      }),
    );
  });

  it('send no more clients to a server that drains if they ask for its health, and its held connection goes on', async () => {
    const server = await wsServer({ drainHoldTimeoutMs: 30_000 });
    const port = await startBehind('haproxy', server, { 'inter 2s': 'inter 1s' });
    const held = await opened(port, 'thread_1');
    const done = server.managerOf('ada', 'thread_1').hold();
    const stopped = server.mooring.stop();
    await expect.poll(() => statusOf(port, 'thread_2'), { timeout: 20_000 }).toBe(503);
    expect(await echoOf(held, 'still running')).toBe('still running');
    done();
    expect((await closeOf(held))[0]).toBe(1012);
    await stopped;
  });
});
