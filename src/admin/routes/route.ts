import { createRoute, z, type RouteConfig } from '@hono/zod-openapi';
import { checkId } from '../../core/identity/ids.js';
import type { MiddlewareHandler } from 'hono';
import { MalformedContextError } from '../../core/errors.js';
import { userOfSegment } from '../../presentation/paths.js';
import { badField } from '../problems.js';
import { problemSchema } from '../schemas.js';

const problems = {
  400: 'A field is wrong; `errors` says which.',
  401: 'No token, or one that is not known.',
  403: 'The token may not, or the page comes from elsewhere.',
  404: 'There is no such thing; `hint` says what to try.',
  429: 'Too many wrong tokens from this address; a right one is taken all the same.',
} as const;

/** Of routes that may be sent a body, and of those that take it. */
const problemsOfSending = { 413: 'The body has more than 16 KiB.' } as const;
const problemsOfTaking = { 415: 'The body is not `application/json`.' } as const;

/** What a route is, apart from what it answers. */
type RouteOf<P extends string> = Pick<RouteConfig, 'method' | 'summary'> &
  Partial<Pick<RouteConfig, 'request'>> & { readonly path: P };

/** What a route answers. */
interface Answer<S extends z.ZodType> {
  readonly description: string;
  readonly schema: S;
  /** @default application/json */
  readonly contentType?: string;
  /** Beside those of all routes, by status. */
  readonly problems?: Readonly<Record<number, string>>;
}

/** A route of the API as the OpenAPI document has it, with the problems it may answer. */
export function apiRoute<const P extends string, const R extends RouteOf<P>, const S extends z.ZodType>(
  route: R,
  answer: Answer<S>,
) {
  const problem = { 'application/problem+json': { schema: problemSchema } };
  const takesBody = route.request?.body !== undefined;
  const responses = {
    200: {
      description: answer.description,
      content: { [answer.contentType ?? 'application/json']: { schema: answer.schema } },
    },
    ...Object.fromEntries(
      Object.entries({
        ...problems,
        ...(route.method !== 'get' && problemsOfSending),
        ...(takesBody && problemsOfTaking),
        ...answer.problems,
      }).map(([status, description]) => [status, { description, content: problem }]),
    ),
  };
  const middleware = [takesNothingElse({ query: route.request?.query !== undefined, body: takesBody })];
  return createRoute({ ...route, middleware, security: [{ bearer: [] }], responses });
}

/** What a route does not know it refuses: a `dryRun` that nobody reads would be taken for a dry run. */
function takesNothingElse(takes: { readonly query: boolean; readonly body: boolean }): MiddlewareHandler {
  return async (c, next) => {
    const [field] = takes.query ? [] : new URL(c.req.url).searchParams.keys();
    if (field !== undefined) throw badField(field, 'is not known; this takes no query');
    const hasBody = !takes.body && c.req.raw.body !== null && !/^\s*(\{\s*\})?\s*$/.test(await c.req.text());
    if (hasBody) throw badField('body', 'is not known; this takes none');
    await next();
  };
}

/** A body that may be left out. */
export const jsonBody = <T extends z.ZodType>(schema: T) => ({
  content: { 'application/json': { schema } },
  required: false as const,
});

/** The field of every cleanup. */
export const dryRun = z.boolean().default(false).describe('Say who would go and why, and release nobody.');

/** A user id in a path. @see userSegment */
export const idParams = z.object({
  id: z.string().openapi({
    param: { name: 'id', in: 'path' },
    description: 'The user id, percent-encoded. `.`, `..` and ids that begin with `=` are written with a `=` in front.',
    example: 'alice',
  }),
});

/** The same for isolation keys. */
export const keyParams = z.object({
  key: z.string().openapi({
    param: { name: 'key', in: 'path' },
    description: 'The isolation key, percent-encoded, e.g. `alice:thread_1`.',
    example: 'alice:thread_1',
  }),
});

/** The id as it is. @throws ProblemError 400 where it breaks a rule */
export function readId(written: string): string {
  const id = userOfSegment(written);
  try {
    checkId('userId', id);
    return id;
  } catch (error) {
    if (error instanceof MalformedContextError) throw badField('id', error.rule);
    throw error;
  }
}
