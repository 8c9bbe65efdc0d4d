import { describe, expect, it } from 'vitest';
import { createUserExecutionContext, MalformedContextError, parseIsolationKey } from '../../../src/index.js';
import { FakeConnection } from '../../../src/testing/index.js';
import { loadConfig } from '../../../src/config/load-config.js';
import { harness } from '../support.js';

const mustBegin = (prefix: string): string => `must begin with "${prefix}"`;

describe('the prefix of thread ids', () => {
  it.each([
    ['doc_', 'doc_1'],
    ['doc:', 'doc:1'],
    ['', '1'],
    ['', 'thread_1'],
  ])('may be %j: %s is admitted, found by its key, and released', (threadIdPrefix, threadId) => {
    const { mooring } = harness({ config: { threadIdPrefix } });
    expect(mooring.decide({ userId: 'a:b', threadId })).toMatchObject({ refusal: null });
    const [manager] = mooring.managersOf('a:b');
    expect(mooring.getManager(manager!.key)).toBe(manager);
    expect(mooring.release(manager!.key)).toBe(true);
  });

  it.each([
    ['doc_', 'thread_1', mustBegin('doc_')],
    ['doc_', 'doc_', 'must go on after "doc_"'],
    ['', '', 'is empty'],
  ])('of %j refuses %j', async (threadIdPrefix, threadId, rule) => {
    const { mooring } = harness({ config: { threadIdPrefix } });
    expect(() => mooring.decide({ userId: 'ada', threadId })).toThrow(rule);
    const transport = new FakeConnection();
    await expect(mooring.connect(transport, { userId: 'ada', threadId })).rejects.toThrow(rule);
    expect(transport.closes).toEqual([{ code: 1008, reason: `threadId ${rule}` }]);
    expect(mooring.getManager(`ada:${threadId}`)).toBeUndefined();
  });

  it('holds for contexts that were made before, with another prefix', () => {
    const { mooring } = harness({ config: { threadIdPrefix: 'doc_' } });
    const [former, own] = [
      createUserExecutionContext({ userId: 'ada', threadId: 'thread_1' }),
      createUserExecutionContext({ userId: 'ada', threadId: 'doc_1' }, { threadIdPrefix: 'doc_' }),
    ];
    expect(() => mooring.decide(former)).toThrow(MalformedContextError);
    expect(mooring.decide(own)).toMatchObject({ refusal: null });
  });

  it('is told to whoever parses a key', () => {
    expect(() => parseIsolationKey('ada:doc_1')).toThrow(mustBegin('thread_'));
    const parts = { userId: 'ada', threadId: 'doc_1' };
    expect(parseIsolationKey('ada:doc_1', { threadIdPrefix: 'doc_' })).toEqual(parts);
    expect(parseIsolationKey('ada:doc_1', { threadIdPrefix: '' })).toEqual(parts);
  });
});

describe('the setting threadIdPrefix', () => {
  it('is thread_ unless set, and may be set to nothing', () => {
    expect(loadConfig({ env: {} }).config.threadIdPrefix).toBe('thread_');
    expect(loadConfig({ env: { MOORING_THREAD_ID_PREFIX: 'doc_' } }).config.threadIdPrefix).toBe('doc_');
    expect(loadConfig({ env: {}, flags: [['threadIdPrefix', '']] }).config.threadIdPrefix).toBe('');
  });

  it.each(['with space', 'zeilen\n', 'ü', 'x'.repeat(65), 7])('cannot be %j', (threadIdPrefix) => {
    expect(() => loadConfig({ env: {}, overrides: { threadIdPrefix: threadIdPrefix as string } })).toThrow(
      /threadIdPrefix/,
    );
  });
});
