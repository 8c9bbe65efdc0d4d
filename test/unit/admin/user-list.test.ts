import { describe, expect, it } from 'vitest';
import type { CountedUser } from '../../../src/admin/census.js';
import { pageOf, type ListRequest, type Sorting } from '../../../src/admin/user-list.js';
import { remote } from '../../core/support.js';
import { desk } from './support.js';

function user(userId: string, managerCount: number, aloneSinceMs = 0): CountedUser {
  const usageRatio = managerCount / 20;
  const summary = { userId, managerCount, usageRatio, alertLevel: 'normal', maxManagers: 20 } as const;
  return { summary: { ...summary, held: 0, waiting: 0, idleMs: 0, longestIdleMs: 0 }, aloneSinceMs };
}

const everybody = Array.from({ length: 100 }, (_, i) =>
  user(`user-${String(i).padStart(2, '0')}`, i % 7, (i * 37) % 50),
);

function walk(users: readonly CountedUser[], request: Omit<ListRequest, 'cursor'>): string[] {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = pageOf(users, { ...request, cursor });
    seen.push(...page.users.map(({ userId }) => userId));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return seen;
}

describe('pages', () => {
  it.each<Sorting>(['usage', 'idle', 'id'])('sorted by %s name everybody once, in the order of all at once', (sort) => {
    const inPages = walk(everybody, { sort, limit: 7 });
    expect(inPages).toEqual(walk(everybody, { sort, limit: 100 }));
    expect(new Set(inPages).size).toBe(100);
  });

  it('name whoever stays once, though others come and go in between', () => {
    const first = pageOf(everybody, { sort: 'idle', limit: 50 });
    const seen = new Set(first.users.map(({ userId }) => userId));
    const changed = [
      ...everybody.filter(({ summary }) => !seen.has(summary.userId)),
      user('new-1', 3, -5),
      user('new-2', 3, 99),
    ];
    const second = pageOf(changed, { sort: 'idle', limit: 100, cursor: first.nextCursor ?? undefined });
    expect(second.users.map(({ userId }) => userId).filter((id) => seen.has(id))).toEqual([]);
    expect(second.users).toHaveLength(51);
  });

  it('have the fullest first', () => {
    expect(pageOf(everybody, { sort: 'usage', limit: 3 }).users.map(({ userId }) => userId)).toEqual([
      'user-06',
      'user-13',
      'user-20',
    ]);
  });

  it('find a part of an id in any case, and count all that match', () => {
    const page = pageOf([user('Ada', 1), user('adam', 2), user('bob', 3)], { sort: 'id', limit: 1, search: 'ADA' });
    expect([page.users.map(({ userId }) => userId), page.total]).toEqual([['Ada'], 2]);
  });

  it.each([
    'zzz',
    '',
    'W10',
    Buffer.from('["id",0,"x"]').toString('base64url'),
    Buffer.from('["usage","0","x"]').toString('base64url'),
  ])('refuse %o for a cursor', (cursor) => {
    expect(() => pageOf(everybody, { sort: 'usage', limit: 5, cursor })).toThrow(/cursor: is no cursor of this list/);
  });
});

describe('over the API', () => {
  it('a level is filtered by, and the list tells waiting and held', async () => {
    const { h, api } = desk({}, { config: { maxManagersPerUser: 5 } });
    const [first] = await h.fill('ada', 5, remote);
    await h.fill('bob', 1, remote);
    first!.manager.hold();
    h.wait('ada', 'thread_new');
    const { body } = await api('/users?level=emergency');
    expect(body).toMatchObject({
      total: 1,
      users: [{ userId: 'ada', managerCount: 5, held: 1, waiting: 1, alertLevel: 'emergency' }],
    });
    await h.time.advance(5_000);
  });
});
