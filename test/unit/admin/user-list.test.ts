import { describe, expect, it } from 'vitest';
import type { CountedUser, Sorting } from '../../../src/admin/census.js';
import { pageOf, type ListRequest } from '../../../src/admin/user-list.js';
import { remote } from '../../core/support.js';
import { testAdmin } from './support.js';

/** As counted for a list by usage, unless another rank is given. */
function user(userId: string, managerCount: number, rank = -managerCount / 20): CountedUser {
  const usageRatio = managerCount / 20;
  return { resources: { userId, managerCount, usageRatio, alertLevel: 'normal', maxManagers: 20 }, rank };
}

const ranks: Record<Sorting, (index: number) => number | undefined> = {
  usage: () => undefined,
  idle: (i) => (i * 37) % 50,
  id: () => 0,
};

const everybody = (sort: Sorting): CountedUser[] =>
  Array.from({ length: 100 }, (_, i) => user(`user-${String(i).padStart(2, '0')}`, i % 7, ranks[sort](i)));

const idsOf = ({ users }: { readonly users: readonly CountedUser[] }): string[] =>
  users.map(({ resources }) => resources.userId);

function walk(users: readonly CountedUser[], request: Omit<ListRequest, 'cursor'>): string[] {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = pageOf(users, { ...request, cursor });
    seen.push(...idsOf(page));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return seen;
}

describe('pages', () => {
  it.each<Sorting>(['usage', 'idle', 'id'])('sorted by %s name everybody once, in the order of all at once', (sort) => {
    const inPages = walk(everybody(sort), { sort, limit: 7 });
    expect(inPages).toEqual(walk(everybody(sort), { sort, limit: 100 }));
    expect(new Set(inPages).size).toBe(100);
  });

  it('name whoever stays once, though others come and go in between', () => {
    const first = pageOf(everybody('idle'), { sort: 'idle', limit: 50 });
    const seen = new Set(idsOf(first));
    const changed = [
      ...everybody('idle').filter(({ resources }) => !seen.has(resources.userId)),
      user('new-1', 3, -5),
      user('new-2', 3, 99),
    ];
    const second = pageOf(changed, { sort: 'idle', limit: 100, cursor: first.nextCursor ?? undefined });
    expect(idsOf(second).filter((id) => seen.has(id))).toEqual([]);
    expect(second.users).toHaveLength(51);
  });

  it('have the fullest first', () => {
    expect(idsOf(pageOf(everybody('usage'), { sort: 'usage', limit: 3 }))).toEqual(['user-06', 'user-13', 'user-20']);
  });

  it('find a part of an id in any case, and count all that match', () => {
    const page = pageOf([user('Ada', 1, 0), user('adam', 2, 0), user('bob', 3, 0)], {
      sort: 'id',
      limit: 1,
      search: 'ADA',
    });
    expect([idsOf(page), page.total]).toEqual([['Ada'], 2]);
  });

  it.each([
    'zzz',
    '',
    'W10',
    Buffer.from('["id",0,"x"]').toString('base64url'),
    Buffer.from('["usage","0","x"]').toString('base64url'),
  ])('refuse %o for a cursor', (cursor) => {
    expect(() => pageOf(everybody('usage'), { sort: 'usage', limit: 5, cursor })).toThrow(
      /cursor: is no cursor of this list/,
    );
  });
});

describe('over the API', () => {
  it('a level is filtered by, and the list tells waiting and held', async () => {
    const { h, api } = testAdmin({}, { config: { maxManagersPerUser: 5 } });
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
