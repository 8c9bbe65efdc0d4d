import { shouldReconnect, type CloseEventLike, type ReconnectAdvice } from './should-reconnect.js';

/** What the person in front of the page can do about a close. */
export type CloseAction =
  /** Nothing: the client comes back by itself. */
  | 'wait'
  /** Close another tab or device, or wait: the client comes back by itself. */
  | 'close-another'
  /** Sign in again, then connect. */
  | 'sign-in'
  /** Continue here, with a click or a key: that connects again. */
  | 'continue'
  /** Nothing that helps: connecting again would fail in the same way. */
  | 'none';

/**
 * Why the connection closed: a cause of Mooring's close codes; `lost`, the network or the browser ended it; or `other`,
 * somebody else closed it.
 */
export type CloseCauseName = keyof typeof causes;

/** A close in words, and what to do about it. */
export interface CloseExplanation extends ReconnectAdvice {
  readonly cause: CloseCauseName;
  readonly action: CloseAction;
  /** One or two sentences for the person, in English. Write your own by `cause`, for your words and languages. */
  readonly message: string;
  /** How many connections the user may have; `null` if the close does not say so. */
  readonly max: number | null;
}

/** By cause: the action and the message. */
const causes = {
  quota: ['close-another', 'Too many connections are open. Close one that you do not use.'],
  capacity: ['wait', 'The service is full. We try again soon.'],
  contested: ['wait', 'Another window keeps taking over. We try again soon.'],
  slow: ['wait', 'The connection was too slow. We connect again.'],
  silent: ['wait', 'Your device did not answer for a while. We connect again.'],
  drain: ['wait', 'The service restarts. We connect again soon.'],
  error: ['wait', 'Something went wrong. We connect again.'],
  authentication: ['wait', 'The service could not check who you are. We try again soon.'],
  unattached: ['wait', 'Connecting took too long. We try again.'],
  unavailable: ['wait', 'The service has a problem. We try again soon.'],
  replaced: ['continue', 'This is open in another window now.'],
  evicted: ['continue', 'A connection that you opened elsewhere took the place of this one.'],
  idle: ['continue', 'Nothing happened here for a while, so we paused.'],
  requested: ['continue', 'The service ended this connection.'],
  unauthenticated: ['sign-in', 'Please sign in again.'],
  malformed: ['none', 'The service does not know what this page asks for.'],
  closed: ['none', 'The connection was closed.'],
  lost: ['wait', 'The connection was lost. We connect again.'],
  other: ['none', 'The connection was closed.'],
} as const satisfies Record<string, readonly [CloseAction, string]>;

/** The cause of a code whose reason does not name one. */
const causeByCode: Readonly<Record<number, CloseCauseName>> = {
  1000: 'closed',
  1001: 'lost',
  1005: 'lost',
  1006: 'lost',
  1008: 'malformed',
  1012: 'drain',
  1015: 'lost',
  4401: 'unauthenticated',
  4408: 'idle',
  4409: 'replaced',
  4410: 'evicted',
  4412: 'requested',
};

/**
 * Why a connection closed, whether and when to connect again, and what the person can do. Never throws.
 *
 * The arguments are those of {@link shouldReconnect}, whose answer is part of the result.
 */
export function explainClose(event: CloseEventLike, attempt = 0, random: () => number = Math.random): CloseExplanation {
  const { retry, delayMs } = shouldReconnect(event, attempt, random);
  const { code, reason = '' } = event;
  const cause = causeNamedBy(reason) ?? causeByCode[code] ?? 'other';
  const [usualAction, message] = causes[cause];
  const max = /(?:^|;)max=(\d{1,9})(?:;|$)/.exec(reason)?.[1];
  // Another close code may be set for a cause: what the code says to do comes first.
  const action = retry && usualAction !== 'close-another' ? 'wait' : usualAction;
  return { cause, action, message, retry, delayMs, max: max === undefined ? null : Number(max) };
}

function causeNamedBy(reason: string): CloseCauseName | null {
  const name = reason.split(';', 1)[0] ?? '';
  return Object.hasOwn(causes, name) && name !== 'lost' && name !== 'other' ? (name as CloseCauseName) : null;
}
