import 'reflect-metadata';
import {
  Inject,
  Injectable,
  Module,
  UnauthorizedException,
  type INestApplication,
  type WebSocketAdapter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { once } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { Server, type Socket } from 'socket.io';
import { io as connectTo } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { MOORING, Manager, MooringModule, managerOf, withMooring } from '../../src/adapters/nestjs.js';
import { createMooring, type Mooring, type WebSocketManager } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { endOf, joined } from '../support/socket-io-server.js';
import { closeOf, dial } from '../support/ws-client.js';

// Decorators are called as functions, since the compiler of the tests does not know parameter decorators.

/** A class for a module, which has little but its decorator. */
function moduleClass(): new () => object {
  return class {
    readonly kind = 'module';
  };
}

class Users {
  /** @throws UnauthorizedException for nobody */
  of(query: URLSearchParams): { userId: string; threadId: string } {
    const userId = query.get('user');
    if (userId === null) throw new UnauthorizedException();
    return { userId, threadId: query.get('thread') ?? '' };
  }
}
Injectable()(Users);

class ChatGateway {
  readonly seen: string[] = [];

  handleConnection(client: WebSocket | Socket): void {
    this.seen.push(managerOf(client).threadId);
  }

  whoAmI(manager: WebSocketManager | null, text: string): { event: string; data: string } {
    return { event: 'you', data: `${manager?.threadId ?? 'nobody'} ${text}` };
  }
}
SubscribeMessage('who')(
  ChatGateway.prototype,
  'whoAmI',
  Object.getOwnPropertyDescriptor(ChatGateway.prototype, 'whoAmI') ?? {},
);
Manager()(ChatGateway.prototype, 'whoAmI', 0);
MessageBody()(ChatGateway.prototype, 'whoAmI', 1);
Reflect.defineMetadata('design:paramtypes', [Object, String], ChatGateway.prototype, 'whoAmI');
WebSocketGateway({ path: '/chat' })(ChatGateway);

const UsersModule = moduleClass();
Module({ providers: [Users], exports: [Users] })(UsersModule);

const quiet = { logger: false } as never;

interface App {
  readonly app: INestApplication;
  readonly mooring: Mooring;
  readonly port: number;
}

async function start(adapterOf: (app: INestApplication) => WebSocketAdapter, limit = 2): Promise<App> {
  const mooring = createMooring({ environment: 'production', env: {}, maxManagersPerUser: limit });
  const AppModule = moduleClass();
  Module({
    imports: [
      MooringModule.forRootAsync({
        imports: [UsersModule],
        inject: [Users],
        useFactory: (users: Users) => ({
          mooring,
          ws: { authenticate: ({ url = '' }: IncomingMessage) => users.of(new URL(url, 'http://x').searchParams) },
          socketIo: {
            refuse: 'connect_error',
            authenticate: ({ handshake }: Socket) => users.of(new URLSearchParams(handshake.auth)),
          },
        }),
      }),
    ],
    providers: [ChatGateway],
  })(AppModule);
  const app = await NestFactory.create(AppModule, quiet);
  app.useWebSocketAdapter(withMooring(adapterOf(app), app));
  await app.listen(0, '127.0.0.1');
  afterThisTest(() => app.close());
  return { app, mooring, port: Number(new URL(await app.getUrl()).port) };
}

describe('mooring/nestjs with WsAdapter', () => {
  const url = ({ port }: App, query: string): string => `ws://127.0.0.1:${port}/chat?${query}`;

  it('manages gateways, with services in authenticate, and keeps the limit', async () => {
    const server = await start((app) => new WsAdapter(app));
    const client = dial(url(server, 'user=ada&thread=thread_1'));
    await once(client, 'open');
    client.send(JSON.stringify({ event: 'who', data: 'asks' }));
    const [answer] = (await once(client, 'message')) as [Buffer];
    expect(JSON.parse(answer.toString())).toEqual({ event: 'you', data: 'thread_1 asks' });
    expect(server.app.get(ChatGateway).seen).toEqual(['thread_1']);
    await once(dial(url(server, 'user=ada&thread=thread_2')), 'open');
    await expect.poll(() => server.mooring.managerCountOf('ada')).toBe(2);
    expect(await closeOf(dial(url(server, 'user=ada&thread=thread_3')))).toMatch(/^1013 quota;retry=/);
  });

  it('takes an HttpException with 401 for what it is', async () => {
    const server = await start((app) => new WsAdapter(app));
    expect(await closeOf(dial(url(server, '')))).toBe('4401 unauthenticated');
  });

  it('tells clients that the server drains, when the application closes', async () => {
    const server = await start((app) => new WsAdapter(app));
    const client = dial(url(server, 'user=ada&thread=thread_1'));
    await once(client, 'open');
    const closed = closeOf(client);
    await server.app.close();
    expect(await closed).toMatch(/^1012 drain;retry=/);
    expect(server.mooring.managerCount).toBe(0);
  });
});

describe('mooring/nestjs with IoAdapter', () => {
  const connect = ({ port }: App, auth: object) => {
    const client = connectTo(`http://127.0.0.1:${port}`, { path: '/chat', forceNew: true, auth: { ...auth } });
    afterThisTest(() => void client.disconnect());
    return client;
  };

  it('manages gateways, with services in authenticate, and keeps the limit', async () => {
    const server = await start((app) => new IoAdapter(app), 1);
    const client = connect(server, { user: 'ada', thread: 'thread_1' });
    await joined(client);
    const answer = new Promise((resolve) => client.once('you', resolve));
    client.emit('who', 'asks');
    expect(await answer).toBe('thread_1 asks');
    expect(server.app.get(ChatGateway).seen).toEqual(['thread_1']);
    expect(await endOf(connect(server, { user: 'ada', thread: 'thread_2' }))).toMatch(/^connect_error quota/);
  });

  it('manages the server of an adapter that makes it in create', async () => {
    class OwnAdapter extends IoAdapter {
      // Nest brings a copy of Socket.IO of its own, with types of its own.
      override create(_port: number, options?: object): never {
        return new Server(this.httpServer as HttpServer, { ...options }) as never;
      }
    }
    const server = await start((app) => new OwnAdapter(app));
    await joined(connect(server, { user: 'ada', thread: 'thread_1' }));
    expect(server.mooring.managerCountOf('ada')).toBe(1);
  });

  it('takes an HttpException with 401 for what it is, and drains', async () => {
    const server = await start((app) => new IoAdapter(app));
    expect(await endOf(connect(server, {}))).toBe('connect_error unauthenticated');
    const client = connect(server, { user: 'ada', thread: 'thread_1' });
    await joined(client);
    const told = new Promise((resolve) => client.once('mooring', resolve));
    await server.app.close();
    expect(await told).toMatchObject({ cause: 'drain' });
  });
});

describe('MooringModule', () => {
  it('gives the Mooring to services of any module', async () => {
    const mooring = createMooring({ env: {} });
    class Doorman {
      constructor(readonly given: Mooring) {}
    }
    Injectable()(Doorman);
    Inject(MOORING)(Doorman, undefined, 0);
    const FeatureModule = moduleClass();
    Module({ providers: [Doorman] })(FeatureModule);
    const AppModule = moduleClass();
    Module({ imports: [MooringModule.forRoot({ mooring }), FeatureModule] })(AppModule);
    const app = await NestFactory.create(AppModule, quiet);
    afterThisTest(() => app.close());
    expect(app.get(Doorman, { strict: false }).given).toBe(mooring);
  });
});

describe('withMooring', () => {
  it('says what is missing in the module', async () => {
    const mooring = createMooring({ env: {} });
    const AppModule = moduleClass();
    Module({ imports: [MooringModule.forRoot({ mooring })] })(AppModule);
    const app = await NestFactory.create(AppModule, quiet);
    afterThisTest(() => app.close());
    expect(() => withMooring(new WsAdapter(app), app)).toThrow(/got no ws, wanted ws: \{ authenticate \}/);
    expect(() => withMooring(new IoAdapter(app), app)).toThrow(/got no socketIo/);
  });

  it.each([
    ['two modules with options of their own', 2, /got several MooringModule with options of their own/],
    ['one module in two places', 1, null],
  ])('takes or refuses %s', async (_, count, message) => {
    const optionsOf = () => ({ mooring: createMooring({ env: {} }), ws: { authenticate: () => null } });
    const first = MooringModule.forRoot(optionsOf());
    const FeatureModule = moduleClass();
    Module({ imports: [count === 1 ? first : MooringModule.forRoot(optionsOf())] })(FeatureModule);
    const AppModule = moduleClass();
    Module({ imports: [first, FeatureModule] })(AppModule);
    const app = await NestFactory.create(AppModule, quiet);
    afterThisTest(() => app.close());
    const act = () => withMooring(new WsAdapter(app), app);
    if (message === null) expect(act).not.toThrow();
    else expect(act).toThrow(message);
  });

  it("does not take authenticate: 'before', with which nobody would get in", async () => {
    const AppModule = moduleClass();
    const options = { mooring: createMooring({ env: {} }), ws: { authenticate: 'before' as 'later' } };
    Module({ imports: [MooringModule.forRoot(options)] })(AppModule);
    const app = await NestFactory.create(AppModule, quiet);
    afterThisTest(() => app.close());
    expect(() => withMooring(new WsAdapter(app), app)).toThrow(
      /ws\.authenticate: got before, wanted a function .*'later'/,
    );
  });
});
