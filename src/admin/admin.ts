import { getConnInfo } from '@hono/node-server/conninfo';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { LoadedConfig } from '../config/load-config.js';
import { describe } from '../core/errors.js';
import type { Mooring } from '../core/mooring.js';
import { apiPath } from '../presentation/paths.js';
import { Gatekeeper, type Access, type Asker } from './access.js';
import { addDashboard } from './assets.js';
import { Census } from './census.js';
import { EventHub } from './event-stream.js';
import type { AdminApp, AdminEnv, AdminParts, MetricsText } from './parts.js';
import { badField, badFields, noSuchRoute, ProblemError, problemResponse, wrongMethod } from './problems.js';
import { Recorder } from './recorder.js';
import { Refusals } from './refusals.js';
import { addManagerRoutes } from './routes/managers.js';
import { addServerRoutes } from './routes/server.js';
import { addUserRoutes } from './routes/users.js';

/** What the admin API is made with. */
export interface AdminOptions {
  readonly mooring: Mooring;
  /** Who may use it: tokens with scopes, or `'loopback'`. */
  readonly access: Access;
  /**
   * What browsers call this server, where a proxy in front sets `Host` anew, e.g. `https://ops.example.com`: pages of these
   * origins may act. Others could not read what is answered, as nothing is said for CORS. @default none
   */
  readonly allowedOrigins?: readonly string[];
  /** Where each setting came from; what `loadProcessConfig` gave. @default not told */
  readonly loaded?: LoadedConfig;
  /** What `/metrics` answers, e.g. of `mooring/prometheus`. @default `/metrics` is not there */
  readonly metrics?: MetricsText;
  /**
   * How many may watch the event stream at once. Tokens that may only look have at most three quarters of it, one such
   * token a quarter, one that may act half. @default 100
   */
  readonly maxViewers?: number;
  /** Told by `/healthz` and the overview. @default `'unknown'` */
  readonly version?: string;
}

/** The admin API as one handler. */
export interface Admin {
  /** Answers a request. Never rejects. @param env as `@hono/node-server` gives it, for the address of who asks */
  fetch(request: Request, env?: unknown): Promise<Response>;
  /** Ends every event stream and leaves no timer and no listener. */
  close(): void;
}

/** More than any body of this API needs. */
const mostBodyBytes = 16_384;

/** What routes here are for, and what no `Request` may be for. */
const methods = ['GET', 'POST', 'DELETE'] as const;
const impossible: readonly string[] = ['TRACE', 'CONNECT'];

/**
 * The admin API: who uses what, why a connection was closed, whether the promise is kept, and how to act on it. At `/`
 * it has the dashboard. Mount its `fetch` anywhere, or have `mooring serve` listen for it.
 * @throws TypeError where `access` has no token, or a short one, or `maxViewers` is no whole number of at least 1
 */
export function createAdmin(options: AdminOptions): Admin {
  const { mooring, access, allowedOrigins, maxViewers, loaded = null, metrics = null, version = 'unknown' } = options;
  const parts: AdminParts = {
    ...{ mooring, version, loaded, metrics },
    gate: new Gatekeeper(access, () => mooring.now(), allowedOrigins),
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

function appOf(parts: AdminParts): AdminApp {
  const app: AdminApp = new OpenAPIHono<AdminEnv>({ defaultHook: rejectInvalid });
  app.onError((error, c) => problemResponse(problemOf(error, c, parts)));
  app.notFound(({ req }) => problemResponse(noRoute(app, req)));
  app.use(async (c, next) => {
    if (impossible.includes(c.req.method)) return problemResponse(noRoute(app, c.req));
    await next();
    c.header('x-content-type-options', 'nosniff');
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    return undefined;
  });
  addOpenRoutes(app, parts);
  // First who asks, then what: of strangers no body is read, and outside of the API of nobody, as nothing there takes one.
  app.use(`${apiPath}/*`, guarded(parts), bodyLimit({ maxSize: mostBodyBytes, onError: tooLarge }), withKnownBody);
  addUserRoutes(app, parts);
  addManagerRoutes(app, parts);
  addServerRoutes(app, parts);
  addDashboard(app);
  return app;
}

/** Nothing is there, or it is asked for by a method it does not take. */
function noRoute({ router }: AdminApp, { method, path }: { method: string; path: string }): ProblemError {
  const isTaken = (by: string): boolean => router.match(by, path)[0].some(([[, route]]) => route.method === by);
  const taken = methods.filter(isTaken).flatMap((by) => (by === 'GET' ? ['GET', 'HEAD'] : [by]));
  const hint = `GET ${apiPath}/openapi.json lists what there is.`;
  return taken.length === 0
    ? noSuchRoute(`There is no ${method} ${path}.`, hint)
    : wrongMethod({ method, path, taken });
}

function tooLarge(): never {
  const detail = `The body has more than ${mostBodyBytes.toLocaleString('en')} bytes, which no request of this API needs.`;
  throw new ProblemError({ kind: 'content-too-large', status: 413, detail });
}

/** A body of an unknown kind would be passed over, and `dryRun` with it. One that is empty is none, of whatever kind. */
const withKnownBody: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const { method, url, headers, body } = c.req.raw;
  const isEmpty = body === null || (await c.req.text()).trim() === '';
  if (!isEmpty && !headers.has('content-type')) throw badField('content-type', 'is missing; wanted application/json');
  if (isEmpty && headers.has('content-type')) c.req.raw = withoutKind(url, { method, headers });
  await next();
};

function withoutKind(url: string, { method, headers }: { method: string; headers: Headers }): Request {
  const others = new Headers(headers);
  others.delete('content-type');
  return new Request(url, { method, headers: others });
}

/** Whoever only looks needs less than who acts. */
function guarded({ gate }: AdminParts): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const scope = c.req.method === 'GET' || c.req.method === 'HEAD' ? 'read' : 'act';
    c.set('who', gate.admit(askerOf(c), scope));
    await next();
  };
}

