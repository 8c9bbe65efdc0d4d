import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { mooringFastify, type MooringFastifyOptions } from '../../src/adapters/fastify.js';
import { createMooring, type Mooring, type MooringOptions } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { closeOf, dial } from '../support/ws-client.js';

declare module 'fastify' {
  interface FastifyRequest {
    user?: string;
  }
}

interface AppOptions extends MooringOptions {
  readonly plugin?: Partial<MooringFastifyOptions>;
  readonly before?: (app: FastifyInstance) => void | Promise<void>;
  readonly routes?: (app: FastifyInstance) => void;
}

interface App {
  readonly app: FastifyInstance;
  readonly mooring: Mooring;
  url(path: string): string;
}

/** An application whose hook says who the user is, and whose route tells the thread of its manager. */
async function start({ plugin, before, routes, ...options }: AppOptions = {}): Promise<App> {
  const mooring = createMooring({ environment: 'production', env: {}, ...options });
  const app = fastify();
  await before?.(app);
  await app.register(mooringFastify, {
    mooring,
    authenticate: ({ user, query }) => {
      const { thread } = query as { thread: string };
      return user === undefined ? null : { userId: user, threadId: thread };
    },
    ...plugin,
  });
  app.addHook('preValidation', (request, _, done) => {
    const { user } = request.query as { user?: string };
    if (user !== undefined) request.user = user;
    done();
  });
  routes?.(app);
  app.get('/chat', { websocket: true }, (socket: WebSocket, request) => {
    socket.send(request.manager?.threadId ?? 'nobody');
  });
  const base = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws');
  afterThisTest(() => app.close());
  return { app, mooring, url: (path) => `${base}${path}` };
}

let greeting: Promise<string> = Promise.resolve('');

function firstMessage(client: NodeJS.EventEmitter): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once('message', (data: Buffer) => {
      resolve(data.toString());
    });
    client.once('close', (code: number, reason: Buffer) => {
      reject(new Error(`${code} ${reason.toString()}`));
    });
  });
}

