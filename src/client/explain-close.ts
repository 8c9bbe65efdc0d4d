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

interface Cause {
  readonly action: CloseAction;
  readonly message: string;
}

const causes = {
  quota: { action: 'close-another', message: 'Too many connections are open. Close one that you do not use.' },
  capacity: { action: 'wait', message: 'The service is full. We try again soon.' },
  contested: { action: 'wait', message: 'Another window keeps taking over. We try again soon.' },
  slow: { action: 'wait', message: 'The connection was too slow. We connect again.' },
  silent: { action: 'wait', message: 'Your device did not answer for a while. We connect again.' },
  drain: { action: 'wait', message: 'The service restarts. We connect again soon.' },
  error: { action: 'wait', message: 'Something went wrong. We connect again.' },
  authentication: { action: 'wait', message: 'The service could not check who you are. We try again soon.' },
  unattached: { action: 'wait', message: 'Connecting took too long. We try again.' },
  unavailable: { action: 'wait', message: 'The service has a problem. We try again soon.' },
  replaced: { action: 'continue', message: 'This is open in another window now.' },
  evicted: { action: 'continue', message: 'A connection that you opened elsewhere took the place of this one.' },
  idle: { action: 'continue', message: 'Nothing happened here for a while, so we paused.' },
  requested: { action: 'continue', message: 'The service ended this connection.' },
  unauthenticated: { action: 'sign-in', message: 'Please sign in again.' },
  malformed: { action: 'none', message: 'The service did not accept this address.' },
  closed: { action: 'none', message: 'The connection was closed.' },
  lost: { action: 'wait', message: 'The connection was lost. We connect again.' },
  other: { action: 'none', message: 'The connection was closed.' },
} as const satisfies Record<string, Cause>;

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
  const max = /(?:^|;)max=(\d{1,9})(?:;|$)/.exec(reason)?.[1];
  // Another close code may be set for a cause: what the code says to do comes first.
  const action = retry && causes[cause].action !== 'close-another' ? 'wait' : causes[cause].action;
  return { cause, action, message: causes[cause].message, retry, delayMs, max: max === undefined ? null : Number(max) };
}

function causeNamedBy(reason: string): CloseCauseName | null {
  const name = reason.split(';', 1)[0] ?? '';
  return Object.hasOwn(causes, name) && name !== 'lost' && name !== 'other' ? (name as CloseCauseName) : null;
}
