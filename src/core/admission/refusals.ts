import {
  QuotaExceededError,
  RefusalError,
  type AuthenticationError,
  type ErrorCode,
  type MalformedContextError,
} from '../errors.js';
import type { MooringEvents } from '../event-table.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { UserExecutionContext } from '../identity/user-execution-context.js';
import type { WebSocketConfig } from '../settings.js';
import { jittered, type Random } from '../time.js';
import type { CloseCause } from '../vocabulary.js';

/** By which part of itself a retry time is spread, either way. */
const spread = { quota: 0.2, other: 0.5 } as const;

interface FullQuota {
  readonly limit: number;
  /** In how many milliseconds the first of the user's slots may be free, by eviction or since its ticket expires. */
  readonly firstFreeInMs: number;
  readonly ahead: number | null;
}

/** What a refusal tells. */
interface Content {
  readonly message: string;
  /** The text of the close reason. @default the close cause */
  readonly text?: string;
  /** When to come back, before it is spread. @default no time is told */
  readonly retryMs?: number;
}

/** What `admission.refused` says. @param waited for how long the newcomer waited, and whether it has answered */
export function refusalDetails(
  context: UserExecutionContext,
  refusal: RefusalError,
  waited = { waitedMs: 0, isHeard: true },
): MooringEvents['admission.refused'] {
  const { userId, threadId } = context;
  const { code, closeCause, retryAfterMs = null } = refusal;
  const ahead = refusal instanceof QuotaExceededError ? refusal.ahead : null;
  return { userId, threadId, key: isolationKey(context), code, closeCause, retryAfterMs, ahead, ...waited };
}

/** Makes all refusals: the one place for their texts and retry times. */
export class Refusals {
  readonly #config: WebSocketConfig;
  readonly #random: Random;

  constructor(config: WebSocketConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  /** The user's quota is full. The newcomer is told when the first slot may be free, and at least a second. */
  quota({ limit, firstFreeInMs, ahead }: FullQuota): QuotaExceededError {
    const retryAfterMs = jittered(Math.max(1_000, firstFreeInMs), spread.quota, this.#random);
    return new QuotaExceededError({ limit, ahead, retryAfterMs, profile: this.#config.closeCodes });
  }

  capacity(limit: number): RefusalError {
    const message = `This server holds all the ${String(limit)} connections it may; connect to another one, or later.`;
    return this.#refusal('capacity.exceeded', 'capacity', { message, retryMs: this.#config.contestedRetryMs });
  }

  /** The ledger cannot be asked, and the local limit does not suffice. */
  unavailable(): RefusalError {
    const message = 'The shared quota cannot be asked now; connect again later.';
    return this.#refusal('ledger.unavailable', 'unavailable', { message, retryMs: this.#config.drainRetryMs });
  }

  /** Too many newcomers wait already, of all users or of this one. */
  crowded(): RefusalError {
    const message = 'As many newcomers wait already as may; connect again later.';
    return this.#refusal('capacity.exceeded', 'capacity', { message, retryMs: this.#config.contestedRetryMs });
  }

  contested(): RefusalError {
    const message = 'Another live connection keeps taking this thread back; close it first.';
    return this.#refusal('key.contested', 'contested', { message, retryMs: this.#config.contestedRetryMs });
  }

  draining(): RefusalError {
    const message = 'This server is stopping; reconnect to another one.';
    return this.#refusal('server.draining', 'drain', { message, retryMs: this.#config.drainRetryMs });
  }

  replaced(): RefusalError {
    const message = 'A newer connection of the same thread took this place.';
    return this.#refusal('key.replaced', 'replaced', { message });
  }

  cancelled(): RefusalError {
    return this.#refusal('admission.cancelled', 'closed', { message: 'The caller gave up before it was admitted.' });
  }

  expired(): RefusalError {
    const message = `No connection came within ${String(this.#config.ticketMs)} ms of the grant.`;
    return this.#refusal('ticket.expired', 'unattached', { message });
  }

  /** Somebody released the manager that it was about to have. @param closeCause why, as connections of the user are told */
  released(closeCause: CloseCause): RefusalError {
    if (closeCause === 'drain') return this.draining();
    const message = 'The manager was released before this connection was open.';
    return this.#refusal('manager.released', closeCause, { message });
  }

  /** The close reason names the field and the rule it breaks. */
  malformed({ field, rule, message }: MalformedContextError): RefusalError {
    return this.#refusal('context.malformed', 'malformed', { message, text: `${field} ${rule}` });
  }

  unauthenticated({ reason, message }: AuthenticationError): RefusalError {
    return this.#refusal('credentials.rejected', 'unauthenticated', { message, text: reason });
  }

  authenticationFailed(): RefusalError {
    const message = 'Authentication failed by itself; try again later.';
    return this.#refusal('authentication.failed', 'authentication', {
      message,
      retryMs: this.#config.contestedRetryMs,
    });
  }

  #refusal(code: ErrorCode, cause: CloseCause, { retryMs, ...content }: Content): RefusalError {
    const retry = retryMs === undefined ? {} : { retryAfterMs: jittered(retryMs, spread.other, this.#random) };
    return new RefusalError(code, cause, { ...content, ...retry, profile: this.#config.closeCodes });
  }
}
