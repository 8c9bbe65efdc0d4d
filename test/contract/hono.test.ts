import { serve, upgradeWebSocket, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { managerOf, moored, type MooredOptions } from '../../src/adapters/hono.js';
import { createMooring, type Mooring, type MooringOptions } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { closeOf, dial } from '../support/ws-client.js';

interface Env {
  Variables: { user: string };
}

interface AppOptions extends MooringOptions {
  readonly moored?: Partial<MooredOptions<Env>>;
}

interface App {
  readonly app: Hono<Env>;
  readonly mooring: Mooring;
  readonly base: string;
}

/** An application whose middleware says who the user is, and sets a cookie. */
async function start({ moored: more, ...options }: AppOptions = {}): Promise<App> {
  const mooring = createMooring({ environment: 'production', env: {}, ...options });
  const server = new WebSocketServer({ noServer: true });
  const admit = moored<Env>({
    server,
    mooring,
    authenticate: (c) => ({ userId: c.get('user'), threadId: c.req.query('thread') ?? '' }),
    ...more,
  });
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set('user', c.req.query('user') ?? '');
    await next();
    c.header('Set-Cookie', 'seen=1');
  });
  const greet = upgradeWebSocket(() => ({
    onOpen: (_, socket) => {
      socket.send(managerOf(socket.raw).threadId);
    },
  }));
  app.get('/chat', admit, greet);
  app.get('/twice', admit, admit, greet);
  app.get('/other', greet);
  app.get('/closed', admit, (c) => c.text('no', 402));
  app.get('/page', admit, (c) => c.text('a page'));
  const http: ServerType = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    websocket: { server: server as never },
  });
  if (http.address() === null) await once(http, 'listening');
  afterThisTest(async () => {
    await mooring.stop();
    http.close();
  });
  return { app, mooring, base: `127.0.0.1:${(http.address() as AddressInfo).port}` };
}

async function greeted(client: WebSocket): Promise<string> {
  const [data] = (await once(client, 'message')) as [Buffer];
  return data.toString();
}

describe('mooring/hono', () => {
  it('manages by what the context has, keeps the limit and the headers of middlewares, and takes over', async () => {
    const { base, mooring } = await start({ maxManagersPerUser: 2 });
    const first = dial(`ws://${base}/chat?user=ada&thread=thread_1`);
    const cookies = once(first, 'upgrade').then(([response]) => (response as { headers: object }).headers);
    expect(await greeted(first)).toBe('thread_1');
    expect(await cookies).toMatchObject({ 'set-cookie': ['seen=1'] });
    await greeted(dial(`ws://${base}/chat?user=ada&thread=thread_2`));
    expect(await closeOf(dial(`ws://${base}/chat?user=ada&thread=thread_3`))).toMatch(/^1013 quota;retry=/);
    const closed = closeOf(first);
    await greeted(dial(`ws://${base}/chat?user=ada&thread=thread_1`));
    expect(await closed).toBe('4409 replaced');
    expect(mooring.managerCountOf('ada')).toBe(2);
  });

  it('keeps the headers also if authenticate takes time', async () => {
    const { base } = await start({
      moored: {
        authenticate: async (c) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return { userId: c.get('user'), threadId: 'thread_1' };
        },
      },
    });
    const client = dial(`ws://${base}/chat?user=ada`);
    const [response] = (await once(client, 'upgrade')) as [{ headers: object }];
    expect(response.headers).toMatchObject({ 'set-cookie': ['seen=1'] });
  });

  it('lets other requests pass, and closes WebSockets of routes without it', async () => {
    const { base } = await start();
    expect(await (await fetch(`http://${base}/page`)).text()).toBe('a page');
    expect(await closeOf(dial(`ws://${base}/other`))).toMatch(/^4401/);
  });

  it('counts no request that only says Upgrade, and one on whose route it stands twice once', async () => {
    const { app, base, mooring } = await start({ maxManagersPerUser: 1 });
    const [host, port] = base.split(':');
    const response = await new Promise<string>((resolve) => {
      get({ host, port, path: '/page?user=ada&thread=thread_1', headers: { upgrade: 'websocket' } }, (answer) => {
        answer.setEncoding('utf8').once('data', resolve);
      });
    });
    expect(response).toBe('a page');
    expect(mooring.managerCount).toBe(0);
    expect(await (await app.request('/page')).text()).toBe('a page');
    expect(await greeted(dial(`ws://${base}/twice?user=ada&thread=thread_1`))).toBe('thread_1');
    expect(mooring.managerCount).toBe(1);
  });

  it('gives the slot back at once if a later handler refuses, though the client keeps its side open', async () => {
    const { base, mooring } = await start();
    const [host = '', port] = base.split(':');
    const tcp = connect({ host, port: Number(port), allowHalfOpen: true });
    afterThisTest(() => void tcp.destroy());
    tcp.write(
      'GET /closed?user=ada&thread=thread_1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const [answer] = (await once(tcp, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 402/);
    await expect.poll(() => mooring.managerCountOf('ada')).toBe(0);
  });

  it.each([
    ['gives nobody', () => null, '4401 missing'],
    ['throws HTTPException 401', () => fail(new HTTPException(401)), '4401 unauthenticated'],
    ['throws HTTPException 500', () => fail(new HTTPException(500)), /^1011 authentication;retry=/],
  ])('closes a client whose authenticate %s', async (_, authenticate, close) => {
    const { base } = await start({ moored: { authenticate } });
    expect(await closeOf(dial(`ws://${base}/chat`))).toMatch(close);
  });

  it('says what is wrong', () => {
    const server = new WebSocketServer({ noServer: true });
    const options = { server, mooring: createMooring({ env: {} }), authenticate: () => null };
    expect(() => moored({ ...options, authenticate: 'cookie' as never })).toThrow(/authenticate: got cookie/);
    moored(options);
    expect(() => moored(options)).toThrow(/has a Mooring attached already/);
  });

  it('says so if it does not run on @hono/node-server', async () => {
    const { app } = await start();
    app.onError((error, c) => c.text(error.message, 500));
    const response = await app.request('/chat', { headers: { upgrade: 'websocket' } });
    expect(await response.text()).toMatch(/works with @hono\/node-server 2/);
  });
});

function fail(error: Error): never {
  throw error;
}
