import { describe, expect, it } from 'vitest';
import { MalformedContextError } from '../../../src/core/errors.js';
import { isolationKey, parseIsolationKey } from '../../../src/core/identity/isolation-key.js';

describe('an isolation key', () => {
  it.each([
    ['plain', 'ada', 'thread_1', 'ada:thread_1'],
    ['a colon in the user', 'a:b', 'thread_1', 'a%3Ab:thread_1'],
    ['colons everywhere', ':a::', 'thread_a:b', '%3Aa%3A%3A:thread_a:b'],
    ['a percent sign', '100%', 'thread_1', '100%25:thread_1'],
    ['what looks encoded', 'a%3Ab', 'thread_1', 'a%253Ab:thread_1'],
    ['a percent sign in the thread', 'ada', 'thread_%3A', 'ada:thread_%3A'],
    ['emoji', '😀', 'thread_é', '😀:thread_é'],
  ])('with %s is %s + %s → %s', (_, userId, threadId, key) => {
    expect(isolationKey({ userId, threadId })).toBe(key);
    expect(parseIsolationKey(key)).toEqual({ userId, threadId });
  });

  it('is not shared by pairs that would be the same when joined', () => {
    const one = isolationKey({ userId: 'a', threadId: 'thread_x:thread_y' });
    const other = isolationKey({ userId: 'a:thread_x', threadId: 'thread_y' });
    expect(one).not.toBe(other);
  });

  it.each([
    ['nothing', '', 'isolation key has no ":"'],
    ['no colon', 'thread_1', 'isolation key has no ":"'],
    ['no user', ':thread_1', 'userId is empty'],
    ['no thread', 'ada:', 'threadId is empty'],
    ['the thread prefix alone', 'ada:thread_', 'threadId must go on'],
    ['a thread without the prefix', 'ada:1', 'threadId must begin'],
    ['an unencoded percent sign', 'a%:thread_1', 'isolation key is not in its canonical form'],
    ['another encoding than ours', 'a%41:thread_1', 'isolation key is not in its canonical form'],
    ['a lower-case encoding', 'a%3ab:thread_1', 'isolation key is not in its canonical form'],
    ['an unencoded colon in the user', 'a:b:thread_1', 'threadId must begin'],
    ['a control character', 'ada:thread_\n', 'threadId has a control character'],
  ])('cannot be %s', (_, text, message) => {
    const parse = (): unknown => parseIsolationKey(text);
    expect(parse).toThrow(MalformedContextError);
    expect(parse).toThrow(message);
  });
});
