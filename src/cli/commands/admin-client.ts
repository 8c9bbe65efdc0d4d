import type { z } from 'zod';
import { problemType } from '../../admin/problem-types.js';
import {
  cleanupSchema,
  configSchema,
  journalSchema,
  kpisSchema,
  overviewSchema,
  problemSchema,
  releasedSchema,
  resourcesSchema,
  userPageSchema,
  userSchema,
  type Problem,
} from '../../admin/schemas.js';
import { isolationKey } from '../../core/identity/isolation-key.js';
import { inert } from '../../presentation/inert.js';
import { apiPath, keySegment, userSegment } from '../../presentation/paths.js';
import { CommandError, exitCodes } from '../command-error.js';
import { RequestTimeout } from './request-timeout.js';

/** How to reach an admin API. */
interface ClientOptions {
  /** Where it is, e.g. `http://127.0.0.1:9090`; a path before `/api/v1` may follow, and `/api/v1` itself. */
  readonly url: string;
  readonly token?: string | undefined;
}

/** Parameters of a request; those that are `undefined` are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** A request that does not only read. */
interface Action {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
}

/** How long a reading request may take, in milliseconds. */
const readTimeoutMs = 15_000;

/** How long an action may take, in milliseconds: it may ping connections first. */
const actTimeoutMs = 120_000;

/** The admin API of a running server. Every failure is a {@link CommandError}. */
export class AdminClient {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws CommandError if the URL or the token cannot be one */
  constructor({ url, token = '' }: ClientOptions) {
    this.url = checkedUrl(url);
    if (token !== '' && !/^[\x21-\x7e]+$/.test(token))
      throw new CommandError('the token may only have visible ASCII characters; see --token', exitCodes.usage);
    this.#headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  }

  readonly overview = () => this.#request('overview', overviewSchema);
  readonly kpis = () => this.#request('kpis', kpisSchema);
  readonly config = () => this.#request('config', configSchema);
  readonly user = (id: string) => this.#request(userPath(id), userSchema);
  readonly journal = (id: string) => this.#request(userPath(id, 'journal'), journalSchema);
  readonly check = (id: string) => this.#request(userPath(id, 'check'), resourcesSchema, { method: 'POST', body: {} });
  readonly cleanup = (id: string, action: 'cleanup' | 'emergency-cleanup', body: object) =>
    this.#request(userPath(id, action), cleanupSchema, { method: 'POST', body });

  /** Releases the manager of a thread, or all managers of the user if there is no thread. */
  release(userId: string, threadId?: string) {
    const path =
      threadId === undefined
        ? userPath(userId, 'managers')
        : `managers/${keySegment(isolationKey({ userId, threadId }))}`;
    return this.#request(path, releasedSchema, { method: 'DELETE' });
  }

  users(query: Query = {}) {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
    return this.#request(`users?${given.toString()}`, userPageSchema);
  }

  /**
   * Opens the event stream, which never ends by itself and has no time-out.
   * @param lastEventId the last event that was seen before; `null` for none
   */
  async events(query: URLSearchParams, lastEventId: string | null, signal: AbortSignal): Promise<Response> {
    const headers = { accept: 'text/event-stream', ...(lastEventId !== null && { 'last-event-id': lastEventId }) };
    const response = await this.#fetch(`events?${query.toString()}`, { headers, signal });
    if (!isOfType(response, 'text/event-stream')) throw this.#foreign(response.status);
    return response;
  }

  /**
   * Reads, or acts with another method than GET.
   * @returns the answer as the server gave it, with fields that only a newer server has
   */
  async #request<T>(path: string, schema: z.ZodType<T>, { method = 'GET', body }: Action = {}): Promise<T> {
    const timeout = new RequestTimeout();
    timeout.start(method === 'GET' ? readTimeoutMs : actTimeoutMs);
    const { signal } = timeout;
    const content = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    try {
      const answer = await this.#bodyOf(
        await this.#fetch(path, { method, signal, ...(body !== undefined && content) }),
      );
      const { error } = schema.safeParse(answer);
      if (error === undefined) return answer as T;
      const { path: field = [], message = '' } = error.issues[0] ?? {};
      const problem = [...field.map(String), inert(message)].join(': ');
      throw new CommandError(
        `${this.url} answers as another version of Mooring does (${problem}); use the version of the server`,
        exitCodes.trouble,
      );
    } finally {
      timeout.stop();
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    let response: Response;
    try {
      response = await fetch(`${this.url}${apiPath}/${path}`, { ...init, headers, redirect: 'manual' });
    } catch (error) {
      throw this.#unreachable(error);
    }
    if (response.ok) return response;
    if (!isOfType(response, 'application/problem+json')) throw this.#foreign(response.status);
    const { data } = problemSchema.safeParse(await this.#bodyOf(response));
    // Mooring answers, but has no such route: there may be a path too many in the URL.
    const isWrongPath = this.#path !== '' && data?.type === problemType('no-such-route');
    throw isWrongPath ? this.#foreign(response.status) : problemError(response.status, data);
  }

  async #bodyOf(response: Response): Promise<unknown> {
    try {
      return JSON.parse(await response.text()) as unknown;
    } catch (error) {
      throw error instanceof SyntaxError ? this.#foreign(response.status) : this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): CommandError {
    const hint = 'is the server running, and is --url (or MOORING_ADMIN_URL) its admin port?';
    return new CommandError(`cannot reach ${this.url}: ${causeOf(error)}; ${hint}`, exitCodes.unreachable, {
      cause: error,
    });
  }

  /** The path before `/api/v1`; mostly empty. */
  get #path(): string {
    return this.url.slice(new URL(this.url).origin.length);
  }

  #foreign(status: number): CommandError {
    const hint =
      this.#path === ''
        ? 'give the admin port of the server with --url (or MOORING_ADMIN_URL)'
        : `is --url (or MOORING_ADMIN_URL) its admin port, without ${this.#path}?`;
    return new CommandError(
      `${this.url} answers (with ${String(status)}), but is not an admin API of Mooring; ${hint}`,
      exitCodes.unreachable,
    );
  }
}

/** The path of a user, or of something below it. @throws CommandError if the id is empty */
function userPath(id: string, ...below: string[]): string {
  if (id === '') throw new CommandError('the user id is empty; wanted one such as alice', exitCodes.usage);
  return ['users', userSegment(id), ...below].join('/');
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isUsable = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isUsable) return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/+api\/v1$/, '')}`;
  const hint = text.includes('@') ? ', without a user or a password; a token goes with --token' : '';
  // The message may be kept in a log: whatever may be a password is left out, even if the text is no URL.
  const shown = inert(text.replace(/^([a-z]+:\/\/)?.*@/is, '$1…@'));
  throw new CommandError(`--url ${shown}: wanted a URL such as http://127.0.0.1:9090${hint}`, exitCodes.usage);
}

function isOfType(response: Response, type: string): boolean {
  return (response.headers.get('content-type') ?? '').toLowerCase().startsWith(type);
}

/** The cause of a failed `fetch`, whose own message is just "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}

/** A problem in words: what is wrong, and what to try. */
function problemError(status: number, data: Problem | undefined): CommandError {
  const detail = data?.detail ?? `the server answers with ${String(status)}`;
  // The server's own hint is about HTTP headers.
  const hint = status === 401 ? 'Give a token with --token or MOORING_ADMIN_TOKEN.' : data?.hint;
  const text = hint === undefined ? detail : `${detail.replace(/\.$/, '')}. ${hint}`;
  return new CommandError(inert(text), status === 400 ? exitCodes.usage : exitCodes.trouble);
}
