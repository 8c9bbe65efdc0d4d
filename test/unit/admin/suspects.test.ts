import { describe, expect, it } from 'vitest';
import type { ManagerView, Overview, UserPage, UserView } from '../../../src/admin/schemas.js';
import { remote, silent } from '../../core/support.js';
import { testAdmin, type TestAdmin } from './support.js';

const bodyOf = async <T>({ api }: TestAdmin, path: string): Promise<T> => (await api(path)).body as T;

/** A user of three, whose last two fell silent so long ago and left both pings of a dry run unanswered. */
async function twoSuspects(silentForMs = 20_000) {
  const on = testAdmin();
  const clients = await on.h.fill('ada', 3, remote);
  for (const { connection } of clients) connection.roundTripMs = 20;
  for (const { transport } of clients.slice(1)) transport.fallSilent();
  await on.h.time.advance(silentForMs);
  const dry = on.h.mooring.previewEmergencyCleanup('ada');
  await on.h.time.advance(5_000);
  expect((await dry).chosen).toHaveLength(2);
  const managers = async (): Promise<readonly ManagerView[]> => (await bodyOf<UserView>(on, '/users/ada')).managers;
  return { on, clients, managers };
}

describe('a suspect', () => {
  it('is named, with how long it has not answered and when the heartbeat ends it at the latest', async () => {
    const { on, clients, managers } = await twoSuspects();
    const seen = await managers();
    expect(seen.map(({ liveness }) => liveness)).toEqual(['heard', 'suspect', 'suspect']);
    expect(seen[0]?.suspect).toBeNull();
    const { unansweredMs, endsInMs } = seen[1]!.suspect!;
    expect(unansweredMs).toBeGreaterThanOrEqual(3_000);
    expect(unansweredMs).toBeLessThanOrEqual(25_000);
    expect(await bodyOf<ManagerView>(on, '/managers/ada:thread_2')).toMatchObject({ suspect: seen[1]?.suspect });
    await on.h.time.advance(endsInMs! - 30_000);
    expect(clients[1]!.manager.isReleased).toBe(false);
    await on.h.time.advance(30_001);
    expect(clients[1]!.manager.isReleased).toBe(true);
    expect(on.h.said('manager.released')[0]).toMatchObject({ by: 'heartbeat', finding: 'silent' });
  });

  it.each([0, 1_000, 7_000, 24_000, 40_000])(
    'that fell silent %i ms before is ended no later than was said, and not a second sooner',
    async (silentForMs) => {
      const { on, clients, managers } = await twoSuspects(silentForMs);
      const [, { suspect } = { suspect: null }] = await managers();
      const saidMs = suspect!.endsInMs!;
      let tookMs = 0;
      while (!clients[1]!.manager.isReleased) {
        await on.h.time.advance(250);
        tookMs += 250;
      }
      expect(tookMs).toBeLessThanOrEqual(saidMs + 250);
      expect(tookMs).toBeGreaterThan(saidMs - 1_000);
    },
  );

  it('that still has data to take is not said when to end', async () => {
    const { clients, managers } = await twoSuspects();
    clients[1]!.transport.unsentBytes = 100;
    expect((await managers())[1]).toMatchObject({ liveness: 'suspect', suspect: { endsInMs: null } });
  });

  it('is none any longer once a byte comes', async () => {
    const { on, clients, managers } = await twoSuspects();
    clients[1]!.transport.message();
    expect((await managers()).map(({ liveness, suspect }) => [liveness, suspect === null])).toEqual([
      ['heard', true],
      ['heard', true],
      ['suspect', false],
    ]);
    expect(await bodyOf<Overview>(on, '/overview')).toMatchObject({ suspects: 1 });
  });

  it('is counted, of each user and in all', async () => {
    const { on } = await twoSuspects();
    await on.h.fill('bob', 1, remote);
    const { users } = await bodyOf<UserPage>(on, '/users?sort=id');
    expect(users.map(({ userId, suspects }) => [userId, suspects])).toEqual([
      ['ada', 2],
      ['bob', 0],
    ]);
    expect(await bodyOf<Overview>(on, '/overview')).toMatchObject({ suspects: 2, managers: 4 });
  });

  it('is told with the journal of its user, too', async () => {
    const { on } = await twoSuspects();
    const { suspects } = await bodyOf<{ suspects: { threadId: string }[] }>(on, '/users/ada/journal');
    expect(suspects.map(({ threadId }) => threadId)).toEqual(['thread_2', 'thread_3']);
  });
});

describe('who is no suspect', () => {
  it('has missed a heartbeat, but was asked by nobody who waits', async () => {
    const on = testAdmin();
    await on.h.fill('ada', 1, silent);
    await on.h.time.advance(45_000);
    const { managers } = await bodyOf<UserView>(on, '/users/ada');
    expect(managers).toMatchObject([{ liveness: 'unanswered', suspect: null }]);
  });
});

describe('unsent bytes', () => {
  it('are told in sum, with the most that wait for one, as of the last heartbeats', async () => {
    const on = testAdmin();
    const clients = await on.h.fill('ada', 3, remote);
    expect(await bodyOf<Overview>(on, '/overview')).toMatchObject({ unsentBytes: { sum: 0, largest: 0 } });
    clients[0]!.transport.unsentBytes = 1_000;
    clients[1]!.transport.unsentBytes = 50_000;
    await on.h.time.advance(26_000);
    expect(await bodyOf<Overview>(on, '/overview')).toMatchObject({ unsentBytes: { sum: 51_000, largest: 50_000 } });
    clients[1]!.transport.vanish();
    expect(await bodyOf<Overview>(on, '/overview')).toMatchObject({ unsentBytes: { sum: 1_000, largest: 1_000 } });
  });
});
