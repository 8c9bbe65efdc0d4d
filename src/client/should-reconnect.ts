/** The part of a browser's `CloseEvent`, or of the arguments of a `close` listener of `ws`, that is read. */
export interface CloseEventLike {
  readonly code: number;
  readonly reason?: string;
}

/** What a client should do after a close. */
export interface ReconnectAdvice {
  /** Whether the client should connect again without its user. */
  readonly retry: boolean;
  /** After how many milliseconds; 0 if `retry` is false. */
  readonly delayMs: number;
}

/** The first and the longest wait of a client if the server does not say how long to wait. */
const firstDelayMs = 1_000;
const maxDelayMs = 30_000;

/** The longest wait that a close reason can ask for. */
const maxToldMs = 3_600_000;

/**
 * Close codes after which a client must not reconnect by itself: it closed the connection, would be refused again,
 * would take the thread from a newer connection of its own, or should wait for its user.
 */
const final: ReadonlySet<number> = new Set([
  1000, // normal closure
  1002, // protocol error
  1003, // unsupported content
  1007, // invalid content
  1008, // malformed ids
  1009, // too big
  1010, // extension missing
  4401, // credentials: authenticate first
  4408, // idle: on next use
  4409, // replaced by a newer connection of the same thread
  4410, // evicted: when the user does something
  4412, // requested by an operator: when the user does something
]);

/**
 * Whether and when to connect again after a close. Honours the `retry=<seconds>` of Mooring's close reasons. Otherwise
 * the wait is random and grows with each attempt, so that clients that fell together do not return together.
 *
 * Never throws. No dependencies; browser and Node.
 * @param event the close event; only `code` and `reason` are read
 * @param attempt how many attempts have failed since the last success @default 0
 * @param random a number in [0, 1), from which the wait without a `retry` is drawn @default Math.random
 */
export function shouldReconnect(
  event: CloseEventLike,
  attempt = 0,
  random: () => number = Math.random,
): ReconnectAdvice {
  const { code, reason = '' } = event;
  const isPrivate = code >= 4000 && code <= 4999;
  const told = toldDelayMs(reason);
  if (final.has(code) || (isPrivate && told === null)) return { retry: false, delayMs: 0 };
  return { retry: true, delayMs: told ?? backoffMs(attempt, random) };
}

/** The `retry` of a reason such as `quota;retry=30.25;max=20`; `null` without a valid one. */
function toldDelayMs(reason: string): number | null {
  const seconds = /(?:^|;)retry=(\d{1,9}(?:\.\d{1,9})?)(?:;|$)/.exec(reason)?.[1];
  return seconds === undefined ? null : Math.min(Math.round(Number(seconds) * 1000), maxToldMs);
}

/** Exponential backoff, with jitter from a quarter of the wait to all of it. */
function backoffMs(attempt: number, random: () => number): number {
  const exponent = Number.isFinite(attempt) ? Math.min(Math.max(0, Math.floor(attempt)), 16) : 0;
  const longestMs = Math.min(firstDelayMs * 2 ** exponent, maxDelayMs);
  return Math.round(longestMs * (0.25 + 0.75 * random()));
}
