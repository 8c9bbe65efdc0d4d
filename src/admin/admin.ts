import { getConnInfo } from '@hono/node-server/conninfo';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { LoadedConfig } from '../core/config.js';
import { describe } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';
import { Gatekeeper, type Access } from './access.js';
import { addDashboard } from './assets.js';
import { Census } from './census.js';
import { EventHub } from './event-stream.js';
import type { AdminApp, AdminEnv, AdminParts, MetricsText } from './parts.js';
import { badField, badFields, notFound, ProblemError, problemResponse } from './problems.js';
import { Recorder } from './recorder.js';
import { addManagerRoutes } from './routes/managers.js';
import { apiPath } from './routes/route.js';
import { addServerRoutes } from './routes/server.js';
import { addUserRoutes } from './routes/users.js';

/** What the admin API is made with. */
export interface AdminOptions {
  readonly mooring: Mooring;
  /** Who may use it: tokens with scopes, or `'loopback'`. */
  readonly access: Access;
  /** Origins of pages elsewhere that may act, e.g. `https://ops.example.com`. @default none */
  readonly allowedOrigins?: readonly string[];
  /** Where each setting came from; what `loadProcessConfig` gave. @default not told */
  readonly loaded?: LoadedConfig;
  /** What `/metrics` answers, e.g. of `mooring/prometheus`. @default `/metrics` is not there */
  readonly metrics?: MetricsText;
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

/**
 * The admin API: who uses what, why a connection was closed, whether the promise is kept, and how to act on it. At `/`
 * it has the dashboard. Mount its `fetch` anywhere, or have `mooring serve` listen for it.
 * @throws TypeError where `access` has no token, or a short one
 */
export function createAdmin(options: AdminOptions): Admin {
  const { mooring, access, allowedOrigins, loaded = null, metrics = null, version = 'unknown' } = options;
  const parts: AdminParts = {
    ...{ mooring, version, loaded, metrics },
    gate: new Gatekeeper(access, allowedOrigins),
    census: new Census(mooring),
    recorder: new Recorder(mooring),
    hub: new EventHub(mooring),
  };
  const app = appOf(parts);
  return {
    fetch: async (request, env) => app.fetch(request, env),
    close: () => {
      parts.hub.close();
      parts.recorder.close();
    },
  };
}

function appOf(parts: AdminParts): AdminApp {
  const app: AdminApp = new OpenAPIHono<AdminEnv>({ defaultHook: rejectInvalid });
  app.onError((error, c) => problemResponse(problemOf(error, c, parts)));
  app.notFound((c) =>
    problemResponse(
      notFound(`There is no ${c.req.method} ${c.req.path}.`, `GET ${apiPath}/openapi.json lists what there is.`),
    ),
  );
  app.use(async (c, next) => {
    await next();
    c.header('x-content-type-options', 'nosniff');
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  });
  app.use(bodyLimit({ maxSize: mostBodyBytes }));
  app.use(withKnownBody);
  addOpenRoutes(app, parts);
  app.use(`${apiPath}/*`, guarded(parts));
  addUserRoutes(app, parts);
  addManagerRoutes(app, parts);
  addServerRoutes(app, parts);
  addDashboard(app);
  return app;
}

/** A body of an unknown kind would be passed over, and `dryRun` with it. */
const withKnownBody: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const hasNoKind = c.req.header('content-type') === undefined && c.req.raw.body !== null;
  if (hasNoKind && (await c.req.text()) !== '') throw badField('content-type', 'is missing; wanted application/json');
  await next();
};

/** Whoever only looks needs less than who acts. */
function guarded({ gate }: AdminParts): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const scope = c.req.method === 'GET' || c.req.method === 'HEAD' ? 'read' : 'act';
    c.set('who', await gate.admit(askerOf(c), scope));
    await next();
  };
}

/** Health for load balancers, metrics for Prometheus, and what there is. */
function addOpenRoutes(app: AdminApp, { mooring, version, metrics, gate }: AdminParts): void {
  // Whether it wants a token is told, so that a page can ask for one without being turned away first.
  const health = () => ({
    status: mooring.isDraining ? 'draining' : 'ok',
    managers: mooring.factory.managerCount,
    version,
    wantsToken: gate.wantsToken,
  });
  app.get('/healthz', (c) => c.json(health()));
  app.get('/readyz', (c) => c.json(health(), mooring.isDraining ? 503 : 200));
  if (metrics !== null)
    app.get('/metrics', async (c) => {
      await gate.admit(askerOf(c), 'read');
      return c.body(await metrics.metrics(), 200, { 'content-type': metrics.contentType });
    });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.doc31(`${apiPath}/openapi.json`, {
    openapi: '3.1.0',
    info: { title: 'Mooring admin API', version, description: 'See and steer a running Mooring.' },
  });
}

function askerOf(c: Context<AdminEnv>): { address: string | undefined; headers: Headers; url: URL } {
  return { address: addressOf(c), headers: c.req.raw.headers, url: new URL(c.req.url) };
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
function problemOf(error: unknown, c: Context<AdminEnv>, { mooring }: AdminParts): ProblemError {
  if (error instanceof ProblemError) {
    const { status, detail } = error.problem;
    if ([401, 403, 429].includes(status)) mooring.events.emit('admin.refused', { status, reason: detail });
    return error;
  }
  if (error instanceof HTTPException) {
    if (error.status === 400) return badField('body', 'is no JSON');
    return new ProblemError({ title: 'Bad request', status: error.status, detail: error.message });
  }
  mooring.events.emit('admin.failed', { route: `${c.req.method} ${routePath(c)}`, error: describe(error) });
  return new ProblemError({
    title: 'Internal error',
    status: 500,
    detail: 'Something failed here; the log says what.',
  });
}
