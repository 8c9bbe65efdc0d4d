import type { IncomingMessage } from 'node:http';
import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  createParamDecorator,
  type BeforeApplicationShutdown,
  type ExecutionContext,
  type INestApplicationContext,
  type WebSocketAdapter,
} from '@nestjs/common';
import type { Server, Socket } from 'socket.io';
import type { WebSocket, WebSocketServer } from 'ws';
import { describe } from '../core/errors.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import { translating } from './http-errors.js';
import * as socketIo from './socket-io.js';
import * as ws from './ws.js';

/** What {@link MooringModule} needs: the Mooring, and what `attach` of `mooring/ws` or `mooring/socket.io` needs. */
export interface MooringModuleOptions {
  /** Stopped when the application shuts down, before its servers close. */
  readonly mooring: Mooring;
  /** For applications with `WsAdapter`. An `HttpException` with 401 or 403 counts as `AuthenticationError`. */
  readonly ws?: Omit<ws.AttachOptions, 'mooring' | 'authenticate'> & {
    readonly authenticate: ws.Authenticate<IncomingMessage> | 'later';
  };
  /** For applications with `IoAdapter`; the same. */
  readonly socketIo?: Omit<Extract<socketIo.AttachOptions, { at?: 'connect' }>, 'mooring'>;
}

/**
 * The token of the Mooring in a module's services and controllers.
 *
 * @example
 * constructor(@Inject(MOORING) private readonly mooring: Mooring) {}
 */
export const MOORING = Symbol('mooring');

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<MooringModuleOptions>()
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/**
 * The module of Nest: `MooringModule.forRoot(options)`, or `forRootAsync({ inject, useFactory })` if `authenticate` needs
 * services. It belongs together with {@link withMooring}, and exports the Mooring as {@link MOORING}.
 */
export class MooringModule extends ConfigurableModuleClass implements BeforeApplicationShutdown {
  constructor(readonly options: MooringModuleOptions) {
    super();
  }

  /** Clients are told that the server drains, before Nest closes its servers. */
  beforeApplicationShutdown(): Promise<void> {
    return this.options.mooring.stop();
  }
}

Module({
  providers: [
    { provide: MOORING, inject: [MODULE_OPTIONS_TOKEN], useFactory: ({ mooring }: MooringModuleOptions) => mooring },
  ],
  exports: [MOORING],
})(MooringModule);
Inject(MODULE_OPTIONS_TOKEN)(MooringModule, undefined, 0);

/**
 * Has an adapter attach the Mooring of {@link MooringModule} to each server that it makes: a `WsAdapter`, an `IoAdapter`, or
 * a class of yours that extends one of them.
 *
 * @example
 * app.useWebSocketAdapter(withMooring(new WsAdapter(app), app));
 *
 * @returns the same adapter
 * @throws TypeError if the module has no options for this kind of adapter, or if there are two modules with options of
 * their own. Nest throws if the module is not imported.
 */
export function withMooring<Adapter extends WebSocketAdapter>(adapter: Adapter, app: INestApplicationContext): Adapter {
  const options = optionsOf(app);
  const attach = 'createIOServer' in adapter ? attachesSocketIo(options) : attachesWs(options);
  const attached = new WeakSet<object>();
  const create = adapter.create.bind(adapter);
  adapter.create = (...given) => {
    const made = create(...given) as object;
    // A namespace of Socket.IO belongs to a server. Gateways with the same port and path get the same server.
    const server = 'server' in made && 'adapter' in made ? (made.server as object) : made;
    if (!attached.has(server)) attach(server);
    attached.add(server);
    return made;
  };
  return adapter;
}

function optionsOf(app: INestApplicationContext): MooringModuleOptions {
  const modules = app.get<MooringModule, MooringModule>(MooringModule, { strict: false, each: true });
  const [options, ...others] = new Set(modules.map((module) => module.options));
  if (options !== undefined && others.length === 0) return options;
  throw new TypeError(
    'withMooring: got several MooringModule with options of their own, wanted one; import it in the module of the application',
  );
}

function attachesWs({ mooring, ws: given }: MooringModuleOptions): (server: object) => void {
  const options = wanted(given, 'ws');
  const { authenticate: whoIs } = options;
  const authenticate: typeof whoIs =
    typeof whoIs === 'function' ? (request, call) => translating(() => whoIs(request, call)) : whoIs;
  return (server) => {
    ws.attach(server as WebSocketServer, { ...options, authenticate, mooring });
  };
}

function attachesSocketIo({ mooring, socketIo: given }: MooringModuleOptions): (server: object) => void {
  const options = wanted(given, 'socketIo');
  const authenticate: typeof options.authenticate = (socket, call) =>
    translating(() => options.authenticate(socket, call));
  return (server) => {
    socketIo.attach(server as Server, { ...options, authenticate, mooring });
  };
}

/** The parameter of a handler that gets the manager of its client; `null` if it has none. */
export const Manager = createParamDecorator(
  (_: unknown, context: ExecutionContext) => findManager(context.switchToWs().getClient<WebSocket | Socket>()) ?? null,
);

/** The manager of a gateway's client. @throws TypeError if it has none */
export function managerOf<Data = unknown>(client: WebSocket | Socket): WebSocketManager<WebSocket | Socket, Data> {
  const manager = findManager<Data>(client);
  if (manager !== undefined) return manager;
  throw new TypeError('managerOf: this client has no manager. Where that may be, use findManager().');
}

/** As {@link managerOf}, but returns `undefined` if there is no manager. Never throws. */
export function findManager<Data = unknown>(
  client: WebSocket | Socket,
): WebSocketManager<WebSocket | Socket, Data> | undefined {
  if (typeof client !== 'object' || (client as unknown) === null) return undefined;
  return ws.findManager<Data>(client as WebSocket) ?? socketIo.findManager<Data>(client as Socket);
}

function wanted<Options extends { readonly authenticate: unknown }>(
  options: Options | undefined,
  name: string,
): Options {
  if (options === undefined)
    throw new TypeError(`MooringModule: got no ${name}, wanted ${name}: { authenticate } for this adapter`);
  const { authenticate } = options;
  if (typeof authenticate === 'function' || (name === 'ws' && authenticate === 'later')) return options;
  const wanted = name === 'ws' ? "request, or 'later'" : 'socket';
  throw new TypeError(
    `${name}.authenticate: got ${describe(authenticate)}, wanted a function that returns the user of a ${wanted}`,
  );
}
