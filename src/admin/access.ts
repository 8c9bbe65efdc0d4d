import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { describe } from '../core/errors.js';
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

/** The caller of a request that is allowed. */
export interface Admitted {
  /** The name of the token or of the person, or `loopback`. Named in the events about the request. */
  readonly name: string;
  readonly scope: Scope;
}

/** The caller of a request whom the application knows, and who may not even read. */
export interface Denied {
  /** Named in the event about the refusal. */
  readonly name: string;
  readonly scope: 'none';
}

/** What the server that the API is mounted in tells about a request: the second argument of `fetch`. */
export interface AccessEnvironment {
  /**
   * Node's request, if `@hono/node-server` calls `fetch`. Middleware that ran before, of Express for example, has put its
   * session there.
   */
  readonly incoming?: IncomingMessage | Http2ServerRequest | undefined;
}

/** The caller of a request, or `null` if you do not know it. */
export type AccessAnswer = Admitted | Denied | null;

/**
 * Says who sent a request, for example by the session cookie of your application. `null`, for callers that are not signed
 * in, is answered 401; the scope `'none'`, for persons who may not use the API, 403. It gets the request without its body.
 * If it throws, or gives something else, the answer is 401 too, and `admin.failed` tells why.
 */
export type AccessFunction = (request: Request, environment: AccessEnvironment) => AccessAnswer | Promise<AccessAnswer>;

/**
 * Who may use the API: callers with one of these tokens, callers that a function of yours knows, or with `'loopback'` every
 * caller on this machine.
 */
export type Access = readonly AdminToken[] | AccessFunction | 'loopback';

/** What a {@link Gatekeeper} is made with. */
interface GateOptions {
  readonly access: Access;
  /** Beside an access function, for callers without a session. */
  readonly tokens?: readonly AdminToken[] | undefined;
  /** Origins whose pages may act, beside the pages of this server. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Called if the access function fails. */
  readonly onFailure: (error: string) => void;
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
  readonly environment: AccessEnvironment;
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
  readonly #tokens: readonly (Admitted & { readonly digest: Buffer })[];
  readonly #isLoopback: boolean;
  readonly #accessOf: AccessFunction | null;
  readonly #onFailure: (error: string) => void;
  readonly #secret = randomBytes(32);
  readonly #failures: RateWindow;
  readonly #origins: ReadonlySet<string>;

  /** @throws TypeError if nobody could get in, if a token is short, or if `access` is something else */
  constructor({ access, tokens = [], allowedOrigins = [], now, onFailure }: GateOptions) {
    checkAccess(access, tokens);
    this.#failures = new RateWindow({ ...failures, now });
    this.#isLoopback = access === 'loopback';
    this.#accessOf = typeof access === 'function' ? access : null;
    this.#onFailure = onFailure;
    this.#tokens = [...(typeof access === 'object' ? access : []), ...tokens].map(({ token, scope, name = scope }) => ({
      digest: this.#digest(token),
      scope,
      name,
    }));
    this.#origins = new Set(allowedOrigins);
  }

  /** Whether every request needs a token. */
  get wantsToken(): boolean {
    return !this.#isLoopback && this.#accessOf === null;
  }

  /** Rejects with a ProblemError: 401, 403 or 429. */
  async admit(caller: Caller, scope: Scope): Promise<Admitted> {
    // Also against pages of other sites that make a browser send its session cookie.
    if (scope === 'act') this.#checkOrigin(caller);
    const admitted = this.#isLoopback ? loopbackCaller(caller) : await this.#identify(caller);
    const { name } = admitted;
    if (scope === 'act' && admitted.scope === 'read')
      throw this.#accessOf === null
        ? forbidden('This token may read, and not act.', 'Use a token that may act (scope: act).', name)
        : forbidden(`${name} may read, and not act.`, 'Use an account or a token that may act (scope: act).', name);
    return admitted;
  }

  /** By its token; if that is not known, or there is none, by the access function. */
  async #identify(caller: Caller): Promise<Admitted> {
    const token = /^Bearer +([^ ]+) *$/i.exec(caller.headers.get('authorization') ?? '')?.[1];
    const found = (token === undefined ? null : this.#find(token)) ?? (await this.#askAccess(caller));
    if (found !== null && found.scope !== 'none') return { name: found.name, scope: found.scope };
    if (token !== undefined && this.#tokens.length > 0) throw this.#unknown(caller);
    if (found !== null) throw denied(found);
    throw this.#tokens.length > 0 ? unauthorized('No token.') : notSignedIn();
  }

  async #askAccess({ method, headers, url, environment }: Caller): Promise<AccessAnswer> {
    if (this.#accessOf === null) return null;
    try {
      const answer: unknown = await this.#accessOf(new Request(url, { method, headers }), environment);
      if (answer === null || answer === undefined || isKnown(answer)) return answer ?? null;
      throw new TypeError(`access: got ${describe(answer)}, wanted { name, scope: 'read', 'act' or 'none' }, or null`);
    } catch (error) {
      this.#onFailure(describe(error));
      return null;
    }
  }

  /** Compares all of them, so that the time tells nothing about any. */
  #find(token: string): Admitted | null {
    const digest = this.#digest(token);
    let found: Admitted | null = null;
    for (const known of this.#tokens) if (timingSafeEqual(known.digest, digest)) found = known;
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

const scopes: readonly unknown[] = ['read', 'act', 'none'] satisfies (Admitted | Denied)['scope'][];

function isKnown(answer: unknown): answer is Admitted | Denied {
  if (typeof answer !== 'object' || answer === null || !('name' in answer) || !('scope' in answer)) return false;
  return typeof answer.name === 'string' && answer.name !== '' && scopes.includes(answer.scope);
}

function checkAccess(access: unknown, tokens: readonly AdminToken[]): void {
  if (typeof access === 'function' || access === 'loopback') {
    checkTokens(tokens);
    return;
  }
  if (!Array.isArray(access))
    throw new TypeError(`access: got ${describe(access)}, wanted tokens, a function of the request, or 'loopback'`);
  const all = [...(access as readonly AdminToken[]), ...tokens];
  if (all.length === 0) throw new TypeError("access: got no tokens, wanted at least one, a function, or 'loopback'");
  checkTokens(all);
}

function checkTokens(tokens: readonly AdminToken[]): void {
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

function denied({ name }: Denied): ProblemError {
  return forbidden(`${name} may not use this API.`, 'Use an account or a token that may read (scope: read).', name);
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

/** Without the header that has browsers and the dashboard ask for a token: there is none. */
function notSignedIn(): ProblemError {
  const hint = 'Sign in to the application that this API belongs to.';
  return new ProblemError({ kind: 'unauthorized', status: 401, detail: 'You are not signed in.', hint });
}
