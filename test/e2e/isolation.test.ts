import { describe, expect, it } from 'vitest';
import { isolationKey } from '../../src/index.js';
import { startCrowd } from '../support/crowd.js';
import { wsServer } from '../support/ws-server.js';

/** Pairs that would run into one another if a key were the two, joined. */
const crafted = [
  { userId: 'a', threadId: 'thread_b:thread_c' },
  { userId: 'a:thread_b', threadId: 'thread_c' },
  { userId: 'a:b', threadId: 'thread_1' },
  { userId: 'a', threadId: 'thread_1' },
  { userId: 'a%3Ab', threadId: 'thread_1' },
  { userId: 'a:b:thread_1', threadId: 'thread_1' },
  { userId: 'a%253Ab', threadId: 'thread_1' },
];

describe('users with look-alike names', () => {
  it('never share a key, and cleaning one leaves the others', async () => {
    const server = await wsServer();
    const crowd = await startCrowd();
    const clients = await crowd.settleAll(crafted.map(({ userId, threadId }) => server.url(userId, threadId)));
    expect(new Set(crafted.map(isolationKey)).size).toBe(crafted.length);
    expect(server.mooring.managerCount).toBe(crafted.length);
    expect(server.mooring.releaseAll('a')).toBe(2);
    const ofA = clients.filter((_, i) => crafted[i]?.userId === 'a');
    expect(await Promise.all(ofA.map((client) => client.end()))).toEqual([
      { code: 4412, reason: 'requested' },
      { code: 4412, reason: 'requested' },
    ]);
    expect(clients.filter(({ isOpen }) => isOpen)).toHaveLength(crafted.length - 2);
    expect(server.countOf('a:b')).toBe(1);
  });

  it.each([
    ['256 units', 'u'.repeat(256), `thread_${'t'.repeat(249)}`],
    ['Greek', 'Ἀριάδνη', 'thread_λαβύρινθος'],
    ['emoji of several units', '👩‍👩‍👧‍👦', 'thread_🧵'],
    ['composed or not, as it is', 'e\u0301', 'thread_\u00e9'],
  ])('of %s are let in as they are', async (_, userId, threadId) => {
    const server = await wsServer();
    const client = await (await startCrowd()).settle(server.url(userId, threadId));
    expect(client.ended).toBeNull();
    expect(server.managerOf(userId, threadId).key).toBe(isolationKey({ userId, threadId }));
  });

  it.each([
    ['no user', '', 'thread_1', /^userId /],
    ['257 units', 'u'.repeat(257), 'thread_1', /^userId .*256/],
    ['a control character', 'a\u0007', 'thread_1', /^userId .*control/],
    ['a lone surrogate', 'a\ud83d', 'thread_1', /^userId .*Unicode/],
    ['no thread', 'ada', '', /^threadId /],
    ['a thread without its prefix', 'ada', '1', /^threadId .*thread_/],
    ['nothing after the prefix', 'ada', 'thread_', /^threadId /],
    ['a lone surrogate in the thread', 'ada', 'thread_\udc00', /^threadId .*Unicode/],
  ])('with %s are refused with the field and its rule', async (_, userId, threadId, reason) => {
    // URLs cannot carry a lone surrogate; a token or a session can.
    const server = await wsServer({ attach: { authenticate: () => ({ userId, threadId }) } });
    const client = await (await startCrowd()).settle(server.url('any', 'any'));
    expect(await client.end()).toEqual({ code: 1008, reason: expect.stringMatching(reason) as string });
    expect([server.mooring.managerCount, server.said('manager.admitted').length]).toEqual([0, 0]);
  });
});
