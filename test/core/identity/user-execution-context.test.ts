import { describe, expect, it } from 'vitest';
import { MalformedContextError } from '../../../src/core/errors.js';
import { createUserExecutionContext, type ContextFields } from '../../../src/core/identity/user-execution-context.js';

const loneHigh = '\ud83d';
const loneLow = '\ude00';

/** As an application without types would call it. */
function create(fields: Record<string, unknown>): unknown {
  return createUserExecutionContext(fields as unknown as ContextFields);
}

function errorOf(fields: Record<string, unknown>): MalformedContextError {
  try {
    create(fields);
  } catch (error) {
    if (error instanceof MalformedContextError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a context', () => {
  it.each([
    ['missing', undefined],
    ['null', null],
    ['a string', 'ada'],
  ])('that is %s is refused', (what, fields) => {
    const error = errorOf(fields as unknown as Record<string, unknown>);
    expect(error).toMatchObject({ field: 'context' });
    expect(error.rule).toMatch(`not ${what === 'missing' ? 'undefined' : fields}`);
  });
});

describe('a user id', () => {
  it.each([
    ['missing', undefined, 'is missing'],
    ['null', null, 'is missing'],
    ['empty', '', 'is empty'],
    ['a number', 7, 'must be a string'],
    ['257 units long', 'a'.repeat(257), '257 units'],
    ['257 units of emoji', `${'😀'.repeat(128)}a`, '257 units'],
    ['with a NUL', 'a\u0000b', 'control character'],
    ['with a line break', 'ada\n', 'control character'],
    ['with a DEL', 'a\u007f', 'control character'],
    ['with a C1 control', 'a\u0085b', 'control character'],
    ['with a lone high surrogate', `ada${loneHigh}`, 'well-formed'],
    ['with a lone low surrogate', `${loneLow}ada`, 'well-formed'],
    ['with surrogates in the wrong order', `${loneLow}${loneHigh}`, 'well-formed'],
  ])('that is %s is refused', (_, userId, rule) => {
    const error = errorOf({ userId, threadId: 'thread_1' });
    expect(error).toMatchObject({ code: 'context.malformed', field: 'userId' });
    expect(error.rule).toContain(rule);
  });

  it.each([
    ['one unit long', 'a'],
    ['256 units long', 'a'.repeat(256)],
    ['256 units of emoji', '😀'.repeat(128)],
    ['an emoji of several code points', '👩‍👩‍👧'],
    ['in another script', 'Адаアダ阿达آدا'],
    ['full of colons', 'tenant:a::b:'],
    ['like a thread id', 'thread_1'],
    ['a space', ' '],
    ['a no-break space', '\u00a0'],
  ])('that is %s is accepted as it is', (_, userId) => {
    expect(create({ userId, threadId: 'thread_1' })).toEqual({ userId, threadId: 'thread_1' });
  });

  it('is never normalised', () => {
    const [composed, decomposed] = ['\u00e9', 'e\u0301'];
    expect(create({ userId: composed, threadId: 'thread_1' })).toMatchObject({ userId: composed });
    expect(create({ userId: decomposed, threadId: 'thread_1' })).toMatchObject({ userId: decomposed });
  });
});

describe('a thread id', () => {
  it.each([
    ['missing', undefined, 'is missing'],
    ['empty', '', 'is empty'],
    ['the prefix alone', 'thread_', 'must go on'],
    ['without the prefix', '1', 'must begin'],
    ['with the prefix in capitals', 'THREAD_1', 'must begin'],
    ['with a space before the prefix', ' thread_1', 'must begin'],
    ['257 units long', `thread_${'a'.repeat(250)}`, '257 units'],
    ['with a control character', 'thread_\u0007', 'control character'],
    ['with a lone surrogate', `thread_${loneHigh}`, 'well-formed'],
  ])('that is %s is refused', (_, threadId, rule) => {
    const error = errorOf({ userId: 'ada', threadId });
    expect(error).toMatchObject({ code: 'context.malformed', field: 'threadId' });
    expect(error.rule).toContain(rule);
  });

  it.each([
    ['one character more than the prefix', 'thread_1'],
    ['256 units long', `thread_${'a'.repeat(249)}`],
    ['with a colon', 'thread_a:b'],
    ['with emoji', 'thread_😀'],
    ['with the prefix twice', 'thread_thread_'],
  ])('that is %s is accepted as it is', (_, threadId) => {
    expect(create({ userId: 'ada', threadId })).toEqual({ userId: 'ada', threadId });
  });
});

describe('a context', () => {
  const fields = { userId: 'ada', threadId: 'thread_1', runId: 'r', requestId: 'q', connectionId: 'c' };

  it('carries what it was made of, and nothing else', () => {
    expect(create({ ...fields, password: 'secret' })).toEqual(fields);
  });

  it('has no field that was not given', () => {
    expect(Object.keys(createUserExecutionContext({ userId: 'ada', threadId: 'thread_1', runId: undefined }))).toEqual([
      'userId',
      'threadId',
    ]);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(createUserExecutionContext(fields))).toBe(true);
  });

  it('is made once: a context stays the object it is', () => {
    const context = createUserExecutionContext(fields);
    expect(createUserExecutionContext(context)).toBe(context);
  });

  it('is another object each time it is made, though the ids be equal', () => {
    expect(createUserExecutionContext(fields)).not.toBe(createUserExecutionContext(fields));
  });

  it('is not changed by what happens to the fields it was made of', () => {
    const changing = { ...fields };
    const context = createUserExecutionContext(changing);
    changing.userId = 'eve';
    expect(context.userId).toBe('ada');
  });
});
