/** The part of a browser's `CloseEvent`, or of what `ws` says of a close, that matters here. */
export interface CloseEventLike {
  readonly code: number;
  readonly reason?: string;
}

/** What a client should do after a close. */
export interface ReconnectAdvice {
  /** Whether to connect again by itself. */
  readonly retry: boolean;
  /** After how many milliseconds; 0 where not to retry. */
  readonly delayMs: number;
}

/** The first wait, and its longest growth, of a client that is not told when to come back. */
const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

/** The longest wait a reason can ask for. */
const longestToldMs = 3_600_000;

/**
 * Closes after which a client must not come back by itself: it said goodbye, would be refused again, would take the
 * thread from a newer connection of its own, or should wait for its user.
 */
const final: ReadonlySet<number> = new Set([
  1000, // said goodbye
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
 * Whether, and when, to connect again after a close. Honours the `retry=<seconds>` of Mooring's close reasons, else
 * waits longer with every attempt, at random, so that clients that fell together do not come back together.
 *
 * Never throws. No dependencies; browser and Node.
 * @param event the close event; only `code` and `reason` are read
 * @param attempt how many attempts have failed since the last that worked @default 0
 * @param random a number in [0, 1), from which the wait without a `retry` is drawn @default Math.random
 * @source spec section 10
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

/** What the reason says: `quota;retry=30.25;max=20`. Anything else, or nonsense, says nothing. */
function toldDelayMs(reason: string): number | null {
  const seconds = /(?:^|;)retry=(\d{1,9}(?:\.\d{1,9})?)(?:;|$)/.exec(reason)?.[1];
  return seconds === undefined ? null : Math.min(Math.round(Number(seconds) * 1000), longestToldMs);
}

/** Full jitter, but never at once. */
function backoffMs(attempt: number, random: () => number): number {
  const exponent = Number.isFinite(attempt) ? Math.min(Math.max(0, Math.floor(attempt)), 16) : 0;
  const most = Math.min(firstDelayMs * 2 ** exponent, longestDelayMs);
  return Math.round(most * (0.25 + 0.75 * random()));
}
