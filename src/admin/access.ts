import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { RateWindow } from '../core/rate-window.js';
import { addressKey } from '../runtime/client-address.js';
import { ProblemError } from './problems.js';

/** What somebody may do: look, or look and act. */
export type Scope = 'read' | 'act';

/** Somebody who may use the API. */
export interface AdminToken {
  /** At least 16 characters, from a good source of randomness. */
  readonly token: string;
  readonly scope: Scope;
  /** Who it is, in audit events. @default the scope */
  readonly name?: string | undefined;
}

/**
 * Who may use the API: whoever has one of these tokens, or `'loopback'`: anybody who asks from this machine, for an
 * address of this machine.
 */
export type Access = readonly AdminToken[] | 'loopback';

/** Who was let in, and what for. */
export interface Admitted {
  /** As the token is named, or `loopback`. */
  readonly name: string;
  readonly scope: Scope;
}

/** The name of those who need no token. */
export const loopback = 'loopback';

/** What is known of who asks. */
export interface Asker {
  readonly method: string;
  /** `undefined` where the server this is mounted in does not say. */
  readonly address: string | undefined;
  readonly headers: Headers;
  readonly url: URL;
}

/**
 * Wrong tokens of one address (IPv6: of one /64) within the window; then further ones have to wait. Askers without an
 * address count as one: a right token is taken all the same.
 */
const failures = { limit: 10, windowMs: 60_000 };
const shortestToken = 16;

/**
 * Decides who may look and who may act. Tokens are compared in a time that does not depend on them.
 *
 * Why a good token is good however many wrong ones came before it: they may come from somebody else behind the same
 * proxy, who must not be able to lock out operators and Prometheus.
 */
export class Gatekeeper {
  readonly #tokens: readonly (Admitted & { readonly digest: Buffer })[] | null;
  readonly #secret = randomBytes(32);
  readonly #failures: RateWindow;
  readonly #origins: ReadonlySet<string>;

  /**
   * @param now monotonic milliseconds
   * @param origins whose pages may act, beside those of the host that is asked
   * @throws TypeError where there is no token, or a short one
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

  /** Whether there are tokens, one of which is wanted. */
  get wantsToken(): boolean {
    return this.#tokens !== null;
  }

  /** @returns who asks. @throws ProblemError 401, 403 or 429 */
  admit(asker: Asker, scope: Scope): Admitted {
    if (scope === 'act') this.#checkOrigin(asker);
    if (this.#tokens === null) return neighbour(asker);
    const token = bearerOf(asker.headers);
    if (token === null) throw unauthorized('No token.');
    const found = this.#find(token);
    if (found === null) throw this.#unknown(asker);
    const { name } = found;
    if (scope === 'act' && found.scope === 'read')
      throw forbidden('This token may look, and not act.', 'Use a token that may act (scope: act).', name);
    return { name, scope: found.scope };
  }

  /** All are compared, so that time tells nothing. */
  #find(token: string): Admitted | null {
    const digest = this.#digest(token);
    let found: Admitted | null = null;
    for (const known of this.#tokens ?? []) if (timingSafeEqual(known.digest, digest)) found = known;
    return found;
  }

  #digest(token: string): Buffer {
    return createHmac('sha256', this.#secret).update(token).digest();
  }

  /** A page of another site may make a browser ask, but not without saying so. */
  #checkOrigin({ headers, url }: Asker): void {
    const origin = headers.get('origin');
    if (origin === null || this.#origins.has(origin)) return;
    const host = headers.get('host') ?? url.host;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    throw forbidden(
      `Pages of ${origin} may not act here, on ${host}.`,
      'Where that is this server behind a proxy, let the proxy pass on the header Host, or name the origin: --admin-origin of mooring serve, allowedOrigins of createAdmin.',
    );
  }

  #unknown({ address }: Asker): ProblemError {
    const retryAfterMs = this.#failures.take(addressKey(address));
    return retryAfterMs === null ? unauthorized('This token is not known.') : tooMany(retryAfterMs);
  }
}

function checkTokens(tokens: readonly AdminToken[]): void {
  if (tokens.length === 0) throw new TypeError("access: got no tokens, wanted at least one, or 'loopback'");
  for (const { token, name, scope } of tokens)
    if (token.length < shortestToken)
      throw new TypeError(
        `access: the token of ${name ?? scope} has ${String(token.length)} characters, wanted at least ${String(shortestToken)}`,
      );
}

function bearerOf(headers: Headers): string | null {
  return /^Bearer +([^ ]+) *$/i.exec(headers.get('authorization') ?? '')?.[1] ?? null;
}

/** What proxies add: whoever comes through one may be anywhere. One that adds none of them cannot be told from this machine. */
const proxyHeader = /^(via|forwarded|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;

/**
 * Without tokens, who is on this machine may do everything. The name asked for must be of this machine too: a page of
 * a foreign site whose name was made to lead here (DNS rebinding) is not on this machine, though its browser is.
 */
function neighbour({ address, headers, url }: Asker): Admitted {
  const host = hostnameOf(headers.get('host') ?? url.host);
  const proxy = [...headers.keys()].find((name) => proxyHeader.test(name));
  if (proxy === undefined && address !== undefined && isLoopback(address) && isLoopback(host))
    return { name: loopback, scope: 'act' };
  const from = address ?? 'an address nobody told (mount fetch so that it gets what @hono/node-server passes)';
  const through = proxy === undefined ? '' : `, through a proxy that set ${proxy}`;
  throw forbidden(
    `Without tokens only this machine may ask, for an address of this machine; this came from ${from} for ${host}${through}.`,
    'Configure tokens, or ask for http://127.0.0.1 from here.',
  );
}

/** Whether an address, or a host name, is of this machine alone; IPv4 may be written as IPv6, as URLs have it too. */
export function isLoopback(host: string): boolean {
  const mapped = /^\[?::ffff:(127(\.\d{1,3}){3}|7f[\da-f]{2}:[\da-f]{1,4})\]?$/i;
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host) || mapped.test(host);
}

function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, '');
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

function tooMany(msBeforeNext: number): ProblemError {
  const seconds = Math.ceil(msBeforeNext / 1_000);
  return new ProblemError(
    {
      kind: 'too-many-requests',
      status: 429,
      detail: `This token is not known, and too many were not; come back in ${String(seconds)} s.`,
      hint: 'The right token is taken at once.',
    },
    { headers: { 'retry-after': String(seconds) } },
  );
}