/** Health for load balancers, metrics for Prometheus, and what there is. */
function addOpenRoutes(app: AdminApp, { mooring, version, metrics, gate }: AdminParts): void {
  // Whether it wants a token is told, so that a page can ask for one without being turned away first.
  const health = () => ({
    status: mooring.isDraining ? 'draining' : 'ok',
    managers: mooring.managerCount,
    version,
    wantsToken: gate.wantsToken,
  });
  app.get('/healthz', (c) => c.json(health()));
  app.get('/readyz', (c) => c.json(health(), mooring.isDraining ? 503 : 200));
  if (metrics !== null)
    app.get('/metrics', async (c) => {
      gate.admit(askerOf(c), 'read');
      return c.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType });
    });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.doc31(`${apiPath}/openapi.json`, {
    openapi: '3.1.0',
    info: { title: 'Mooring admin API', version, description: 'See and steer a running Mooring.' },
  });
}

function askerOf(c: Context<AdminEnv>): Asker {
  return { method: c.req.method, address: addressOf(c), headers: c.req.raw.headers, url: new URL(c.req.url) };
}

/** Elsewhere than under `@hono/node-server` nobody says where a request came from. */
function addressOf(c: Context<AdminEnv>): string | undefined {
  try {
    return getConnInfo(c).remote.address;
  } catch {
    return undefined;
  }
}

function rejectInvalid(result: {
  success: boolean;
  error?: { issues: readonly { path: readonly PropertyKey[]; message: string }[] };
}): undefined {
  if (result.success || result.error === undefined) return undefined;
  throw badFields(
    result.error.issues.map(({ path, message }) => ({
      field: path.map(String).join('.') || 'request',
      problem: message,
    })),
  );
}

/** Whatever is thrown, as a problem; what nobody expected is reported without its inside. */
function problemOf(error: unknown, c: Context<AdminEnv>, { mooring, refusals }: AdminParts): ProblemError {
  if (error instanceof ProblemError) {
    if ([401, 403, 429].includes(error.problem.status)) refusals.tell(error, askerOf(c));
    return error;
  }
  if (error instanceof HTTPException) return problemOfHttp(error);
  // Nobody is there any longer to be answered, and nothing failed here.
  if (isAborted(error)) return badField('body', 'broke off');
  mooring.events.emit('admin.failed', { route: `${c.req.method} ${routePath(c)}`, error: describe(error) });
  return new ProblemError({
    kind: 'internal-error',
    status: 500,
    detail: 'Something failed here; the log says what.',
  });
}

/** What the router says of a body it does not take. */
function problemOfHttp({ status, message }: HTTPException): ProblemError {
  if (status === 400) return badField('body', 'is no JSON');
  if (status !== 415) return new ProblemError({ kind: 'bad-request', status, detail: message });
  const detail = 'The body is of another kind than application/json.';
  const hint = 'Send the header "content-type: application/json".';
  return new ProblemError({ kind: 'unsupported-media-type', status, detail, hint });
}

/** Whether whoever asked has gone while the request was being read. */
function isAborted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}
