import type { Problem } from '../../src/admin/schemas.js';
import { userSegment } from '../../src/presentation/paths.js';
import { Store } from './store.js';

/** What the page knows of its server. */
interface ServerState {
  readonly isReachable: boolean;
  /** When the server last answered anything; `null` before it did. */
  readonly lastAnswerAt: Date | null;
  /** The server needs a token, and ours is missing or wrong; `null` until that is known. */
  readonly needsToken: boolean | null;
  /** Our token was accepted earlier. */
  readonly isTokenRefused: boolean;
  /** Why the server shows us nothing: nobody is signed in to its application, or somebody who may not look. */
  readonly shutOut: ApiError | null;
  /** Where people sign in to its application; `null` if it does not tell. */
  readonly loginUrl: string | null;
}

/** An error that the server answered with; status 0 if it did not answer. */
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

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** `null`: none. @default 10 seconds */
  readonly timeoutMs?: number | null;
}

const tokenName = 'mooring.token';
const readTimeoutMs = 10_000;

/** Of actions: an emergency cleanup waits up to ten seconds for the clients to answer. */
export const actTimeoutMs = 60_000;

export const serverState = new Store<ServerState>({
  isReachable: true,
  lastAnswerAt: null,
  needsToken: null,
  isTokenRefused: false,
  shutOut: null,
  loginUrl: null,
});

export function hasToken(): boolean {
  return sessionStorage.getItem(tokenName) !== null;
}

/** Deletes the token, which only this tab has. */
export function signOut(): void {
  sessionStorage.removeItem(tokenName);
  serverState.set({ ...serverState.value, needsToken: true, isTokenRefused: false });
}

/** The server refused our token, or needs one. Several requests in a row may find out. */
function askForToken(): void {
  const isTokenRefused = hasToken() || serverState.value.isTokenRefused;
  sessionStorage.removeItem(tokenName);
  serverState.set({ ...serverState.value, needsToken: true, isTokenRefused });
}

/** Whether the server wanted a token when its health was last asked for; `null` before. */
let lastWanted: boolean | null = null;

/**
 * How people sign in, from the server's health: a request for data would be logged as refused. As long as the health says
 * the same, a refusal that came meanwhile counts for more.
 */
export function learnOfSignIn({
  wantsToken,
  loginUrl = null,
}: {
  wantsToken: boolean;
  loginUrl?: string | null;
}): void {
  const { value } = serverState;
  const needsToken = wantsToken === lastWanted || hasToken() ? value.needsToken : wantsToken;
  lastWanted = wantsToken;
  if (needsToken !== value.needsToken || loginUrl !== value.loginUrl)
    serverState.set({ ...value, needsToken, loginUrl });
}

/** Asks the server again. */
export function tryAgain(): void {
  serverState.set({ ...serverState.value, shutOut: null });
}

/** Keeps the token if the server accepts it. @throws ApiError if not, TypeError if no header can carry it */
export async function signIn(token: string): Promise<void> {
  const headers = Object.fromEntries(new Headers({ authorization: `Bearer ${token}` }));
  await request('api/v1/me', { headers });
  sessionStorage.setItem(tokenName, token);
  serverState.set({ ...serverState.value, needsToken: false, isTokenRefused: false });
}

/** Sends a request and reads the JSON of the answer. @throws ApiError */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  return (await response.json()) as T;
}

/** Sends a request. @throws ApiError unless the status is 2xx */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, timeoutMs = readTimeoutMs } = options;
  const signals = [options.signal, timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs)];
  const init: RequestInit = {
    method,
    headers: headersOf(options),
    cache: 'no-store',
    // For an application whose session cookie says who may use this API.
    credentials: 'same-origin',
    redirect: 'error',
    signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const response = await reach(new URL(path, document.baseURI), init, options.signal);
  if (response.ok) return response;
  const error = await problemOf(response);
  if (error.status === 401 && response.headers.has('www-authenticate')) askForToken();
  else if (error.status === 401 || (error.status === 403 && method === 'GET'))
    serverState.set({ ...serverState.value, shutOut: error });
  throw error;
}

async function reach(url: URL, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  const sentAt = new Date();
  try {
    const response = await fetch(url, init);
    serverState.set({ ...serverState.value, isReachable: true, lastAnswerAt: new Date() });
    return response;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const { lastAnswerAt } = serverState.value;
    const isSlow = error instanceof DOMException && error.name === 'TimeoutError';
    // A server that answered another request meanwhile can be reached.
    if (isSlow && lastAnswerAt !== null && lastAnswerAt > sentAt)
      throw new ApiError(408, 'The server did not answer this request in time, but answers others.');
    serverState.set({ ...serverState.value, isReachable: false });
    throw new ApiError(0, 'The server cannot be reached.');
  }
}

function headersOf({ body, headers = {} }: RequestOptions): Record<string, string> {
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

/** The path of a user in the API. The paths of its actions begin with it. */
export function pathOfUser(userId: string): string {
  return `api/v1/users/${userSegment(userId)}`;
}
