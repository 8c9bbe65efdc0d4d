import type { z } from 'zod';
import { problemType } from '../../admin/problem-types.js';
import {
  cleanupSchema,
  configSchema,
  journalSchema,
  kpisSchema,
  overviewSchema,
  problemSchema,
  resourcesSchema,
  userPageSchema,
  userSchema,
  type CleanupView,
  type ConfigView,
  type JournalView,
  type KpisView,
  type Overview,
  type UserPage,
  type UserView,
} from '../../admin/schemas.js';
import { CommandError, exitCodes } from '../command-error.js';
import { inert } from '../../presentation/inert.js';
import { apiPath, userSegment } from '../../presentation/paths.js';
import { actMs, NoAnswerError, readMs, within } from './patience.js';

/** How to reach an admin API. */
export interface ClientOptions {
  /** Where it is, e.g. `http://127.0.0.1:9090`; a path in front of `/api/v1` may follow, and `/api/v1` itself. */
  readonly url: string;
  readonly token?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
}

/** What `users` can be asked for. */
export interface UsersQuery {
  readonly level?: string | undefined;
  readonly sort?: string | undefined;
  readonly search?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** What a cleanup can be asked for; what an emergency is asked for, goes with `isEmergency` only. */
export interface CleanupOrder {
  readonly isEmergency: boolean;
  readonly body: {
    readonly dryRun: boolean;
    readonly strategies?: readonly string[] | undefined;
    readonly evict?: number | undefined;
    readonly keep?: number | undefined;
  };
}

/** What came of a check. */
export type Resources = z.output<typeof resourcesSchema>;

/** The admin API of a running server. Whatever goes wrong is a {@link CommandError}. */
export class AdminClient {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: typeof fetch;

  /** @throws CommandError where the URL is none, or the token cannot be one */
  constructor({ url, token = '', fetch: fetchBy = globalThis.fetch }: ClientOptions) {
    this.url = checkedUrl(url);
    if (token !== '' && !/^[\x21-\x7e]+$/.test(token))
      throw new CommandError('the token has characters that no token has; see --token', exitCodes.usage);
    this.#headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    this.#fetch = fetchBy;
  }

  overview(): Promise<Overview> {
    return this.#read('overview', overviewSchema);
  }

  users(query: UsersQuery = {}): Promise<UserPage> {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
    return this.#read(`users?${given.toString()}`, userPageSchema);
  }

  user(id: string): Promise<UserView> {
    return this.#read(`users/${segmentOf(id)}`, userSchema);
  }

  journal(id: string): Promise<JournalView> {
    return this.#read(`users/${segmentOf(id)}/journal`, journalSchema);
  }

  kpis(): Promise<KpisView> {
    return this.#read('kpis', kpisSchema);
  }

  config(): Promise<ConfigView> {
    return this.#read('config', configSchema);
  }

  check(id: string): Promise<Resources> {
    return this.#act(`users/${segmentOf(id)}/check`, {}, resourcesSchema);
  }

  cleanup(id: string, { isEmergency, body }: CleanupOrder): Promise<CleanupView> {
    const action = isEmergency ? 'emergency-cleanup' : 'cleanup';
    return this.#act(`users/${segmentOf(id)}/${action}`, body, cleanupSchema);
  }

  /** The event stream, open; its body never ends by itself, nor does the wait for it. @param lastEventId where a former one was cut off */
  async events(query: URLSearchParams, lastEventId: string | null, signal: AbortSignal): Promise<Response> {
    const headers = { accept: 'text/event-stream', ...(lastEventId !== null && { 'last-event-id': lastEventId }) };
    const response = await this.#ask(`events?${query.toString()}`, { headers, signal });
    if (!isOfType(response, 'text/event-stream')) throw this.#foreign(response.status);
    return response;
  }

  #read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return within(readMs, (signal) => this.#json(path, { signal }, schema));
  }

  #act<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return within(actMs, (signal) => this.#json(path, { ...init, signal }, schema));
  }

  /** As the server gave it, with what only a newer one says. */
  async #json<T>(path: string, init: RequestInit, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#ask(path, init);
    const answer = await this.#bodyOf(response);
    const { error } = schema.safeParse(answer);
    if (error === undefined) return answer as T;
    const { path: field = [], message = '' } = error.issues[0] ?? {};
    throw new CommandError(
      `${this.url} answers as another version of Mooring does (${[...field.map(String), inert(message)].join(': ')}); use the version of the server`,
      exitCodes.trouble,
    );
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    let response: Response;
    try {
      response = await this.#fetch(`${this.url}${apiPath}/${path}`, { ...init, headers, redirect: 'manual' });
    } catch (error) {
      throw this.#unreachable(error);
    }
    if (response.ok) return response;
    if (!isOfType(response, 'application/problem+json')) throw this.#foreign(response.status);
    const problem = await this.#bodyOf(response);
    throw this.#path !== '' && isUnknownRoute(problem)
      ? this.#foreign(response.status)
      : problemError(response.status, problem);
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

  /** What comes between the port and `/api/v1`; mostly nothing. */
  get #path(): string {
    return this.url.slice(new URL(this.url).origin.length);
  }

  #foreign(status: number): CommandError {
    const hint =
      this.#path === ''
        ? 'give the admin port of mooring serve with --url (or MOORING_ADMIN_URL)'
        : `is --url (or MOORING_ADMIN_URL) its admin port, without ${this.#path}?`;
    return new CommandError(
      `${this.url} answers (with ${String(status)}), but is no admin API of Mooring; ${hint}`,
      exitCodes.unreachable,
    );
  }
}

/** A user id in a path. @throws CommandError if it is empty */
function segmentOf(id: string): string {
  if (id === '') throw new CommandError('the user id is empty; wanted one such as alice', exitCodes.usage);
  return userSegment(id);
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isUsable = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isUsable) return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/+api\/v1$/, '')}`;
  const hint = text.includes('@') ? ', without a user or a password; a token goes with --token' : '';
  throw new CommandError(
    `--url ${inert(withoutPassword(text))}: wanted a URL such as http://127.0.0.1:9090${hint}`,
    exitCodes.usage,
  );
}

/** What is shown, and may be kept in a log. Whatever may be a password is left out, also where the text is no URL. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z]+:\/\/)?.*@/is, '$1…@');
}

function isOfType(response: Response, type: string): boolean {
  return (response.headers.get('content-type') ?? '').toLowerCase().startsWith(type);
}

/** `fetch failed` says nothing; what is behind it does. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof NoAnswerError) return error.message;
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}

/** Instead of what the server says to whoever speaks HTTP. */
const statusHints: Readonly<Record<number, string>> = {
  401: 'Give a token with --token or MOORING_ADMIN_TOKEN.',
};

/** Whether a server of Mooring says that it has no route for this path. */
function isUnknownRoute(body: unknown): boolean {
  return problemSchema.safeParse(body).data?.type === problemType('no-such-route');
}

/** A problem in words: what is wrong, and what to try. */
function problemError(status: number, body: unknown): CommandError {
  const { data } = problemSchema.safeParse(body);
  const detail = data?.detail ?? `the server answers with ${String(status)}`;
  const hint = statusHints[status] ?? data?.hint;
  const text = hint === undefined ? detail : `${detail.replace(/\.$/, '')}. ${hint}`;
  return new CommandError(inert(text), status === 400 ? exitCodes.usage : exitCodes.trouble);
}
