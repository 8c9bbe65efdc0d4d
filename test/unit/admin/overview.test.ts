import { describe, expect, it } from 'vitest';
import { createAdmin } from '../../../src/admin/admin.js';
import { afterThisTest } from '../../support/setup.js';
import { harness, remote } from '../../core/support.js';
import { testAdmin, envOf, requestOf, type TestAdmin } from './support.js';

/** Counted as they come and go; looked at one by one, they are as many. */
async function connectionsAt({ h, api }: TestAdmin): Promise<unknown> {
  const { body } = await api('/overview');
  const attached = [...h.mooring.managersByUser()]
    .flatMap(([, managers]) => [...managers.values()])
    .filter(({ connection }) => connection !== null);
  expect(body).toMatchObject({ connections: attached.length });
  return attached.length;
}

describe('the overview', () => {
  it('tells connections as they open, are replaced and close, and no slots that are only reserved', async () => {
    const counted = testAdmin();
    const clients = await counted.h.fill('ada', 3, remote);
    expect(await connectionsAt(counted)).toBe(3);
    const ticket = counted.h.ticket('bob', 'thread_1');
    expect(await connectionsAt(counted)).toBe(3);
    counted.h.open(ticket);
    await counted.h.connect('ada', 'thread_1', remote);
    expect(await connectionsAt(counted)).toBe(4);
    counted.h.ticket('cid', 'thread_1');
    await counted.h.time.advance(15_000);
    expect([await connectionsAt(counted), counted.h.said('manager.released')]).toMatchObject([
      4,
      [{ reason: 'unattached' }],
    ]);
    clients[1]?.transport.vanish();
    counted.h.mooring.releaseAll('bob');
    expect(await connectionsAt(counted)).toBe(2);
  });

  it('tells those who were there before the API', async () => {
    const h = harness();
    await h.fill('ada', 2, remote);
    h.ticket('bob', 'thread_1');
    const admin = createAdmin({ mooring: h.mooring, access: 'loopback' });
    afterThisTest(() => {
      admin.close();
    });
    const answer = await admin.fetch(requestOf('/api/v1/overview', {}), envOf({}));
    expect(await answer.json()).toMatchObject({ connections: 2, managers: 3, users: 2 });
  });

  it('tells how many users are at each level', async () => {
    const { h, api } = testAdmin();
    for (const [userId, count] of Object.entries({ ada: 1, bob: 12, cid: 13, dan: 20 })) await h.fill(userId, count);
    const usersByLevel = { normal: 1, info: 0, warning: 2, critical: 0, emergency: 1 };
    expect((await api('/overview')).body).toMatchObject({ users: 4, usersByLevel });
  });
});

describe('the list of users', () => {
  it('is in the order of what was counted, and says of each what is so now', async () => {
    const { h, api } = testAdmin();
    await h.fill('ada', 2, remote);
    await h.time.advance(30_000);
    const [first] = await h.fill('bob', 3, remote);
    await h.time.advance(10_000);
    const byIdle = (await api('/users?sort=idle')).body as { users: { userId: string; longestIdleMs: number }[] };
    expect(byIdle.users.map(({ userId, longestIdleMs }) => [userId, longestIdleMs])).toEqual([
      ['ada', 40_000],
      ['bob', 10_000],
    ]);
    expect((await api('/users?sort=usage')).body).toMatchObject({ users: [{ userId: 'bob' }, { userId: 'ada' }] });
    first?.manager.hold();
    h.mooring.releaseAll('ada');
    expect((await api('/users?sort=usage')).body).toMatchObject({
      users: [
        { userId: 'bob', held: 1, idleMs: 0, longestIdleMs: 10_000 },
        { userId: 'ada', held: 0, idleMs: 0, longestIdleMs: 0 },
      ],
    });
  });
});
