import type { IncomingMessage } from 'node:http';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import type { WebSocket, WebSocketServer } from 'ws';
import { describe } from '../core/errors.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import type { AuthenticationCall } from './authentication-call.js';
import type { AuthenticateResult } from './doorway.js';
import { translating } from './http-errors.js';
import { attach, findManager, type AttachOptions, type Attachment } from './ws.js';

declare module 'fastify' {
  interface FastifyInstance {
    mooring: Mooring;
  }
  interface FastifyRequest {
    /** The manager of the request's WebSocket; `null` for other requests, and for routes without Mooring. */
    readonly manager: WebSocketManager<WebSocket> | null;
  }
  interface FastifyContextConfig {
    /** `false`: WebSockets of this route are not managed. @default true */
    mooring?: boolean;
  }
}

/** What {@link mooringFastify} needs. `keyOf`, `attemptRate` and `allowedOrigins` see the request of Node. */
export interface MooringFastifyOptions extends Omit<AttachOptions, 'authenticate'> {
  /**
   * The user and the thread of a request. Called after all hooks of the route, right before its handler, so that what they
   * have put on the request is there. Errors with the status 401 or 403 count as `AuthenticationError`.
   */
  readonly authenticate: (
    request: FastifyRequest,
    call: AuthenticationCall,
  ) => AuthenticateResult | Promise<AuthenticateResult>;
  /** Options for `@fastify/websocket`, if it is not registered yet. */
  readonly websocket?: WebsocketPluginOptions;
}

/**
 * A plugin of Fastify that manages the WebSockets of its routes. It registers `@fastify/websocket`, unless that was done
 * before, and belongs before the routes. `fastify.close()` stops the Mooring first. WebSockets of routes that were there
 * before are closed with 4401.
 *
 * @example
 * await app.register(mooringFastify, { mooring: createMooring(), authenticate: (request) => whoIs(request) });
 * app.get('/chat', { websocket: true }, (socket, request) => {
 *   socket.send(request.manager?.threadId ?? 'nobody');
 * });
 *
 * @throws TypeError if an option is not valid, or if `@fastify/websocket` is registered in a scope around this one: the
 * WebSockets of the other scopes would be closed
 */
export const mooringFastify = fp(register, { name: 'mooring', fastify: '5.x' });

async function register(fastify: FastifyInstance, options: MooringFastifyOptions): Promise<void> {
  const { authenticate, websocket: websocketOptions = {}, ...rest } = options;
  if (typeof authenticate !== 'function')
    throw new TypeError(
      `authenticate: got ${describe(authenticate)}, wanted a function that returns the user of a request`,
    );
  if (fastify.hasDecorator('websocketServer') && !Object.hasOwn(fastify, 'websocketServer'))
    throw new TypeError(
      'mooringFastify: got a scope inside that of @fastify/websocket, wanted the same one, since its server has the WebSockets of all scopes. Register both in one place, and set config: { mooring: false } for routes that Mooring should leave alone',
    );
  // Before that of @fastify/websocket, which closes all sockets without a reason.
  fastify.addHook('preClose', () => options.mooring.stop());
  if (!fastify.hasDecorator('websocketServer')) await fastify.register(websocket, websocketOptions);
  // `ws` declares its classes twice, for CommonJS and for modules.
  const server = fastify.websocketServer as unknown as WebSocketServer;
  const gate = attach(server, { ...rest, authenticate: 'before' });
  const managers = new WeakMap<IncomingMessage, WebSocketManager<WebSocket>>();
  server.on('connection', (socket, request) => {
    const manager = findManager(socket);
    if (manager !== undefined) managers.set(request, manager);
  });
  fastify.decorate('mooring', options.mooring);
  fastify.decorateRequest('manager', {
    getter() {
      return managers.get(this.raw) ?? null;
    },
  });
  fastify.addHook('onRoute', (route) => {
    if (isForWebSockets(route)) admitLast(route, gate, authenticate);
  });
}

function isForWebSockets(route: RouteOptions): boolean {
  return route.websocket === true || route.wsHandler !== undefined;
}

/** Admits right before the handler, so that nobody is counted whom a hook rejects. */
function admitLast(route: RouteOptions, gate: Attachment, authenticate: MooringFastifyOptions['authenticate']): void {
  // `@fastify/websocket` has put its own handler here, which does the upgrade.
  const { handler, config } = route;
  route.handler = function (request, reply) {
    if (!request.ws) return handler.call(this, request, reply);
    if (config?.mooring === false) {
      gate.letThrough(request.raw);
      return handler.call(this, request, reply);
    }
    const decided = gate.admitBefore(request.raw, (call) => translating(() => authenticate(request, call)));
    return decided.then(() => handler.call(this, request, reply));
  };
}
