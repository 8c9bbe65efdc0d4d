import { describe, expect, it } from 'vitest';
import { harness, remote, type Harness } from '../support.js';

/** Users who hold all they may. */
async function full(users: readonly string[], maxUnadmittedSockets: number, maxManagersPerUser = 5): Promise<Harness> {
  const h = harness({ config: { maxUnadmittedSockets, maxManagersPerUser } });
  for (const userId of users) await h.fill(userId, maxManagersPerUser, remote);
  return h;
}

describe('newcomers that wait', () => {
  it('of one user are at most a quarter of all that may wait', async () => {
    const h = await full(['ada'], 12);
    for (const thread of ['a', 'b', 'c']) h.wait('ada', `thread_${thread}`);
    expect(h.refusal('ada', 'thread_d')).toMatchObject({ closeCause: 'capacity', code: 'capacity.exceeded' });
    expect(h.mooring.waitingCountOf('ada')).toBe(3);
  });

  it('of one user keep nobody else from waiting', async () => {
    const h = await full(['ada', 'bob'], 12);
    for (const thread of ['a', 'b', 'c']) h.wait('ada', `thread_${thread}`);
    h.wait('bob', 'thread_a');
    expect(h.mooring.waitingCount).toBe(4);
  });

  it('are no more in all than may be unauthenticated', async () => {
    const users = ['ada', 'bob', 'cyd', 'dan', 'eve'];
    const h = await full(users, 4);
    for (const userId of users.slice(0, 4)) h.wait(userId, 'thread_a');
    expect(h.refusal('eve', 'thread_a').closeCause).toBe('capacity');
  });

  it('are replaced by a newer connection of their thread however many wait', async () => {
    const h = await full(['ada'], 4);
    const older = h.wait('ada', 'thread_a');
    h.wait('ada', 'thread_a');
    expect((await older.settled).refusal?.closeCause).toBe('replaced');
    expect(h.mooring.waitingCount).toBe(1);
  });

  it('make room when they leave', async () => {
    const h = await full(['ada'], 4);
    h.wait('ada', 'thread_a').cancel();
    h.wait('ada', 'thread_b');
  });

  it('are unlimited where sockets are', async () => {
    const h = harness({ config: { maxManagersPerUser: 300 } });
    await h.fill('ada', 300, remote);
    for (let i = 0; i < 300; i++) h.wait('ada', `thread_a${i}`);
    expect(h.mooring.waitingCount).toBe(300);
  });
});

describe('newcomers that wait for the answer of a connection they would replace', () => {
  const fought = async (threads: readonly string[]) => {
    const config = { maxUnadmittedSockets: 8, maxManagersPerUser: 5, takeoverFightLimit: 1 };
    const h = harness({ config });
    for (const thread of threads) for (let i = 0; i < 2; i++) await h.connect('ada', thread, remote);
    return h;
  };

  it('count as waiting, until the answer is there', async () => {
    const h = await fought(['thread_1', 'thread_2', 'thread_3']);
    const first = h.wait('ada', 'thread_1');
    h.wait('ada', 'thread_2');
    expect(h.refusal('ada', 'thread_3').closeCause).toBe('capacity');
    await h.time.advance(2_000);
    expect((await first.settled).refusal?.closeCause).toBe('contested');
    h.wait('ada', 'thread_3');
    h.wait('ada', 'thread_2').cancel();
    h.wait('ada', 'thread_2');
  });

  it('and for a place, count together', async () => {
    const h = await fought(['thread_1', 'thread_2', 'thread_3', 'thread_4', 'thread_5']);
    h.wait('ada', 'thread_1');
    h.wait('ada', 'thread_6');
    expect(h.refusal('ada', 'thread_7').closeCause).toBe('capacity');
    expect(h.refusal('ada', 'thread_2').closeCause).toBe('capacity');
    expect(h.mooring.waitingCountOf('ada')).toBe(1);
  });
});
