import { MalformedContextError } from '../errors.js';
import { settings } from '../settings.js';

/** What ids must keep to. */
export interface IdRules {
  /** What every thread id begins with; may be empty. @default 'thread_' */
  readonly threadIdPrefix?: string;
}

/** The longest id, in UTF-16 units. */
const maxIdLength = 256;

/**
 * Checks both ids of a thread.
 * @throws MalformedContextError naming the field and the rule it breaks
 * @see docs/decisions/0009-ids-and-isolation-key.md
 */
export function checkIds(fields: unknown, rules: IdRules = {}): void {
  if (typeof fields !== 'object' || fields === null) {
    throw new MalformedContextError('context', `must be an object with userId and threadId, not ${String(fields)}`);
  }
  const { userId, threadId } = fields as { readonly userId?: unknown; readonly threadId?: unknown };
  checkId('userId', userId);
  checkId('threadId', threadId);
  checkPrefix(threadId, rules);
}

/** Checks one id by itself. @param field its name, for the error @throws MalformedContextError */
export function checkId(field: string, value: unknown): asserts value is string {
  if (value === undefined || value === null) throw new MalformedContextError(field, 'is missing');
  if (typeof value !== 'string') throw new MalformedContextError(field, `must be a string, not ${typeof value}`);
  if (value === '') throw new MalformedContextError(field, 'is empty');
  if (value.length > maxIdLength) {
    throw new MalformedContextError(field, `is ${String(value.length)} units long; the most is ${String(maxIdLength)}`);
  }
  if (!forbidden.test(value)) return;
  const what = controlCharacter.test(value)
    ? 'has a control character'
    : 'is not well-formed Unicode (a lone surrogate)';
  throw new MalformedContextError(field, what);
}

/** Checks what a thread id begins with. @throws MalformedContextError */
export function checkPrefix(threadId: string, { threadIdPrefix = settings.threadIdPrefix.default }: IdRules): void {
  if (!threadId.startsWith(threadIdPrefix)) {
    throw new MalformedContextError('threadId', `must begin with "${threadIdPrefix}"`);
  }
  if (threadId.length === threadIdPrefix.length) {
    throw new MalformedContextError('threadId', `must go on after "${threadIdPrefix}"`);
  }
}

const controlCharacter = /\p{Cc}/u;

/** Control characters and lone surrogates. */
const forbidden = /[\p{Cc}\p{Surrogate}]/u;
