import { once } from 'node:events';
import { createServer, IncomingMessage, request as httpRequest, type RequestListener } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getRequestListener } from '@hono/node-server';
import express, { type RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { createAdmin } from '../../src/admin/admin.js';
import { createMooring, type Mooring } from '../../src/index.js';
import { FakeConnection } from '../../src/testing/index.js';
import { afterThisTest } from '../support/setup.js';

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/**
 * The admin API in an Express application, behind these middlewares, in a server that leaves the global `Request` as it is,
 * as an application may want.
 */
async function listen(...middlewares: RequestHandler[]) {
  const mooring = createMooring({ env: {} });
  const admin = createAdmin({ mooring, access: 'loopback' });
  const app = express();
  const listener = getRequestListener(admin.fetch, { overrideGlobalObjects: false });
  app.use(...middlewares, (request, response) => void listener(request, response));
  const server = createServer(app as RequestListener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterThisTest(async () => {
    server.close();
    server.closeAllConnections();
    admin.close();
    await mooring.stop();
  });
  const { port } = server.address() as AddressInfo;
  const ask = async (method: string, path: string, body?: string, headers = {}): Promise<Answer> => {
    const length = body === undefined || 'transfer-encoding' in headers ? {} : lengthOf(body);
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method,
      path: `/api/v1${path}`,
      headers: { ...headers, ...length },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  };
  return { mooring, ask };
}

const json = { 'content-type': 'application/json' };
const chunked = { ...json, 'transfer-encoding': 'chunked' };

/** Node adds it to a POST only. */
const lengthOf = (body: string): Record<string, string> => ({ 'content-length': String(Buffer.byteLength(body)) });

describe('under a server that leaves the global Request alone', () => {
  it('a request without a body acts', async () => {
    const { mooring, ask } = await listen();
    await mooring.createManager({ userId: 'ada', threadId: 'thread_1' });
    expect(await ask('DELETE', '/users/ada/managers')).toEqual({ status: 200, body: '{"released":1}' });
  });

  it('a body in parts is read', async () => {
    const { ask } = await listen();
    const { status, body } = await ask('POST', '/background-cleanup', '{"dryRun":true}', chunked);
    expect([status, body]).toEqual([200, expect.stringContaining('"dryRun":true')]);
  });

  it('a body that is too long is refused', async () => {
    const { ask } = await listen();
    const long = JSON.stringify({ dryRun: true, more: 'x'.repeat(20_000) });
    expect((await ask('POST', '/background-cleanup', long, chunked)).status).toBe(413);
    expect((await ask('POST', '/background-cleanup', long, json)).status).toBe(413);
  });
});

describe('behind a middleware that has read the body', () => {
  const dryRun = '{"dryRun":true}';
  const everything = { type: () => true };
  /** As for checking a signature: it leaves the bytes under a name of its own. */
  const readElsewhere: RequestHandler = (request, _response, next) => {
    void text(request).then(() => next());
  };

  /** A user with a connection that a cleanup would release. */
  async function connectFailed(mooring: Mooring): Promise<void> {
    const transport = new FakeConnection();
    const { connection } = await mooring.connect(transport, { userId: 'ada', threadId: 'thread_1' });
    if (connection === null) throw new Error('not connected');
    transport.bind(connection);
    connection.manager.fail('planted');
  }

  it.each<[string, RequestHandler]>([
    ['express.json()', express.json()],
    ['express.text()', express.text(everything)],
    ['express.raw()', express.raw(everything)],
  ])('%s, a dry run is one, and a real one is none', async (_, middleware) => {
    const { mooring, ask } = await listen(middleware);
    await connectFailed(mooring);
    const dry = await ask('POST', '/users/ada/cleanup', dryRun, json);
    expect([dry.status, dry.body]).toEqual([200, expect.stringContaining('"dryRun":true')]);
    expect(mooring.managerCountOf('ada')).toBe(1);
    for (const [body, headers] of [
      [dryRun, chunked],
      ['{}', json],
    ] as const) {
      const { status } = await ask('POST', '/users/ada/cleanup', body, headers);
      expect([body, status, mooring.managerCountOf('ada')]).toEqual([body, 200, body === dryRun ? 1 : 0]);
    }
  });

  it.each<[string, RequestHandler[]]>([
    ['and has left nothing', [readElsewhere]],
    ['and a parser that found nothing to read', [readElsewhere, (request, _, next) => next(void (request.body = {}))]],
    ['as a form', [express.urlencoded({ ...everything, extended: false })]],
    [
      'as something that JSON cannot hold',
      [readElsewhere, (request, _, next) => next(void (request.body = new Map()))],
    ],
  ])('%s, nothing is done', async (_, middlewares) => {
    const { mooring, ask } = await listen(...middlewares);
    await connectFailed(mooring);
    for (const headers of [json, chunked]) {
      expect((await ask('POST', '/users/ada/cleanup', dryRun, headers)).status).toBe(400);
      expect((await ask('DELETE', '/users/ada/managers', dryRun, headers)).status).toBe(400);
    }
    expect(mooring.managerCountOf('ada')).toBe(1);
  });

  it('and made it longer than the API takes, it is refused', async () => {
    const { ask } = await listen((request, _, next) => {
      void text(request).then(() => next(void (request.body = { dryRun: true, more: 'x'.repeat(20_000) })));
    });
    expect((await ask('POST', '/background-cleanup', dryRun, json)).status).toBe(413);
  });

  it('and gave it back, it counts', async () => {
    const mooring = createMooring({ env: {} });
    const admin = createAdmin({ mooring, access: 'loopback' });
    afterThisTest(async () => {
      admin.close();
      await mooring.stop();
    });
    const url = 'http://127.0.0.1/api/v1/background-cleanup';
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: '127.0.0.1' });
    const incoming = Object.defineProperty(new IncomingMessage(socket), 'readableDidRead', { value: true });
    const request = new Request(url, { method: 'POST', headers: json, body: dryRun });
    const answer = await admin.fetch(request, { incoming });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"dryRun":true')]);
  });
});
