import { z, type RouteConfig } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { MalformedContextError } from '../../core/errors.js';
import { checkId } from '../../core/identity/ids.js';
import { apiPath, userOfSegment } from '../../presentation/paths.js';
import type { AdminApp, AdminEnv } from '../parts.js';
import { badField } from '../problems.js';
import { problemSchema } from '../schemas.js';

/** Problems that every route may answer with, by status. */
const commonProblems = {
  400: 'A field is wrong; `errors` says which.',
  401: 'No token, or one that is not known.',
  403: 'The token or the person may not do this, or the page has another origin.',
  404: 'It does not exist; `hint` says what to try.',
  429: 'Too many wrong tokens from this address; a right one is accepted all the same.',
} as const;

type Method = 'GET' | 'POST' | 'DELETE';

/** The schema of the parameters in a path, or of those in a query. */
export type Parameters = z.ZodObject;
/** A text is sent as it is, everything else as JSON. */
export type Answer = object | string;

/** A route of the API, apart from what it does. A query or a body that it does not declare is refused. */
export interface RouteShape<P extends Parameters, Q extends Parameters, B, A extends Answer> {
  /** The path is below {@link apiPath}, with its parameters in braces. */
  readonly route: `${Method} /${string}`;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly headers?: Parameters;
  /** A request without a body counts as one with `{}`. */
  readonly body?: z.ZodType<B>;
  readonly response: {
    readonly description: string;
    readonly schema: z.ZodType<A>;
    /** @default application/json */
    readonly contentType?: string;
  };
  /** Beside those of all routes, by status. */
  readonly problems?: Readonly<Record<number, string>>;
}

/** What a request has of the parts that its route declares, validated. */
interface Handled<P extends Parameters, Q extends Parameters, B> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: B;
  readonly c: Context<AdminEnv>;
}

interface Route<P extends Parameters, Q extends Parameters, B, A extends Answer> extends RouteShape<P, Q, B, A> {
  readonly handle: (request: Handled<P, Q, B>) => NoInfer<A> | Response | Promise<NoInfer<A>>;
}

/** Adds a route to the API and to its OpenAPI document. */
export function addRoute<P extends Parameters, Q extends Parameters, B, A extends Answer>(
  app: AdminApp,
  route: Route<P, Q, B, A>,
): void {
  app.openapi(configOf(route), async (c) => {
    // `as never`: hono cannot tell the types of a route whose schemas are type parameters.
    const answer = await route.handle({
      params: c.req.valid('param' as never),
      query: c.req.valid('query' as never),
      body: c.req.valid('json' as never),
      c,
    });
    return answer instanceof Response ? answer : c.json(answer);
  });
}

/** The route as the OpenAPI document has it. */
function configOf<P extends Parameters, Q extends Parameters, B, A extends Answer>(
  shape: RouteShape<P, Q, B, A>,
): RouteConfig {
  const { summary, description, params, query, headers, body, response } = shape;
  const [method, path = ''] = shape.route.split(' ');
  const takesBody = body !== undefined;
  const problems = {
    ...commonProblems,
    ...(method !== 'GET' && { 413: 'The body has more than 16 KiB.' }),
    ...(takesBody && { 415: 'The body is not `application/json`.' }),
    ...shape.problems,
  };
  const content = { 'application/problem+json': { schema: problemSchema } };
  return {
    method: method === 'GET' ? 'get' : method === 'POST' ? 'post' : 'delete',
    path: `${apiPath}${path}`,
    request: {
      params,
      query,
      headers,
      ...(takesBody && { body: { content: { 'application/json': { schema: body } }, required: false } }),
    },
    summary,
    ...(description !== undefined && { description }),
    middleware: [takesNothingElse({ query: query !== undefined, body: takesBody })],
    security: [{ bearer: [] }],
    responses: {
      200: {
        description: response.description,
        content: { [response.contentType ?? 'application/json']: { schema: response.schema } },
      },
      ...Object.fromEntries(
        Object.entries(problems).map(([status, about]) => [status, { description: about, content }]),
      ),
    },
  };
}

/** Refuses a query or a body that the route does not take: a `dryRun` in it would otherwise be ignored. */
function takesNothingElse(takes: { readonly query: boolean; readonly body: boolean }): MiddlewareHandler {
  return async (c, next) => {
    const [field] = takes.query ? [] : new URL(c.req.url).searchParams.keys();
    if (field !== undefined) throw badField(field, 'is not known; this takes no query');
    const hasBody = !takes.body && c.req.raw.body !== null && !/^\s*(\{\s*\})?\s*$/.test(await c.req.text());
    if (hasBody) throw badField('body', 'is not known; this takes none');
    await next();
  };
}

/** The field of every cleanup. */
export const dryRun = z.boolean().default(false).describe('Only tell which managers would be released, and why.');

const pathParameter = (name: string, example: string, description: string) =>
  z.string().openapi({ param: { name, in: 'path' }, description, example });

/** A user id in a path. @see userSegment */
export const idParams = z.object({
  id: pathParameter(
    'id',
    'alice',
    'The user id, percent-encoded. `.`, `..` and ids that begin with `=` are written with a `=` in front.',
  ),
});

/** An isolation key in a path. */
export const keyParams = z.object({
  key: pathParameter('key', 'alice:thread_1', 'The isolation key, percent-encoded, e.g. `alice:thread_1`.'),
});

/** The user id that a path has. @throws ProblemError 400 if it breaks a rule */
export function readId(segment: string): string {
  const userId = userOfSegment(segment);
  checkField('id', { check: () => checkId('userId', userId), problemOf: ({ rule }) => rule });
  return userId;
}

interface FieldCheck {
  /** @throws MalformedContextError */
  readonly check: () => unknown;
  readonly problemOf: (error: MalformedContextError) => string;
}

/** @throws ProblemError 400 if the check throws a MalformedContextError */
export function checkField(field: string, { check, problemOf }: FieldCheck): void {
  try {
    check();
  } catch (error) {
    throw error instanceof MalformedContextError ? badField(field, problemOf(error)) : error;
  }
}
