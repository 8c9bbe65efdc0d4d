import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, it } from 'vitest';
import { createAdmin } from '../../src/admin/admin.js';
import { createMooring } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';

/** What a middleware in front of the API does. */
type Middleware = (request: IncomingMessage) => Promise<void>;

/** Reads the body, and leaves what it made of it on the request, as the body parsers of Express do. */
const parsing =
  (parse: (body: string) => unknown): Middleware =>
  async (request) => {
    const body = await text(request);
    Object.assign(request, { body: parse(body) });
  };

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** The admin API in a server that leaves the global `Request` as it is, as an application may want. */
async function listen(middleware: Middleware = () => Promise.resolve()) {
  const mooring = createMooring({ env: {} });
  const admin = createAdmin({ mooring, access: 'loopback' });
  const listener = getRequestListener(admin.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => {
    void middleware(request).then(() => listener(request, response));
  });
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
    const request = httpRequest({ port, host: '127.0.0.1', method, path: `/api/v1${path}`, headers });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  };
  return { mooring, ask };
}

const json = { 'content-type': 'application/json' };
const chunked = { ...json, 'transfer-encoding': 'chunked' };

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

  it.each<[string, Middleware]>([
    ['express.json()', parsing((body) => JSON.parse(body))],
    ['express.text()', parsing((body) => body)],
    ['express.raw()', parsing((body) => Buffer.from(body))],
  ])('%s, a dry run is one', async (_, middleware) => {
    const { mooring, ask } = await listen(middleware);
    await mooring.createManager({ userId: 'ada', threadId: 'thread_1' });
    mooring.getManager('ada:thread_1')?.fail('planted');
    const { status, body } = await ask('POST', '/users/ada/cleanup', dryRun, json);
    expect([status, body]).toEqual([200, expect.stringContaining('"dryRun":true')]);
    expect(mooring.managerCountOf('ada')).toBe(1);
  });

  it('and has left nothing, nothing is done', async () => {
    const { ask } = await listen(parsing(() => undefined));
    const { status, body } = await ask('POST', '/background-cleanup', dryRun, json);
    expect([status, body]).toEqual([400, expect.stringContaining('was read by a middleware before')]);
  });
});
