import { MalformedContextError } from '../errors.js';
import { checkIds, type IdRules } from './ids.js';

/** The ids a key is made of. */
export interface KeyParts {
  readonly userId: string;
  readonly threadId: string;
}

/**
 * The one name of a user's thread: `{userId}:{threadId}`, with `%` and `:` of the user id percent-encoded.
 *
 * Why: two different pairs must never share a key. Joined as they are, user `a` with thread `b:thread_x` and user
 * `a:b` with thread `thread_x` would.
 * @see docs/decisions/0009-ids-and-isolation-key.md
 */
export function isolationKey({ userId, threadId }: KeyParts): string {
  const encoded = /[%:]/.test(userId) ? userId.replace(/%/g, '%25').replace(/:/g, '%3A') : userId;
  return `${encoded}:${threadId}`;
}

/**
 * The exact ids a key was made of.
 * @param rules how the ids were checked, if the setting threadIdPrefix is not the default
 * @throws MalformedContextError where the text is no isolation key
 */
export function parseIsolationKey(key: string, rules?: IdRules): KeyParts {
  const colon = key.indexOf(':');
  if (colon < 0) throw new MalformedContextError('isolation key', 'has no ":" between user and thread');
  const userId = key.slice(0, colon).replace(/%3A/g, ':').replace(/%25/g, '%');
  const parts = { userId, threadId: key.slice(colon + 1) };
  checkIds(parts, rules);
  if (isolationKey(parts) !== key) throw new MalformedContextError('isolation key', 'is not in its canonical form');
  return parts;
}

/** As {@link parseIsolationKey}; `null` if the text is no isolation key. */
export function partsOf(key: string, rules?: IdRules): KeyParts | null {
  try {
    return parseIsolationKey(key, rules);
  } catch {
    return null;
  }
}
