import type { Problem } from '../../src/admin/schemas.js';
import { userSegment } from '../../src/presentation/paths.js';
import { Store } from './store.js';

/** What the page knows of its server. */
export interface Link {
  readonly isReachable: boolean;
  /** When the server last answered anything; `null` before it did. */
  readonly lastAnswerAt: Date | null;
  /** The server wants a token, and has none or a wrong one of us; `null` until anything says so or not. */
  readonly needsToken: boolean | null;
  /** It had one of us that was good once. */
  readonly isTokenRefused: boolean;
}

/** What the server answered instead of what was asked for; status 0 where it did not answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    detail: string,
    readonly hint: string | null = null,
  ) {
    super(detail);
  }
}

/** What to ask, and how. */
export interface Asked {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longer for what acts. `null`: as long as it takes. */
  readonly timeoutMs?: number | null;
}

const tokenName = 'mooring.token';
const looksWithinMs = 10_000;

/** Emergency cleanups wait for answers of the peers, up to ten seconds. */
export const actsWithinMs = 60_000;

export const link = new Store<Link>({
  isReachable: true,
  lastAnswerAt: null,
  needsToken: null,
  isTokenRefused: false,
});

export function hasToken(): boolean {
  return sessionStorage.getItem(tokenName) !== null;
}

/** Forgets the token: of this tab, where alone it was. */
export function signOut(): void {
  sessionStorage.removeItem(tokenName);
  link.set({ ...link.value, needsToken: true, isTokenRefused: false });
}

/** The server wants a token, and does not take the one we have. Several requests may find out, one after another. */
function askForToken(): void {
  const isTokenRefused = hasToken() || link.value.isTokenRefused;
  sessionStorage.removeItem(tokenName);
  link.set({ ...link.value, needsToken: true, isTokenRefused });
}

/** What the server says of itself, for whoever has no token: to find out by asking for data would be a refusal in its log. */
export function learnOfToken(wantsToken: boolean): void {
  if (!hasToken()) link.set({ ...link.value, needsToken: wantsToken });
}

/** Keeps the token if the server knows it. @throws ApiError where it does not, TypeError where no header can carry it */
export async function signIn(token: string): Promise<void> {
  const headers = Object.fromEntries(new Headers({ authorization: `Bearer ${token}` }));
  await ask('api/v1/me', { headers });
  sessionStorage.setItem(tokenName, token);
  link.set({ ...link.value, needsToken: false, isTokenRefused: false });
}

/** What the server answers. @throws ApiError */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const response = await send(path, asked);
  return (await response.json()) as T;
}

/** The response, once it is a good one. @throws ApiError */
export async function send(path: string, asked: Asked = {}): Promise<Response> {
  const { method = 'GET', body, timeoutMs = looksWithinMs } = asked;
  const signals = [asked.signal, timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs)];
  const init: RequestInit = {
    ...{ method, headers: headersOf(asked), cache: 'no-store', credentials: 'omit', redirect: 'error' },
    signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const response = await reach(new URL(path, document.baseURI), init, asked.signal);
  if (response.ok) return response;
  const error = await problemOf(response);
  if (error.status === 401) askForToken();
  throw error;
}

async function reach(url: URL, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  const askedAt = new Date();
  try {
    const response = await fetch(url, init);
    link.set({ ...link.value, isReachable: true, lastAnswerAt: new Date() });
    return response;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const { lastAnswerAt } = link.value;
    const isSlow = error instanceof DOMException && error.name === 'TimeoutError';
    // Whoever answers others is there.
    if (isSlow && lastAnswerAt !== null && lastAnswerAt > askedAt)
      throw new ApiError(408, 'The server answers, but not this: it took too long.');
    link.set({ ...link.value, isReachable: false });
    throw new ApiError(0, 'The server cannot be reached.');
  }
}

function headersOf({ body, headers = {} }: Asked): Record<string, string> {
  const token = sessionStorage.getItem(tokenName);
  return {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  };
}

async function problemOf(response: Response): Promise<ApiError> {
  try {
    const { detail, hint } = (await response.json()) as Partial<Problem>;
    return new ApiError(response.status, detail ?? `The server answered ${response.status}.`, hint ?? null);
  } catch {
    return new ApiError(response.status, `The server answered ${response.status}.`);
  }
}

/** The path of a user in the API; others begin with it. */
export function pathOfUser(userId: string): string {
  return `api/v1/users/${userSegment(userId)}`;
}
