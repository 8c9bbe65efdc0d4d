import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createUserExecutionContext, MalformedContextError } from '../../src/index.js';
import { isolationKey, parseIsolationKey } from '../../src/core/identity/isolation-key.js';

/** Any code units, lone surrogates and all, and often what separates and encodes. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(':', '%', '3', 'A', '2', '5', 'a', 'thread_', '\ud800', '\udc00', '界') }),
);

/** What a context can be made of. */
const contexts = fc.record({ userId: text, threadId: text.map((end) => `thread_${end}`) }).filter((parts) => {
  try {
    createUserExecutionContext(parts);
    return true;
  } catch {
    return false;
  }
});

describe('an isolation key', () => {
  it('gives back exactly the ids it was made of', () => {
    fc.assert(
      fc.property(contexts, ({ userId, threadId }) => {
        expect(parseIsolationKey(isolationKey({ userId, threadId }))).toEqual({ userId, threadId });
      }),
    );
  });

  it('is never shared by two', () => {
    fc.assert(
      fc.property(contexts, contexts, (one, other) => {
        const isSame = one.userId === other.userId && one.threadId === other.threadId;
        expect(isolationKey(one) === isolationKey(other)).toBe(isSame);
      }),
    );
  });

  it('has one form only: whatever can be parsed is what the ids make', () => {
    fc.assert(
      fc.property(text, (key) => {
        try {
          expect(isolationKey(parseIsolationKey(key))).toBe(key);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedContextError);
        }
      }),
    );
  });
});
