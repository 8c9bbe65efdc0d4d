import type { CloseCodeProfile } from '../close-codes.js';
import {
  QuotaExceededError,
  RefusalError,
  type AuthenticationError,
  type ErrorCode,
  type MalformedContextError,
} from '../errors.js';
import type { WebSocketConfig } from '../settings.js';
import { jittered, type Random } from '../time.js';

/** How far each kind of advice to come back is spread. */
const spread = { quota: 0.2, other: 0.5 } as const;

interface FullQuota {
  readonly limit: number;
  /** When the first of the user's managers could make room. */
  readonly firstFreeInMs: number;
  readonly ahead: number | null;
}

/** Makes all refusals: the one place for their texts and retry times. */
export class Refusals {
  readonly #config: WebSocketConfig;
  readonly #random: Random;
  readonly #profile: CloseCodeProfile;

  constructor(config: WebSocketConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#profile = config.closeCodes;
  }

  quota({ limit, firstFreeInMs, ahead }: FullQuota): QuotaExceededError {
    const retryAfterMs = jittered(Math.max(1_000, firstFreeInMs), spread.quota, this.#random);
    return new QuotaExceededError({ limit, ahead, retryAfterMs, profile: this.#profile });
  }

  capacity(limit: number): RefusalError {
    return this.#retrying('capacity', this.#config.contestedRetryMs, {
      code: 'capacity.exceeded',
      message: `This server holds all the ${String(limit)} connections it may; connect to another one, or later.`,
    });
  }

  /** Too many newcomers wait already, of all users or of this one. */
  crowded(): RefusalError {
    return this.#retrying('capacity', this.#config.contestedRetryMs, {
      code: 'capacity.exceeded',
      message: 'As many newcomers wait already as may; connect again later.',
    });
  }

  contested(): RefusalError {
    return this.#retrying('contested', this.#config.contestedRetryMs, {
      code: 'key.contested',
      message: 'Another live connection keeps taking this thread back; close it first.',
    });
  }

  draining(): RefusalError {
    return this.#retrying('drain', this.#config.drainRetryMs, {
      code: 'server.draining',
      message: 'This server is stopping; reconnect to another one.',
    });
  }

  replaced(): RefusalError {
    return this.#plain('replaced', 'key.replaced', 'A newer connection of the same thread took this place.');
  }

  cancelled(): RefusalError {
    return this.#plain('closed', 'admission.cancelled', 'The caller gave up before it was admitted.');
  }

  expired(): RefusalError {
    const { ticketMs } = this.#config;
    return this.#plain(
      'unattached',
      'ticket.expired',
      `No connection came within ${String(ticketMs)} ms of the grant.`,
    );
  }

  released(): RefusalError {
    return this.#plain('requested', 'ticket.expired', 'The manager was released before this connection was open.');
  }

  /** The context breaks a rule; its client is told which. */
  malformed({ field, rule, message }: MalformedContextError): RefusalError {
    const text = `${field} ${rule}`;
    return new RefusalError('context.malformed', 'malformed', { message, text, profile: this.#profile });
  }

  /** The credentials are no good; the reason is told as it is. */
  unauthenticated({ reason, message }: AuthenticationError): RefusalError {
    return new RefusalError('credentials.rejected', 'unauthenticated', {
      message,
      text: reason,
      profile: this.#profile,
    });
  }

  /** Authentication itself failed; the client may try again. */
  authenticationFailed(): RefusalError {
    return this.#retrying('authentication', this.#config.contestedRetryMs, {
      code: 'authentication.failed',
      message: 'Authentication failed by itself; try again later.',
    });
  }

  #retrying(
    cause: 'capacity' | 'contested' | 'drain' | 'authentication',
    retryMs: number,
    said: { code: ErrorCode; message: string },
  ): RefusalError {
    const retryAfterMs = jittered(retryMs, spread.other, this.#random);
    return new RefusalError(said.code, cause, { message: said.message, retryAfterMs, profile: this.#profile });
  }

  #plain(cause: 'replaced' | 'closed' | 'unattached' | 'requested', code: ErrorCode, message: string): RefusalError {
    return new RefusalError(code, cause, { message, profile: this.#profile });
  }
}
