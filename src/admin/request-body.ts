import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AdminEnv } from './parts.js';
import { badField, ProblemError } from './problems.js';

/** More than any body of this API needs. */
const maxBodyBytes = 16_384;

/** The length of `{}`. */
const emptyObjectLength = 2;

/**
 * Makes a request with a body one of Node's own, since the middlewares below copy it: a request of `@hono/node-server` can
 * be copied only if that has replaced the global `Request`, which it does not under `overrideGlobalObjects: false`.
 */
const asPlatformRequest: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const { method, url, headers } = c.req.raw;
  const { incoming } = c.env;
  if (method === 'GET' || method === 'HEAD') return next();
  if (incoming?.readableDidRead === true) {
    const body = await bodyReadBefore(c.req.raw, incoming);
    c.req.raw = new Request(url, { method, headers: without(headers, 'content-length'), ...(body !== '' && { body }) });
    return next();
  }
  const { body } = c.req.raw;
  if (body !== null) {
    const init = { method, headers, body, duplex: 'half' as const };
    c.req.raw = new Request(url, init);
  }
  return next();
};

/** Refuses a body without a content type, since its `dryRun` would be ignored. An empty body counts as none. */
const withKnownBody: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const { method, url, headers, body } = c.req.raw;
  const isEmpty = body === null || (await c.req.text()).trim() === '';
  if (!isEmpty && !headers.has('content-type')) throw badField('content-type', 'is missing; wanted application/json');
  if (isEmpty && headers.has('content-type'))
    c.req.raw = new Request(url, { method, headers: without(headers, 'content-type') });
  await next();
};

function without(headers: Headers, name: string): Headers {
  const others = new Headers(headers);
  others.delete(name);
  return others;
}

/** What is done to the body of a request, in order, before a route sees it. */
export const bodyChecks = [
  asPlatformRequest,
  bodyLimit({ maxSize: maxBodyBytes, onError: tooLarge }),
  withKnownBody,
] as const;

function tooLarge(): never {
  const detail = `The body has more than ${maxBodyBytes.toLocaleString('en')} bytes, which no request of this API needs.`;
  throw new ProblemError({ kind: 'content-too-large', status: 413, detail });
}

/**
 * The body of a request that a middleware in front has read already: what it has left for others to read, or what a body
 * parser, such as `express.json()`, has made of it. Else a dry run would count as a request without a body, and release
 * managers.
 *
 * @throws ProblemError if there was a body, and nothing is left of it
 */
async function bodyReadBefore(raw: Request, incoming: IncomingMessage | Http2ServerRequest): Promise<string> {
  const left = await raw.text().catch(() => '');
  if (left !== '') return left;
  const parsed: unknown = 'body' in incoming ? incoming.body : undefined;
  const text = textOf(parsed);
  if (text !== '' && text !== '{}') return text;
  // Parsers leave an empty object also where they did not read the body: then it is long, or its length is not known.
  const length = Number(incoming.headers['content-length'] ?? NaN);
  if (length <= emptyObjectLength) return text;
  throw badField('body', 'was read by a middleware before, and is lost; mount the admin API in front of that');
}

/** Empty text if it is no body. */
function textOf(parsed: unknown): string {
  if (typeof parsed === 'string') return parsed;
  if (parsed instanceof Uint8Array) return new TextDecoder().decode(parsed);
  if (!isPlain(parsed)) return '';
  try {
    return JSON.stringify(parsed);
  } catch {
    return ''; // a value that JSON does not have
  }
}

/** Whether it is as JSON makes objects and lists. The text of others, such as a `Map`, may lack what they hold. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || prototype === Array.prototype;
}
