import type { IncomingMessage } from 'node:http';
import type { Context, Env, MiddlewareHandler } from 'hono';
import type { WebSocket, WebSocketServer } from 'ws';
import { describe } from '../core/errors.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { AuthenticationCall } from './authentication-call.js';
import type { AuthenticateResult } from './doorway.js';
import { translating } from './http-errors.js';
import * as ws from './ws.js';

/**
 * The manager of `socket.raw`, for `hold()`, `socket()`, `onRelease()` and `data`.
 * @throws TypeError if it has none. Where that may be, use {@link findManager}.
 */
export function managerOf<Data = unknown>(raw: object | undefined): WebSocketManager<WebSocket, Data> {
  return ws.managerOf(raw as WebSocket);
}

/** As {@link managerOf}, but returns `undefined` if there is no manager. Never throws. */
export function findManager<Data = unknown>(raw: object | undefined): WebSocketManager<WebSocket, Data> | undefined {
  return ws.findManager(raw as WebSocket);
}

/** What {@link moored} needs. `keyOf`, `attemptRate` and `allowedOrigins` see the request of Node. */
export interface MooredOptions<AppEnv extends Env = Env> extends Omit<ws.AttachOptions, 'authenticate'> {
  /** The same server that `serve({ websocket: { server } })` of `@hono/node-server` gets, with `noServer: true`. */
  readonly server: WebSocketServer;
  /**
   * The user and the thread of a request. Called where the middleware stands, with what earlier ones have put into the
   * context. An `HTTPException` with the status 401 or 403 counts as `AuthenticationError`.
   */
  readonly authenticate: (
    context: Context<AppEnv>,
    call: AuthenticationCall,
  ) => AuthenticateResult | Promise<AuthenticateResult>;
}

/**
 * A middleware of Hono, for `@hono/node-server` 2, that manages the WebSockets of the routes it stands before. Make it once
 * for each `WebSocketServer`. WebSockets of other routes of that server are closed with 4401. In the handlers of
 * `upgradeWebSocket`, `managerOf(socket.raw)` gives the manager. Other requests pass.
 *
 * @example
 * const server = new WebSocketServer({ noServer: true });
 * const admit = moored<AppEnv>({ server, mooring: createMooring(), authenticate: (c) => whoIs(c.get('session')) });
 * app.get('/chat', admit, upgradeWebSocket(() => ({ onMessage: (event, socket) => socket.send('hello') })));
 * serve({ fetch: app.fetch, websocket: { server } });
 *
 * @throws TypeError if the server has a Mooring already, or if an option is not valid
 */
export function moored<AppEnv extends Env = Env>({
  server,
  authenticate,
  ...options
}: MooredOptions<AppEnv>): MiddlewareHandler<AppEnv> {
  if (typeof authenticate !== 'function')
    throw new TypeError(
      `authenticate: got ${describe(authenticate)}, wanted a function that returns the user of a context`,
    );
  const gate = ws.attach(server, { ...options, authenticate: 'before' });
  const seen = new WeakSet<IncomingMessage>();
  return async (context, next) => {
    if (context.req.header('upgrade')?.toLowerCase() === 'websocket') {
      const request = incomingOf(context);
      // Not for a request that only says so; once if the middleware stands before a route twice.
      if (isUpgrade(request) && !seen.has(request)) {
        seen.add(request);
        await gate.admitBefore(request, (call) => translating(() => authenticate(context, call)));
      }
    }
    await next();
  };
}

/** Whether Node has taken the request for an upgrade. It sets this property, which its types do not have. */
function isUpgrade(request: IncomingMessage): boolean {
  return (request as IncomingMessage & { readonly upgrade?: unknown }).upgrade === true;
}

/** @throws TypeError if the application runs on something else than `@hono/node-server` */
function incomingOf<AppEnv extends Env>({ env }: Context<AppEnv>): IncomingMessage {
  const { incoming } = (env as { readonly incoming?: IncomingMessage } | undefined) ?? {};
  if (incoming !== undefined) return incoming;
  throw new TypeError('moored: this request has no request of Node; it works with @hono/node-server 2');
}
