import { describe, expect, it } from 'vitest';
import { explainClose } from '../../../src/client/explain-close.js';
import { shouldReconnect } from '../../../src/client/should-reconnect.js';
import { closeCodes, closeFrame } from '../../../src/core/close-codes.js';
import type { CloseCause } from '../../../src/core/vocabulary.js';

const causes = Object.keys(closeCodes) as CloseCause[];

describe('what a client is told about a close by Mooring', () => {
  it.each(causes)('%s: the cause, a sentence, and what shouldReconnect says', (cause) => {
    const event = closeFrame(cause, { retryAfterMs: 7_000, max: 20 });
    const explained = explainClose(event);
    expect(explained).toMatchObject({ cause, max: 20, ...shouldReconnect(event) });
    expect(explained.message).toMatch(/^[A-Z].*\.$/);
  });

  it.each(causes)('%s: the client comes back by itself exactly if the person has nothing to do but wait', (cause) => {
    const { retry, action } = explainClose(closeFrame(cause, { retryAfterMs: 7_000 }));
    expect(['wait', 'close-another'].includes(action)).toBe(retry);
  });

  it('a full quota says how many connections there may be, and when to come back', () => {
    expect(explainClose({ code: 1013, reason: 'quota;retry=30.25;max=20' })).toEqual({
      cause: 'quota',
      action: 'close-another',
      message: 'Too many connections are open. Close one that you do not use.',
      retry: true,
      delayMs: 30_250,
      max: 20,
    });
  });

  it('a cause with a code of its own is known by its reason', () => {
    const event = closeFrame('quota', { retryAfterMs: 2_000 }, { quota: 4429 });
    expect(explainClose(event)).toMatchObject({ cause: 'quota', retry: true, delayMs: 2_000 });
  });

  it('credentials and malformed ids, whose reason says what is wrong with them, are known by their code', () => {
    expect(explainClose({ code: 4401, reason: 'expired' })).toMatchObject({
      cause: 'unauthenticated',
      action: 'sign-in',
    });
    expect(explainClose({ code: 1008, reason: 'thread_id: begins with thread_' }).cause).toBe('malformed');
  });
});

describe('what a client is told about a close by somebody else', () => {
  it.each([
    [1000, 'closed', 'none'],
    [1001, 'lost', 'wait'],
    [1006, 'lost', 'wait'],
    [1009, 'other', 'none'],
    [1011, 'other', 'wait'],
    [4000, 'other', 'none'],
  ] as const)('%i: %s, %s', (code, cause, action) => {
    expect(explainClose({ code })).toMatchObject({ cause, action, max: null });
  });

  it.each(['lost', 'other', 'toString', '__proto__', 'constructor;max=x', ''])(
    'the reason %j names no cause',
    (reason) => {
      expect(explainClose({ code: 4000, reason })).toMatchObject({ cause: 'other', max: null });
    },
  );
});