describe('mooring/fastify', () => {
  it('manages WebSocket routes, by what hooks have put on the request, and keeps the limit', async () => {
    const { url, mooring, app } = await start({ maxManagersPerUser: 2 });
    expect(await firstMessage(dial(url('/chat?user=ada&thread=thread_1')))).toBe('thread_1');
    expect(await firstMessage(dial(url('/chat?user=ada&thread=thread_2')))).toBe('thread_2');
    expect(await closeOf(dial(url('/chat?user=ada&thread=thread_3')))).toMatch(/^1013 quota;retry=/);
    expect(app.mooring).toBe(mooring);
    expect(mooring.managerCountOf('ada')).toBe(2);
  });

  it('takes over', async () => {
    const { url } = await start();
    const first = dial(url('/chat?user=ada&thread=thread_1'));
    await firstMessage(first);
    const closed = closeOf(first);
    await firstMessage(dial(url('/chat?user=ada&thread=thread_1')));
    expect(await closed).toBe('4409 replaced');
  });

  it('works beside @fastify/websocket that is registered already', async () => {
    const { url } = await start({ before: (app) => void app.register(websocket) });
    expect(await firstMessage(dial(url('/chat?user=ada&thread=thread_1')))).toBe('thread_1');
  });

  it('leaves routes alone that say so, and HTTP routes', async () => {
    const { app, url, mooring } = await start({
      routes: (routes) => {
        routes.get('/free', { websocket: true, config: { mooring: false } }, (socket: WebSocket, request) => {
          socket.send(request.manager === null ? 'none' : 'one');
        });
        routes.get('/page', (request) => (request.manager === null ? 'none' : 'one'));
      },
    });
    expect(await firstMessage(dial(url('/free')))).toBe('none');
    expect((await app.inject('/page')).body).toBe('none');
    expect(mooring.managerCount).toBe(0);
  });

  it('counts nobody whom a hook of the route rejects', async () => {
    const { url, mooring } = await start({
      routes: (routes) => {
        routes.get(
          '/closed',
          { websocket: true, preHandler: (_, reply) => void reply.code(402).send() },
          () => undefined,
        );
      },
    });
    const client = dial(url('/closed?user=ada&thread=thread_1'));
    const [error] = (await once(client, 'error')) as [Error];
    expect(error.message).toBe('Unexpected server response: 402');
    expect(mooring.managerCount).toBe(0);
  });

  it('asks after hooks that a plugin registered later adds to the route', async () => {
    const { url, mooring } = await start({
      routes: (routes) => {
        routes.addHook('onRoute', (route) => {
          route.preHandler = (request, reply, done) => {
            const { late } = request.query as { late?: string };
            if (late === 'no') void reply.code(402).send();
            else if (late !== undefined) request.user = late;
            if (late !== 'no') done();
          };
        });
      },
    });
    expect(await firstMessage(dial(url('/chat?late=ada&thread=thread_1')))).toBe('thread_1');
    const client = dial(url('/chat?user=ada&late=no&thread=thread_2'));
    const [error] = (await once(client, 'error')) as [Error];
    expect(error.message).toBe('Unexpected server response: 402');
    expect(mooring.managersOf('ada').map(({ threadId }) => threadId)).toEqual(['thread_1']);
  });

  it('leaves the HTTP handler of a WebSocket route as it is', async () => {
    const { app } = await start({
      routes: (routes) => {
        routes.route({
          ...{ method: 'GET', url: '/both', wsHandler: () => undefined },
          handler: (_, reply) => {
            setImmediate(() => void reply.send('a page'));
          },
        });
      },
    });
    expect((await app.inject('/both')).body).toBe('a page');
  });

  it('wants the same scope as @fastify/websocket', async () => {
    const app = fastify();
    await app.register(websocket);
    const options = { mooring: createMooring({ env: {} }), authenticate: () => null };
    afterThisTest(() => app.close());
    await expect(
      app.register(async (scope) => {
        await scope.register(mooringFastify, options);
      }),
    ).rejects.toThrow(/got a scope inside that of @fastify\/websocket, wanted the same one/);
  });

  it('works with injectWS', async () => {
    const { app } = await start();
    await app.ready();
    const client = await app.injectWS(
      '/chat?user=ada&thread=thread_1',
      { headers: {} },
      {
        onInit: (socket) => void (greeting = firstMessage(socket)),
      },
    );
    expect(await greeting).toBe('thread_1');
    client.terminate();
  });

  it.each([
    ['gives nobody', () => null, '4401 missing'],
    ['throws an error with statusCode 401', () => fail(401), '4401 unauthenticated'],
    ['throws an error with statusCode 403', () => fail(403), '4401 unauthenticated'],
    ['throws another error', () => fail(500), /^1011 authentication;retry=/],
    ['names no thread', () => ({ userId: 'ada' }) as never, /^1008 threadId/],
  ])('closes a client whose authenticate %s', async (_, authenticate, close) => {
    const { url } = await start({ plugin: { authenticate } });
    expect(await closeOf(dial(url('/chat')))).toMatch(close);
  });

  it('does not wait for an authenticate without end, when it closes', async () => {
    let whenAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (whenAsked = resolve));
    const { app, url } = await start({
      plugin: {
        authenticate: () => {
          whenAsked();
          return new Promise<never>(() => undefined);
        },
      },
    });
    const closed = closeOf(dial(url('/chat')));
    await asked;
    await app.close();
    expect(await closed).toMatch(/^1012 drain;retry=/);
  });

  it('tells clients that the server drains, when it closes', async () => {
    const { app, url } = await start();
    const client = dial(url('/chat?user=ada&thread=thread_1'));
    await firstMessage(client);
    const closed = closeOf(client);
    await app.close();
    expect(await closed).toMatch(/^1012 drain;retry=/);
  });

  it('closes a WebSocket of a route that has no WebSocket handler', async () => {
    const { url, mooring } = await start({ routes: (routes) => void routes.get('/page', () => 'a page') });
    const reasons: string[] = [];
    mooring.on('socket.unmanaged', ({ reason }) => reasons.push(reason));
    expect(await closeOf(dial(url('/page')))).toMatch(/^4401/);
    expect(reasons).toEqual(['admitBefore was not called for its request']);
    expect(mooring.managerCount).toBe(0);
  });

  it.each([
    [{ authenticate: 'cookie' }, /authenticate: got cookie, wanted a function/],
    [{ mooring: undefined }, /mooring: got undefined, wanted a Mooring/],
  ])('says of %j what is wrong', async (wrong, message) => {
    await expect(start({ plugin: wrong as never })).rejects.toThrow(message);
  });
});

function fail(statusCode: number): never {
  throw Object.assign(new Error('no'), { statusCode });
}
