import { getConnInfo } from '@hono/node-server/conninfo';
import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { HTTPException } from 'hono/http-exception';
import type { LoadedConfig } from '../config/load-config.js';
import { describe } from '../core/errors.js';
import type { Mooring } from '../core/mooring.js';
import { apiPath } from '../presentation/paths.js';
import { Gatekeeper, type Access, type AdminToken, type Caller } from './access.js';
import { addDashboard } from './assets.js';
import { Census } from './census.js';
import { EventHub } from './event-stream.js';
import type { AdminApp, AdminEnv, AdminParts, MetricsText } from './parts.js';
import { badField, badFields, ProblemError, problemResponse } from './problems.js';
import { Recorder } from './recorder.js';
import { Refusals } from './refusals.js';
import { bodyChecks } from './request-body.js';
import { addManagerRoutes } from './routes/managers.js';
import { addServerRoutes } from './routes/server.js';
import { addUserRoutes } from './routes/users.js';

export type { MetricsText } from './parts.js';
export type {
  Access,
  AccessAnswer,
  AccessEnvironment,
  AccessFunction,
  AdminToken,
  Admitted,
  Denied,
  Scope,
} from './access.js';

/** What the admin API is made with. */
export interface AdminOptions {
  readonly mooring: Mooring;
  /** Tokens with scopes, a function that knows the sessions of your application, or `'loopback'`. */
  readonly access: Access;
  /** Tokens beside an access function, for example for Prometheus. @default none */
  readonly tokens?: readonly AdminToken[];
  /**
   * Origins whose pages may act, beside the server's own: needed if a proxy in front rewrites `Host`, e.g.
   * `https://ops.example.com`. They allow no CORS. @default none
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Where people sign in to your application, if `access` is a function of it: a path, or an `http:` or `https:` URL. The
   * page shows it as a link to who is not signed in. @default no link
   */
  readonly loginUrl?: string;
  /** The result of `loadProcessConfig`: tells where each setting came from. @default not told */
  readonly loaded?: LoadedConfig;
  /** What `/metrics` answers, e.g. of `mooring/prometheus`. @default there is no `/metrics` */
  readonly metrics?: MetricsText;
  /**
   * How many viewers the event stream may have at once. Tokens that may only read have at most three quarters of them, one
   * such token a quarter, one that may act half. @default 100
   */
  readonly maxViewers?: number;
  /** Shown by `/healthz` and the overview. @default `'unknown'` */
  readonly version?: string;
}

/** The admin API as one handler. */
export interface Admin {
  /**
   * Answers a request. Never rejects.
   * @param env as `@hono/node-server` gives it: has Node's request, with the caller's address
   */
  readonly fetch: (request: Request, env?: unknown) => Promise<Response>;
  /** Ends every event stream. Leaves no timer and no listener. */
  close(): void;
}

const methods = ['GET', 'POST', 'DELETE'] as const;
/** Methods that a `Request` cannot be copied with. */
const refusedMethods: readonly string[] = ['TRACE', 'CONNECT'];

/**
 * The admin API, with the dashboard at `/`: usage, the journal of each user, success metrics, and actions on connections.
 * Mount its `fetch` in a server of yours.
 * @throws TypeError if `access` lets nobody in or has a short token, if `maxViewers` is no whole number of at least 1, or if
 * `loginUrl` is no path or URL
 */
export function createAdmin(options: AdminOptions): Admin {
  const {
    mooring,
    access,
    tokens,
    allowedOrigins,
    maxViewers,
    loginUrl = null,
    loaded = null,
    metrics = null,
    version = 'unknown',
  } = options;
  if (loginUrl !== null) checkLoginUrl(loginUrl);
  const parts: AdminParts = {
    mooring,
    version,
    loginUrl,
    loaded,
    metrics,
    gate: new Gatekeeper({
      access,
      tokens,
      allowedOrigins,
      now: () => mooring.now(),
      onFailure: (error) => {
        mooring.events.emit('admin.failed', { route: 'access', error });
      },
    }),
    census: new Census(mooring),
    recorder: new Recorder(mooring),
    hub: new EventHub(mooring, maxViewers),
    refusals: new Refusals(mooring),
  };
  const app = appOf(parts);
  return {
    fetch: async (request, env) => app.fetch(request, typeof env === 'object' ? { ...env } : {}),
    close: () => {
      parts.hub.close();
      parts.recorder.close();
      parts.refusals.close();
    },
  };
}

/** @throws TypeError for what is no place to go to, such as `javascript:` */
function checkLoginUrl(loginUrl: unknown): void {
  const anyOrigin = 'http://localhost';
  const isText = typeof loginUrl === 'string' && loginUrl !== '' && URL.canParse(loginUrl, anyOrigin);
  if (isText && ['http:', 'https:'].includes(new URL(loginUrl, anyOrigin).protocol)) return;
  throw new TypeError(`loginUrl: got ${describe(loginUrl)}, wanted a path such as /login, or an http: or https: URL`);
}

