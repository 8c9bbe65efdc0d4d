import { MalformedContextError } from '../errors.js';

/** What an application says about a connection. */
export interface ContextFields {
  /** 1–256 UTF-16 units, well-formed Unicode, no control characters; may contain `:`; never normalised. */
  readonly userId: string;
  /** The same rule; begins with `thread_` and goes on for at least one character. */
  readonly threadId: string;
  readonly runId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly connectionId?: string | undefined;
}

declare const checked: unique symbol;

/**
 * Who a connection belongs to: made once per connection, frozen, and passed on, never regenerated.
 *
 * Why: the object itself identifies the connection. `disconnect(context)` with the context of a connection that
 * was replaced is recognised as late, although its ids are those of the live one.
 * @source seed fix 2; spec section 2
 */
export type UserExecutionContext = ContextFields & { readonly [checked]: true };

/** Every thread id begins so. @source seed fix 2 */
export const threadPrefix = 'thread_';

/** The longest id, in UTF-16 units. */
export const maxIdLength = 256;

const made = new WeakSet();

/**
 * Checks the ids and freezes them into a context. A context made here before is returned as it is.
 * @throws MalformedContextError naming the field and the rule it breaks
 */
export function createUserExecutionContext(fields: ContextFields): UserExecutionContext {
  if (made.has(fields)) return fields as UserExecutionContext;
  checkId('userId', fields.userId);
  checkThreadId(fields.threadId);
  const { userId, threadId, runId, requestId, connectionId } = fields;
  const context = Object.freeze({
    userId,
    threadId,
    ...(runId !== undefined && { runId }),
    ...(requestId !== undefined && { requestId }),
    ...(connectionId !== undefined && { connectionId }),
  }) as UserExecutionContext;
  made.add(context);
  return context;
}

/** @throws MalformedContextError */
export function checkId(field: string, value: unknown): asserts value is string {
  if (value === undefined || value === null) throw new MalformedContextError(field, 'is missing');
  if (typeof value !== 'string') throw new MalformedContextError(field, `must be a string, not ${typeof value}`);
  if (value === '') throw new MalformedContextError(field, 'is empty');
  if (value.length > maxIdLength) {
    throw new MalformedContextError(field, `is ${String(value.length)} units long; the most is ${String(maxIdLength)}`);
  }
  if (!isWellFormed(value)) throw new MalformedContextError(field, 'is not well-formed Unicode (a lone surrogate)');
  if (hasControlCharacter(value)) throw new MalformedContextError(field, 'has a control character');
}

function checkThreadId(value: unknown): asserts value is string {
  checkId('threadId', value);
  if (!value.startsWith(threadPrefix)) throw new MalformedContextError('threadId', `must begin with "${threadPrefix}"`);
  if (value.length === threadPrefix.length) {
    throw new MalformedContextError('threadId', `must go on after "${threadPrefix}"`);
  }
}

const loneSurrogate = /\p{Surrogate}/u;
const controlCharacter = /\p{Cc}/u;

function isWellFormed(value: string): boolean {
  return !loneSurrogate.test(value);
}

function hasControlCharacter(value: string): boolean {
  return controlCharacter.test(value);
}
