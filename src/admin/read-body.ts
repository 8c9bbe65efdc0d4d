import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { badField } from './problems.js';

/** The length of `{}`. */
const emptyObjectLength = 2;

/**
 * The body of a request that a middleware in front has read already: what it has left for others to read, or what a body
 * parser, such as `express.json()`, has made of it. Else a dry run would count as a request without a body, and release
 * managers.
 *
 * @throws ProblemError if there was a body, and nothing is left of it
 */
export async function bodyReadBefore(raw: Request, incoming: IncomingMessage | Http2ServerRequest): Promise<string> {
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