function appOf(parts: AdminParts): AdminApp {
  const app: AdminApp = new OpenAPIHono<AdminEnv>({ defaultHook: rejectInvalid });
  app.onError((error, c) => problemResponse(problemOf(error, c, parts)));
  app.notFound(({ req }) => problemResponse(noRoute(app, req)));
  app.use(async (c, next) => {
    if (refusedMethods.includes(c.req.method)) return problemResponse(noRoute(app, c.req));
    await next();
    c.header('x-content-type-options', 'nosniff');
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    return undefined;
  });
  addOpenRoutes(app, parts);
  // The caller is checked before a body is read. Outside of the API no route reads one.
  app.use(`${apiPath}/*`, guarded(parts), ...bodyChecks);
  addUserRoutes(app, parts);
  addManagerRoutes(app, parts);
  addServerRoutes(app, parts);
  addDashboard(app);
  return app;
}

/** No route has this path, or none of those that do takes this method. */
function noRoute({ router }: AdminApp, { method, path }: { method: string; path: string }): ProblemError {
  const isTaken = (by: string): boolean => router.match(by, path)[0].some(([[, route]]) => route.method === by);
  const allow = methods
    .filter(isTaken)
    .flatMap((by) => (by === 'GET' ? ['GET', 'HEAD'] : [by]))
    .join(', ');
  if (allow !== '') {
    const detail = `${path} takes ${allow.replace(/, (\w+)$/, ' and $1')}, got ${method}.`;
    return new ProblemError({ kind: 'method-not-allowed', status: 405, detail }, { headers: { allow } });
  }
  const hint = `GET ${apiPath}/openapi.json lists what there is.`;
  return new ProblemError({ kind: 'no-such-route', status: 404, detail: `There is no ${method} ${path}.`, hint });
}

function guarded({ gate }: AdminParts): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const scope = c.req.method === 'GET' || c.req.method === 'HEAD' ? 'read' : 'act';
    c.set('who', await gate.admit(callerOf(c), scope));
    await next();
  };
}

/** Routes outside of the guard: health for load balancers, metrics for Prometheus, and the OpenAPI document. */
function addOpenRoutes(app: AdminApp, { mooring, version, metrics, gate, loginUrl }: AdminParts): void {
  // The page learns from this how people sign in, without a request that is refused.
  const health = () => ({
    status: mooring.isDraining ? 'draining' : 'ok',
    managers: mooring.managerCount,
    version,
    // It is no reason to take the server out of service: then the local limit decides.
    ...(mooring.ledgerStatus !== null && { ledger: mooring.ledgerStatus }),
    wantsToken: gate.wantsToken,
    ...(loginUrl !== null && { loginUrl }),
  });
  app.get('/healthz', (c) => c.json(health()));
  app.get('/readyz', (c) => c.json(health(), mooring.isDraining ? 503 : 200));
  if (metrics !== null)
    app.get('/metrics', async (c) => {
      await gate.admit(callerOf(c), 'read');
      return c.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType });
    });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  const document = openApiOf(app, version);
  app.get(`${apiPath}/openapi.json`, (c) => c.body(document(), 200, { 'content-type': 'application/json' }));
}

/** The OpenAPI document as JSON. It is made at the first call, when the app has all its routes. */
function openApiOf(app: AdminApp, version: string): () => string {
  const info = { title: 'Mooring admin API', version, description: 'See and steer a running Mooring.' };
  let json: string | null = null;
  return () => (json ??= JSON.stringify(app.getOpenAPI31Document({ openapi: '3.1.0', info })));
}

function callerOf(c: Context<AdminEnv>): Caller {
  const { method, url, raw } = c.req;
  return { method, address: addressOf(c), headers: raw.headers, url: new URL(url), environment: c.env };
}

/** Only `@hono/node-server` tells where a request came from. */
function addressOf(c: Context<AdminEnv>): string | undefined {
  try {
    return getConnInfo(c).remote.address;
  } catch {
    return undefined;
  }
}

function rejectInvalid({ error }: { readonly success: boolean; readonly error?: z.ZodError }): undefined {
  if (error === undefined) return undefined;
  throw badFields(
    error.issues.map(({ path, message }) => ({ field: path.map(String).join('.') || 'request', problem: message })),
  );
}

/** An error as a problem. The details of an unexpected one are only in the event. */
function problemOf(error: unknown, c: Context<AdminEnv>, { mooring, refusals }: AdminParts): ProblemError {
  if (error instanceof ProblemError) {
    if ([401, 403, 429].includes(error.problem.status)) refusals.report(error, callerOf(c));
    return error;
  }
  if (error instanceof HTTPException) return problemOfHttp(error);
  // The client closed the connection while the request was read: nothing failed here.
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return badField('body', 'broke off');
  mooring.events.emit('admin.failed', { route: `${c.req.method} ${routePath(c)}`, error: describe(error) });
  const detail = 'The request failed because of an error in the server; its log has the error.';
  return new ProblemError({ kind: 'internal-error', status: 500, detail });
}

/** An error of hono: a body that is not JSON, or of another content type. */
function problemOfHttp({ status, message }: HTTPException): ProblemError {
  if (status === 400) return badField('body', 'is no JSON');
  if (status !== 415) return new ProblemError({ kind: 'bad-request', status, detail: message });
  const detail = 'The body is of another kind than application/json.';
  const hint = 'Send the header "content-type: application/json".';
  return new ProblemError({ kind: 'unsupported-media-type', status, detail, hint });
}
