import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { coreEvents } from '../../../src/core/event-table.js';
import { EventStream, type MooringEvent } from '../../../src/core/events.js';
import { Journal, journalledIn, maxPerUser } from '../../../src/core/diagnostics/journal.js';
import { harness, remote, silent } from '../support.js';

const MiB = 2 ** 20;
const kept = { journalBytes: 24 * MiB };

describe('a journal', () => {
  it('keeps nothing unless it is told how much it may take', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.journal.isKept).toBe(false);
    expect(h.mooring.journal.of('ada')).toEqual([]);
  });

  it('tells what was decided about a user in order, with the figures, after the user has gone too', async () => {
    const h = harness({ config: kept });
    await h.connect('ada', 'thread_1', silent);
    await h.time.advance(80_000);
    expect(h.countOf('ada')).toBe(0);
    expect(h.mooring.journal.of('ada')).toMatchObject([
      { type: 'manager.admitted', threadId: 'thread_1', managerCount: 1 },
      { type: 'heartbeat.missed', misses: 1 },
      { type: 'heartbeat.missed', misses: 2 },
      { type: 'manager.released', reason: 'disconnected', by: 'heartbeat', limitMs: null },
    ]);
  });

  it('has all else the stream says of a user, apart from sockets attached', async () => {
    const h = harness({ config: { ...kept, maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_3', remote);
    await h.time.advance(2_000);
    const said = h.events.filter(
      (event) => 'userId' in event && event.type !== 'connection.opened' && !isEmptyLevelCleanup(event),
    );
    expect(h.mooring.journal.of('ada')).toEqual(said);
    const types = new Set(said.map(({ type }) => type));
    for (const type of types) expect(journalledIn(coreEvents)).toContain(type);
  });

  it('counts the longer texts of an entry: with long ids it keeps fewer users', async () => {
    const usersKept = async (length: number): Promise<number> => {
      const h = harness({ config: { journalBytes: MiB } });
      const name = 'u'.repeat(length);
      for (let i = 0; i < 3_000; i++) {
        const { connection } = await h.connect(`${name}${i}`, `thread_${name}`, remote);
        connection.closed();
      }
      return Array.from({ length: 3_000 }, (_, i) => h.mooring.journal.of(`${name}${i}`)).filter(
        (entries) => entries.length > 0,
      ).length;
    };
    const [short, long] = [await usersKept(1), await usersKept(200)];
    expect(long).toBeGreaterThan(0);
    expect(short).toBeGreaterThan(2 * long);
  });

  it('is not filled by a level that stays and finds nobody to release', async () => {
    const h = harness({ config: { ...kept, maxManagersPerUser: 5 } });
    const clients = await h.fill('ada', 5, remote);
    for (let minute = 0; minute < 30; minute++) {
      for (const { transport } of clients) transport.message();
      await h.time.advance(60_000);
    }
    expect(h.said('cleanup.completed').length).toBeGreaterThan(20);
    expect(h.mooring.journal.of('ada').map(({ type }) => type)).not.toContain('cleanup.completed');
  });

  it('has the cleanups of a level that released somebody', async () => {
    const h = harness({ config: { ...kept, maxManagersPerUser: 5, idleManagerTimeoutMs: 600_000 } });
    await h.fill('ada', 2, remote);
    await h.time.advance(250_000);
    for (const thread of [3, 4]) await h.connect('ada', `thread_${thread}`, remote);
    const cleanups = h.mooring.journal.of('ada').filter(({ type }) => type === 'cleanup.completed');
    expect(cleanups).toMatchObject([{ trigger: 'level', byStrategy: { idle: 2 } }]);
  });

  it('knows nothing of strangers', () => {
    const h = harness({ config: kept });
    expect(h.mooring.journal.of('nobody')).toEqual([]);
  });

  it('never takes another user for one whose id begins alike', async () => {
    const h = harness({ config: kept });
    await h.connect('a:b', 'thread_1', remote);
    expect(h.mooring.journal.of('a')).toEqual([]);
  });
});

const isEmptyLevelCleanup = (event: MooringEvent): boolean =>
  event.type === 'cleanup.completed' && event.trigger === 'level' && event.cleaned === 0;

/** A stream to fill a journal from, without all that usually speaks. */
function scribe(maxBytes: number) {
  const events = new EventStream(() => 0);
  const journal = new Journal(events, maxBytes);
  const note = (userId: string, waitedMs = 0): void => {
    const threadId = 'thread_1';
    events.emit('manager.admitted', { userId, threadId, key: `${userId}:${threadId}`, managerCount: 1, waitedMs });
  };
  return { journal, note };
}

describe('the room of a journal', () => {
  it('is shared by users: one has at most a hundred entries, the latest', () => {
    const { journal, note } = scribe(MiB);
    for (let time = 1; time <= maxPerUser + 1; time++) note('ada', time);
    const waits = journal.of('ada').map((entry) => (entry.type === 'manager.admitted' ? entry.waitedMs : NaN));
    expect(waits).toEqual(Array.from({ length: maxPerUser }, (_, index) => index + 2));
  });

  it('forgets the users nothing was decided about for the longest time', () => {
    const { journal, note } = scribe(4_000);
    for (const userId of ['ada', 'bob', 'cyd']) note(userId);
    note('ada');
    for (let user = 0; journal.of('bob').length > 0; user++) note(`user-${user}`);
    expect(journal.of('ada')).toHaveLength(2);
    expect(journal.bytes).toBeLessThanOrEqual(4_000);
  });

  it('is counted without loss: a journal of forgotten users is empty', () => {
    const { journal, note } = scribe(100);
    for (let user = 0; user < 50; user++) note(`user-${user}`);
    expect([journal.bytes, journal.userCount]).toEqual([0, 0]);
  });

  it('is not exceeded by an error as long as a book', () => {
    const events = new EventStream(() => 0);
    const journal = new Journal(events, 10_000);
    events.emit('ledger.failed', { userId: 'ada', error: 'x'.repeat(20_000) });
    expect(journal.bytes).toBeLessThanOrEqual(10_000);
  });

  it('is really no more than is said', () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const collect = (): number => {
      gc();
      return process.memoryUsage().heapUsed;
    };
    const before = collect();
    const { journal, note } = scribe(8 * MiB);
    for (let user = 0; user < 100_000; user++) note(`user-${String(user).padStart(31, '0')}`, user);
    const after = collect();
    expect(after - before).toBeLessThan(8 * MiB);
    expect(journal.userCount).toBeGreaterThan(5_000);
  });
});
