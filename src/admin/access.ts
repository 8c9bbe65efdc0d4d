import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { RateWindow } from '../core/rate-window.js';
import { addressKey } from '../runtime/client-address.js';
import { ProblemError } from './problems.js';

/** What a token allows: only reading, or reading and acting. */
export type Scope = 'read' | 'act';

/** A token of the API. */
export interface AdminToken {
  /** At least 16 characters, from a good source of randomness. */
  readonly token: string;
  readonly scope: Scope;
  /** Named in the events about its requests. @default the scope */
  readonly name?: string | undefined;
}

/** Who may use the API: callers with one of these tokens, or with `'loopback'` every caller on this machine. */
export type Access = readonly AdminToken[] | 'loopback';

/** The caller of a request that is allowed. */
export interface Admitted {
  /** The name of the token, or `loopback`. */
  readonly name: string;
  readonly scope: Scope;
}

/** The name of callers that need no token. */
export const loopback = 'loopback';

/** What is known of the caller of a request. */
export interface Caller {
  readonly method: string;
  /** `undefined` if the server that this is mounted in does not tell. */
  readonly address: string | undefined;
  readonly headers: Headers;
  readonly url: URL;
}

/** How many wrong tokens an address (IPv6: a /64) may try in a window. Callers without an address share one window. */
const failures = { limit: 10, windowMs: 60_000 };
const minTokenLength = 16;

/**
 * Decides who may read and who may act. Tokens are compared in constant time.
 *
 * Why a right token is accepted after any number of wrong ones: the wrong ones may come from another client behind the
 * same proxy, which must not be able to lock out operators and Prometheus.
 */
export class Gatekeeper {
  readonly #tokens: readonly (Admitted & { readonly digest: Buffer })[] | null;
  readonly #secret = randomBytes(32);
  readonly #failures: RateWindow;
  readonly #origins: ReadonlySet<string>;

  /**
   * @param now monotonic milliseconds
   * @param origins whose pages may act, beside the pages of this server
   * @throws TypeError if there is no token, or a short one
   */
  constructor(access: Access, now: () => number, origins: readonly string[] = []) {
    this.#failures = new RateWindow({ ...failures, now });
    if (access !== 'loopback') checkTokens(access);
    this.#tokens =
      access === 'loopback'
        ? null
        : access.map(({ token, scope, name = scope }) => ({ digest: this.#digest(token), scope, name }));
    this.#origins = new Set(origins);
  }

  /** Whether requests need a token. */
  get wantsToken(): boolean {
    return this.#tokens !== null;
  }

  /** @throws ProblemError 401, 403 or 429 */
  admit(caller: Caller, scope: Scope): Admitted {
    if (scope === 'act') this.#checkOrigin(caller);
    if (this.#tokens === null) return loopbackCaller(caller);
    const token = /^Bearer +([^ ]+) *$/i.exec(caller.headers.get('authorization') ?? '')?.[1];
    if (token === undefined) throw unauthorized('No token.');
    const found = this.#find(token);
    if (found === null) throw this.#unknown(caller);
    const { name } = found;
    if (scope === 'act' && found.scope === 'read')
      throw forbidden('This token may read, and not act.', 'Use a token that may act (scope: act).', name);
    return { name, scope: found.scope };
  }

  /** Compares all of them, so that the time tells nothing about any. */
  #find(token: string): Admitted | null {
    const digest = this.#digest(token);
    let found: Admitted | null = null;
    for (const known of this.#tokens ?? []) if (timingSafeEqual(known.digest, digest)) found = known;
    return found;
  }

  #digest(token: string): Buffer {
    return createHmac('sha256', this.#secret).update(token).digest();
  }

  /** A browser sends `Origin` with what a page of another site makes it send. */
  #checkOrigin({ headers, url }: Caller): void {
    const origin = headers.get('origin');
    if (origin === null || this.#origins.has(origin)) return;
    const host = headers.get('host') ?? url.host;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    throw forbidden(
      `Pages of ${origin} may not act here, on ${host}.`,
      'If this is the server itself behind a proxy, have the proxy pass on the header Host, or allow the origin: --admin-origin of mooring serve, allowedOrigins of createAdmin.',
    );
  }

  #unknown({ address }: Caller): ProblemError {
    const retryAfterMs = this.#failures.take(addressKey(address));
    if (retryAfterMs === null) return unauthorized('This token is not known.');
    const seconds = String(Math.ceil(retryAfterMs / 1_000));
    const detail = `This token is not known, and too many wrong ones came from this address; wait ${seconds} s.`;
    return new ProblemError(
      { kind: 'too-many-requests', status: 429, detail, hint: 'A right token is accepted at once.' },
      { headers: { 'retry-after': seconds } },
    );
  }
}

function checkTokens(tokens: readonly AdminToken[]): void {
  if (tokens.length === 0) throw new TypeError("access: got no tokens, wanted at least one, or 'loopback'");
  for (const { token, name, scope } of tokens)
    if (token.length < minTokenLength)
      throw new TypeError(
        `access: the token of ${name ?? scope} has ${String(token.length)} characters, wanted at least ${String(minTokenLength)}`,
      );
}

/** Headers that proxies add: behind a proxy the caller may be anywhere. A proxy that adds none of them is not noticed. */
const proxyHeader = /^(via|forwarded|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;

/**
 * Without tokens, callers on this machine may do everything. `Host` must name this machine too: with DNS rebinding, a page
 * of another site reaches this server through a browser on this machine.
 */
function loopbackCaller({ address, headers, url }: Caller): Admitted {
  const host = (headers.get('host') ?? url.host).replace(/:\d+$/, '');
  const proxy = [...headers.keys()].find((name) => proxyHeader.test(name));
  if (proxy === undefined && address !== undefined && isLoopback(address) && isLoopback(host))
    return { name: loopback, scope: 'act' };
  const from = address ?? 'an unknown address (pass fetch the second argument that @hono/node-server gives)';
  const through = proxy === undefined ? '' : `, through a proxy that set ${proxy}`;
  throw forbidden(
    `Without tokens only requests from this machine to an address of this machine are allowed; this one came from ${from} for ${host}${through}.`,
    'Configure tokens, or use http://127.0.0.1 on this machine.',
  );
}

/** Whether an address or a host name is a loopback one. IPv4 may be written as IPv6. */
export function isLoopback(host: string): boolean {
  const mapped = /^\[?::ffff:(127(\.\d{1,3}){3}|7f[\da-f]{2}:[\da-f]{1,4})\]?$/i;
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host) || mapped.test(host);
}

function forbidden(detail: string, hint: string, who: string | null = null): ProblemError {
  return new ProblemError({ kind: 'forbidden', status: 403, detail, hint }, { who });
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError(
    { kind: 'unauthorized', status: 401, detail, hint: 'Send the header "Authorization: Bearer <token>".' },
    { headers: { 'www-authenticate': 'Bearer realm="mooring"' } },
  );
}
