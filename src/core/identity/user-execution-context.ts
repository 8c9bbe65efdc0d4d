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
  #isOpened = false;

  /**
   * @internal Of checked fields.
   * @param kept the user's id as another object keeps it already
   */
  constructor(fields: ContextFields, kept?: string) {
    const { userId, threadId, runId, requestId, connectionId, limit, idleTimeoutMs, data } = fields;
    this.userId = kept ?? copied(userId);
    this.threadId = copied(threadId);
    if (runId !== undefined) this.runId = runId;
    if (requestId !== undefined) this.requestId = requestId;
    if (connectionId !== undefined) this.connectionId = connectionId;
    if (limit !== undefined) this.limit = limit;
    if (idleTimeoutMs !== undefined) this.idleTimeoutMs = idleTimeoutMs;
    if (data !== undefined) this.data = data;
    Object.freeze(this);
  }

  /** @internal Its isolation key: made when it is asked for, as that is seldom and two ids take less room than three. */
  static keyOf(context: UserExecutionContext): string {
    return isolationKey(context);
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
 * The same text in one piece of its own.
 *
 * Why: V8 keeps a text that was cut out of another, as queries of URLs are, as a view of the whole, so the id would keep
 * the URL in memory. Views are slow to read, too. Joining copies.
 */
function copied(text: string): string {
  return [text.slice(0, 1), text.slice(1)].join('');
}

/**
 * Checks the ids and freezes them into a context. A context made here before is returned as it is.
 * @throws MalformedContextError naming the field and the rule it breaks
 */
export function createUserExecutionContext(fields: ContextFields): UserExecutionContext {
  return contextOf(fields, nobodyKept);
}

const nobodyKept = (): undefined => undefined;

/**
 * @internal As {@link createUserExecutionContext}.
 * @param kept finds the user's id where it is kept already
 */
export function contextOf(fields: ContextFields, kept: (userId: string) => string | undefined): UserExecutionContext {
  if (fields instanceof UserExecutionContext) return fields;
  checkIds(fields);
  return new UserExecutionContext(fields, kept(fields.userId));
}
