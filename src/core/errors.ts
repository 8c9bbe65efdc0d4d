import { closeFrame, type CloseCodes, type CloseDetail, type CloseFrame } from './close-codes.js';
import type { CloseCause } from './vocabulary.js';

/** The meaning of each error code. */
export const errorCodes = {
  'context.malformed': 'The user or thread id breaks a rule; the message names the field and the rule.',
  'config.invalid': 'The configuration has mistakes; `problems` lists all of them.',
  'quota.exceeded': 'The user holds as many managers as allowed and none of them could be freed.',
  'ledger.unavailable': 'The shared quota cannot be asked, and `failOpen` is off.',
  'capacity.exceeded': 'This server holds as many managers as `maxTotalManagers` allows.',
  'key.contested': 'Another live connection keeps taking this thread back.',
  'key.replaced': 'A newer connection of the same thread took this place.',
  'server.draining': 'The server is stopping; connect to another one, or later.',
  'admission.cancelled': 'The caller gave up before it was admitted.',
  'ticket.expired': 'The slot was granted but no connection was attached within `ticketMs`.',
  'manager.released': 'The manager, or all managers of the user, were released before this connection was open.',
  'credentials.rejected': 'The credentials are missing, wrong or expired.',
  'authentication.failed': '`authenticate` failed by itself: it threw, rejected or never answered.',
} as const satisfies Record<string, string>;

/** The stable name of a kind of failure. Its meaning never changes. */
export type ErrorCode = keyof typeof errorCodes;

/** A failure in operation. Programming mistakes throw plain `TypeError`s instead. */
export class MooringError extends Error {
  override readonly name: string = 'MooringError';

  constructor(
    /** @see errorCodes */
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A user or thread id that breaks a rule. */
export class MalformedContextError extends MooringError {
  override readonly name = 'MalformedContextError';

  constructor(
    /** The field at fault, e.g. `threadId`. */
    readonly field: string,
    /** The rule it breaks, in words. */
    readonly rule: string,
  ) {
    super('context.malformed', `${field} ${rule}`);
  }
}

/** All mistakes of a configuration at once. */
export class ConfigurationError extends MooringError {
  override readonly name = 'ConfigurationError';

  constructor(
    /** One sentence each: where, what was got, what was wanted. */
    readonly problems: readonly string[],
  ) {
    super('config.invalid', `The configuration has ${count(problems)}:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
  }
}

function count(problems: readonly string[]): string {
  return problems.length === 1 ? 'a mistake' : `${String(problems.length)} mistakes`;
}

/** Why a connection is not admitted, with the close frame for its client. An expected outcome: returned, not thrown. */
export class RefusalError extends MooringError {
  override readonly name: string = 'RefusalError';
  /** The close frame to send to the client. */
  readonly close: CloseFrame;

  constructor(
    code: ErrorCode,
    /** The row of the close-code table. */
    readonly closeCause: CloseCause,
    readonly detail: CloseDetail & { readonly message: string; readonly profile?: CloseCodes | undefined },
  ) {
    super(code, detail.message);
    this.close = closeFrame(closeCause, detail, detail.profile);
  }

  /** When to try again, in milliseconds; absent if trying again does not help. */
  get retryAfterMs(): number | undefined {
    return this.detail.retryAfterMs;
  }
}

/** The user's limit is reached and nothing could be freed. */
export class QuotaExceededError extends RefusalError {
  override readonly name = 'QuotaExceededError';
  /** How many newcomers of the same user waited before it; `null` if the limit is 0. */
  readonly ahead: number | null;

  constructor({ limit, ahead, retryAfterMs, profile }: FullQuota) {
    super('quota.exceeded', 'quota', {
      message: `${limit === Infinity ? 'The shared quota of this user is full' : `All ${String(limit)} of this user's connections are in use`}; try again in ${String(Math.ceil(retryAfterMs / 1000))} s.`,
      retryAfterMs,
      max: limit,
      profile,
    });
    this.ahead = ahead;
  }
}

/** A quota that is full, for a {@link QuotaExceededError}. */
export interface FullQuota {
  /** The user's limit. */
  readonly limit: number;
  /** How many newcomers of the same user waited before this one; `null` if the limit is 0. */
  readonly ahead: number | null;
  /** When the client should come back, in milliseconds. */
  readonly retryAfterMs: number;
  readonly profile?: CloseCodes | undefined;
}

/** The credentials were missing, wrong or expired. Throw it from `authenticate` to answer 4401. */
export class AuthenticationError extends MooringError {
  override readonly name = 'AuthenticationError';

  constructor(
    /** Told to the client as the close reason. @default 'unauthenticated' */
    readonly reason: 'missing' | 'wrong' | 'expired' | (string & {}) = 'unauthenticated',
  ) {
    super('credentials.rejected', `The credentials are ${reason}.`);
  }
}

/** A thrown value of any type as text. Never throws. */
export function describe(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return 'something that cannot be described';
  }
}
