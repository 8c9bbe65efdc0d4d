import { checkIds, checkPrefix, type IdRules } from './ids.js';

/** The user and thread of a connection, as the application gives them. `Data` is the type of its `data`. */
export interface ContextFields<Data = unknown> {
  /** 1–256 UTF-16 units, well-formed Unicode, no control characters; may contain `:`; never normalised. */
  readonly userId: string;
  /** As `userId`; begins with the setting threadIdPrefix (`thread_`), followed by at least one character. */
  readonly threadId: string;
  readonly runId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly connectionId?: string | undefined;
  /**
   * How many managers the user may hold: an integer of at least 0, or `Infinity`. The limit of the latest connection holds
   * for the user until the user's last manager is released. Any other value is reported as `limit.rejected`, and the
   * setting maxManagersPerUser holds.
   * @default the result of limitOf, else the setting maxManagersPerUser
   */
  readonly limit?: number | undefined;
  /**
   * After how long without activity this connection is closed as idle, in milliseconds, from 100 to 86,400,000; `null`:
   * never. Any other value is reported as `idleTimeout.rejected`, and the default holds.
   * @default the setting idleManagerTimeoutMs
   */
  readonly idleTimeoutMs?: number | null | undefined;
  /** Any value: `manager.data` returns it. */
  readonly data?: Data | undefined;
}

/**
 * The user and thread of a connection: made once for each connection, and frozen.
 *
 * Why once: the object itself identifies the connection. `disconnect(context)` of a connection that was replaced does
 * nothing, although its ids are those of the live one.
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
   * @param storedUserId the string of the same user id that other objects have already
   */
  constructor(fields: ContextFields, storedUserId?: string) {
    const { userId, threadId, runId, requestId, connectionId, limit, idleTimeoutMs, data } = fields;
    this.userId = storedUserId ?? copied(userId);
    this.threadId = copied(threadId);
    if (runId !== undefined) this.runId = runId;
    if (requestId !== undefined) this.requestId = requestId;
    if (connectionId !== undefined) this.connectionId = connectionId;
    if (limit !== undefined) this.limit = limit;
    if (idleTimeoutMs !== undefined) this.idleTimeoutMs = idleTimeoutMs;
    if (data !== undefined) this.data = data;
    Object.freeze(this);
  }

  /** @internal Notes that a connection was opened for it. */
  static opened(context: UserExecutionContext): void {
    context.#isOpened = true;
  }

  /** @internal Whether a connection was ever opened for this object. */
  static wasOpened(fields: ContextFields): fields is UserExecutionContext {
    return fields instanceof UserExecutionContext && fields.#isOpened;
  }
}

/**
 * A copy of the text.
 *
 * Why: V8 stores a part of a string, such as a query parameter, as a reference to the whole: the id would keep the URL in
 * memory, and is slower to read.
 */
function copied(text: string): string {
  return [text.slice(0, 1), text.slice(1)].join('');
}

/**
 * Checks the ids and makes a context of them. A context made before is returned as it is.
 * @param rules needed if the setting threadIdPrefix is not the default
 * @throws MalformedContextError naming the field and the rule it breaks
 */
export function createUserExecutionContext(fields: ContextFields, rules: IdRules = {}): UserExecutionContext {
  return contextOf(fields, rules);
}

/**
 * @internal As {@link createUserExecutionContext}.
 * @param storedUserId finds the string of the same user id that other objects have already, if there is one
 */
export function contextOf(
  fields: ContextFields,
  rules: IdRules,
  storedUserId?: (userId: string) => string | undefined,
): UserExecutionContext {
  if (fields instanceof UserExecutionContext) {
    checkPrefix(fields.threadId, rules);
    return fields;
  }
  checkIds(fields, rules);
  return new UserExecutionContext(fields, storedUserId?.(fields.userId));
}
