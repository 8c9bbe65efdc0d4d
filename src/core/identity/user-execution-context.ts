import { checkIds } from './ids.js';
import { isolationKey } from './isolation-key.js';

/** What an application says about a connection. */
export interface ContextFields {
  /** 1–256 UTF-16 units, well-formed Unicode, no control characters; may contain `:`; never normalised. */
  readonly userId: string;
  /** The same rule; begins with `thread_` and goes on for at least one character. */
  readonly threadId: string;
  readonly runId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly connectionId?: string | undefined;
  /**
   * How many managers the user may hold: an integer of at least 0, or `Infinity`. The latest connection's word holds for
   * the user, until the user's last manager is released. Anything else is told as `limit.rejected`, and the setting
   * maxManagersPerUser holds.
   * @default what limitOf says, else the setting maxManagersPerUser
   */
  readonly limit?: number | undefined;
  /**
   * After how long without activity this connection is closed as idle, in milliseconds, from 100 to 86,400,000; `null`:
   * never. Anything else is told as `idleTimeout.rejected`.
   * @default the setting idleManagerTimeoutMs
   */
  readonly idleTimeoutMs?: number | null | undefined;
  /** Whatever the application wants to find again as `manager.data`. */
  readonly data?: unknown;
}

/**
 * Who a connection belongs to: made once per connection, frozen, and passed on, never regenerated.
 *
 * Why: the object itself identifies the connection. `disconnect(context)` with the context of a connection that
 * was replaced is recognised as late, although its ids are those of the live one.
 * @source seed fix 2; spec section 2
 */
export class UserExecutionContext implements ContextFields {
  readonly userId: string;
  readonly threadId: string;
  declare readonly runId?: string;
  declare readonly requestId?: string;
  declare readonly connectionId?: string;
  declare readonly limit?: number;
  declare readonly idleTimeoutMs?: number | null;
  declare readonly data?: unknown;
  readonly #key: string;
  #isOpened = false;

  /** @internal Of checked fields. */
  constructor(fields: ContextFields) {
    const { userId, threadId, runId, requestId, connectionId, limit, idleTimeoutMs, data } = fields;
    this.#key = isolationKey({ userId, threadId });
    const end = this.#key.length - threadId.length;
    // Cut out of the key: ids cut out of a request's URL, as queries give them, would keep the whole URL in memory.
    this.userId = end === userId.length + 1 ? this.#key.slice(0, userId.length) : userId;
    this.threadId = this.#key.slice(end);
    if (runId !== undefined) this.runId = runId;
    if (requestId !== undefined) this.requestId = requestId;
    if (connectionId !== undefined) this.connectionId = connectionId;
    if (limit !== undefined) this.limit = limit;
    if (idleTimeoutMs !== undefined) this.idleTimeoutMs = idleTimeoutMs;
    if (data !== undefined) this.data = data;
    Object.freeze(this);
  }

  /** @internal Its isolation key. */
  static keyOf(context: UserExecutionContext): string {
    return context.#key;
  }

  /** @internal Notes that a connection was opened for it. */
  static opened(context: UserExecutionContext): void {
    context.#isOpened = true;
  }

  /** @internal Whether a connection was ever opened for these very fields. */
  static wasOpened(fields: ContextFields): fields is UserExecutionContext {
    return fields instanceof UserExecutionContext && fields.#isOpened;
  }
}

/**
 * Checks the ids and freezes them into a context. A context made here before is returned as it is.
 * @throws MalformedContextError naming the field and the rule it breaks
 */
export function createUserExecutionContext(fields: ContextFields): UserExecutionContext {
  if (fields instanceof UserExecutionContext) return fields;
  checkIds(fields);
  return new UserExecutionContext(fields);
}
