import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { attach, type Attachment, type DecisionBefore } from '../../src/adapters/ws.js';
import { afterThisTest } from '../support/setup.js';
import { closeOf, dial } from '../support/ws-client.js';
import { userOfQuery, WsServer, type WsServerOptions } from '../support/ws-server.js';

interface Framework {
  readonly server: WsServer;
  readonly port: number;
  readonly decisions: DecisionBefore[];
}

type Middleware = (gate: Attachment, request: IncomingMessage) => DecisionBefore | null;

const known: Middleware = (gate, request) => gate.admitBefore(request, userOfQuery(request));

/**
 * A framework as they are: it authenticates in a middleware that takes its time, then gives the request to its server,
 * with a listener of `headers` for the call only.
 */
async function framework(options: WsServerOptions = {}, middleware: Middleware = known): Promise<Framework> {
  const decisions: DecisionBefore[] = [];
  const server = new WsServer({
    ...options,
    ws: { noServer: true },
    attach: { authenticate: 'before', ...options.attach },
  });
  const gate = server.detach as Attachment;
  const http: Server = createServer();
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    setImmediate(() => {
      const decision = middleware(gate, request);
      if (decision !== null) decisions.push(decision);
      const addHeader = (headers: string[]): number => headers.push('X-Framework: yes');
      server.server.once('headers', addHeader);
      server.server.handleUpgrade(request, stream, head, (socket) => {
        server.server.emit('connection', socket, request);
      });
      server.server.off('headers', addHeader);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterThisTest(async () => {
    await server.stop();
    http.closeAllConnections();
    http.close();
    expect(server.mooring.managerCount).toBe(0);
  });
  return { server, decisions, port: (http.address() as AddressInfo).port };
}

function ask({ port }: Framework, userId: string, threadId: string, headers: Record<string, string> = {}): WebSocket {
  return dial(`ws://127.0.0.1:${port}/?userId=${userId}&threadId=${threadId}`, { headers });
}

describe('a framework that has authenticated the client before', () => {
  it('gets managed sockets, and the headers that it adds for the call arrive', async () => {
    const made = await framework();
    const client = ask(made, 'ada', 'thread_1');
    const [response] = (await once(client, 'upgrade')) as [IncomingMessage];
    expect(response.headers['x-framework']).toBe('yes');
    await made.server.admits('thread_1');
    expect(made.decisions.map(({ outcome }) => outcome)).toEqual(['admitted']);
    expect(made.server.managers.map((manager) => manager?.threadId)).toEqual(['thread_1']);
  });

  it('is told of a refusal, which the client hears as a close frame', async () => {
    const made = await framework({ maxManagersPerUser: 0 });
    expect(await closeOf(ask(made, 'ada', 'thread_1'))).toMatch(/^1013 quota/);
    expect(made.decisions[0]).toMatchObject({ outcome: 'refused', refusal: { code: 'quota.exceeded' } });
  });

  it('is told that a client waits, which is accepted with its headers all the same', async () => {
    const made = await framework({ maxManagersPerUser: 1 });
    ask(made, 'ada', 'thread_1');
    await made.server.admits('thread_1');
    const waiting = ask(made, 'ada', 'thread_2');
    const [response] = (await once(waiting, 'upgrade')) as [IncomingMessage];
    expect(response.headers['x-framework']).toBe('yes');
    expect(made.decisions.map(({ outcome }) => outcome)).toEqual(['admitted', 'waiting']);
    made.server.mooring.release({ userId: 'ada', threadId: 'thread_1' });
    await made.server.admits('thread_2');
    await expect.poll(() => made.server.managers.map((manager) => manager?.threadId)).toContain('thread_2');
  });

  it('is told of a rejection, which the client hears as an HTTP status', async () => {
    const made = await framework({ attach: { allowedOrigins: ['https://app.example'] } });
    const client = ask(made, 'ada', 'thread_1', { origin: 'https://evil.example' });
    const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(403);
    expect(made.decisions[0]).toMatchObject({ outcome: 'rejected', rejection: { status: 403 } });
  });

  it.each([
    ['knows nobody', () => null, '4401 missing'],
    ['gives a user that is none', () => ({ userId: '', threadId: 'thread_1' }), '1008 userId'],
  ])('and %s has the client refused', async (_, fieldsOf, close) => {
    const made = await framework({}, (gate, request) => gate.admitBefore(request, fieldsOf()));
    expect(await closeOf(ask(made, 'ada', 'thread_1'))).toContain(close);
  });

  it('and forgets a request has the client refused', async () => {
    const made = await framework({}, () => null);
    expect(await closeOf(ask(made, 'ada', 'thread_1'))).toBe('4401 missing');
  });

  it('cannot ask twice', async () => {
    const errors: unknown[] = [];
    const made = await framework({}, (gate, request) => {
      const decision = known(gate, request);
      try {
        known(gate, request);
      } catch (error) {
        errors.push(error);
      }
      return decision;
    });
    ask(made, 'ada', 'thread_1');
    await made.server.admits('thread_1');
    expect(errors).toMatchObject([{ name: 'TypeError', message: expect.stringContaining('already') as string }]);
  });

  it('that passes the request on before it is known who it is, has a client that goes noticed', async () => {
    const decisions: string[] = [];
    const made = await framework({}, (gate, request) => {
      const whoIs = () => new Promise<never>(() => undefined);
      void gate.admitBefore(request, whoIs).then(({ outcome }) => decisions.push(outcome));
      return null;
    });
    const client = ask(made, 'ada', 'thread_1');
    await sleep(50);
    client.terminate();
    await expect.poll(() => made.server.mooring.arrivals.sizes.underWay).toBe(0);
  });

  it('and does not pass the request on gives the slot back after ticketMs', async () => {
    const server = new WsServer({ ticketMs: 200, ws: { noServer: true }, attach: { authenticate: 'before' } });
    const http = createServer();
    http.on('upgrade', (request: IncomingMessage) => {
      (server.detach as Attachment).admitBefore(request, { userId: 'ada', threadId: 'thread_1' });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(async () => {
      await server.stop();
      http.close();
    });
    const client = dial(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    await expect.poll(() => server.countOf('ada')).toBe(1);
    client.terminate();
    await expect.poll(() => server.countOf('ada')).toBe(0);
  });
});

describe('attach()', () => {
  it('says which words authenticate may be', async () => {
    const { server } = await framework();
    expect(() => attach(server.server, { mooring: server.mooring, authenticate: 'first' as 'later' })).toThrow(
      TypeError,
    );
  });
});

describe('a client that resets its connection while admitBefore asks who it is', () => {
  it.each([
    ['before it is asked', 0],
    ['meanwhile', 50],
  ])('ends nothing else, and gets no slot: %s', async (_, afterMs) => {
    const server = new WsServer({ ws: { noServer: true }, attach: { authenticate: 'before' } });
    const gate = server.detach as Attachment;
    const http: Server = createServer();
    const outcomes: string[] = [];
    http.on('upgrade', (request: IncomingMessage, stream: Duplex) => {
      if (afterMs === 0) stream.on('error', () => undefined); // nobody is asked yet: the framework's own matter
      setTimeout(
        () => {
          void gate
            .admitBefore(request, () => sleep(100).then(() => userOfQuery(request)))
            .then(({ outcome }) => outcomes.push(outcome));
        },
        afterMs === 0 ? 50 : 0,
      );
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterThisTest(async () => {
      await server.stop();
      http.close();
    });
    const tcp = connect((http.address() as AddressInfo).port, '127.0.0.1');
    tcp.on('error', () => undefined);
    tcp.write(
      'GET /?userId=ada&threadId=thread_1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    setTimeout(() => tcp.resetAndDestroy(), 20);
    await expect.poll(() => outcomes.length).toBe(1);
    expect(outcomes[0]).toBe(afterMs === 0 ? 'rejected' : 'waiting');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(server.said('manager.admitted')).toEqual([]);
  });
});
