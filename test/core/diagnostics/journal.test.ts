import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { coreEvents } from '../../../src/core/event-table.js';
import { EventStream, type MooringEvent } from '../../../src/core/events.js';
import { Journal, journalledIn, maxPerUser } from '../../../src/core/diagnostics/journal.js';
import { edgeEvents } from '../../../src/events/edge-events.js';
import { harness, isMutating, remote, silent } from '../support.js';

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
    expect(h.mooring.journal.isKept).toBe(true);
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

  it.skipIf(isMutating)('counts the longer texts of an entry: with long ids it keeps fewer users', async () => {
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

  it('has the cleanups of a level that failed', () => {
    const events = new EventStream(() => 0);
    const journal = new Journal(events, MiB);
    events.emit('cleanup.failed', { userId: 'ada', trigger: 'level', error: 'Error: no' });
    expect(journal.of('ada')).toMatchObject([{ type: 'cleanup.failed', trigger: 'level' }]);
  });

  it('has what operators did to a user, and nothing of what concerned no user', () => {
    const events = new EventStream(() => 0);
    const said: string[] = [];
    events.onAny(({ type }) => said.push(type));
    const journal = new Journal(events, MiB, edgeEvents);
    const acted = { who: 'ops', action: 'cleanup', key: null, outcome: 'done', result: 'none' } as const;
    events.emit('admin.acted', { ...acted, userId: null });
    expect([journal.userCount, said]).toEqual([0, ['admin.acted']]);
    events.emit('admin.acted', { ...acted, userId: 'ada' });
    expect(journal.of('ada')).toMatchObject([{ type: 'admin.acted', who: 'ops' }]);
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

describe('the estimate of an entry', () => {
  const leak = { userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1', what: 'socket', releasedForMs: 0 } as const;

  /** The bytes of a journal with what this emits. */
  function bytesAfter(emit: (events: EventStream) => void): number {
    const events = new EventStream(() => 0);
    const journal = new Journal(events, MiB);
    emit(events);
    return journal.bytes;
  }

  it('has two bytes for each character of the id of its user', () => {
    const bytesOf = (userId: string) => bytesAfter((events) => events.emit('ledger.failed', { userId, error: 'no' }));
    expect(bytesOf('x'.repeat(110)) - bytesOf('x'.repeat(10))).toBe(200);
  });

  it('has two bytes for each character of an error', () => {
    const bytesOf = (error: string) => bytesAfter((events) => events.emit('ledger.failed', { userId: 'ada', error }));
    expect(bytesOf('x'.repeat(110)) - bytesOf('x'.repeat(10))).toBe(200);
  });

  it('has two bytes for each character of any other field, so that no new field escapes it', () => {
    const ofLimit = (got: string) =>
      bytesAfter((events) => events.emit('limit.rejected', { userId: 'ada', got, used: 20 }));
    expect(ofLimit('x'.repeat(110)) - ofLimit('x'.repeat(10))).toBe(200);
    const ofKey = (threadId: string) => bytesAfter((events) => events.emit('claim.lost', { ...leak, threadId }));
    expect(ofKey('x'.repeat(110)) - ofKey('x'.repeat(10))).toBe(200);
  });

  it('has the text of fields within fields', () => {
    const bytesOf = (text: string) =>
      bytesAfter((events) => {
        const nested = { ...leak, admittedBy: [], details: { texts: [text], why: text } };
        events.emit('leak.found', nested);
      });
    expect(bytesOf('x'.repeat(1_100)) - bytesOf('x'.repeat(100))).toBe(2 * 2_000);
  });

  it('has the bytes of a line of text for each frame of a stack', () => {
    const bytesOf = (frames: number) =>
      bytesAfter((events) => {
        events.emit('leak.found', { ...leak, admittedBy: Array.from({ length: frames }, () => 'at main.ts:1:1') });
      });
    expect(bytesOf(5) - bytesOf(0)).toBeGreaterThanOrEqual(5 * 100);
  });

  it('is of hundreds of bytes without any text', () => {
    expect(bytesAfter((events) => events.emit('limit.rejected', { userId: '', got: '', used: 1 }))).toBeGreaterThan(
      500,
    );
  });
});

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

  it('is used to the last byte', () => {
    const { journal, note } = scribe(MiB);
    note('ada');
    for (const [maxBytes, userCount] of [
      [journal.bytes, 1],
      [journal.bytes - 1, 0],
    ] as const) {
      const other = scribe(maxBytes);
      other.note('ada');
      expect(other.journal.userCount).toBe(userCount);
    }
  });

  it('is given back by entries that later ones displaced', () => {
    const { journal, note } = scribe(MiB);
    for (let time = 1; time <= maxPerUser; time++) note('ada');
    const { bytes } = journal;
    for (let time = 1; time <= 2 * maxPerUser; time++) note('ada');
    expect(journal.bytes).toBe(bytes);
  });

  it('is taken from the user who was written of longest ago, also after one of the others came back', () => {
    const one = scribe(MiB);
    one.note('u1');
    const { journal, note } = scribe(5 * one.journal.bytes);
    const kept = (): string[] => users.filter((userId) => journal.of(userId).length > 0);
    const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', 'u8', 'u9', 'ua'];
    const seen = users.slice(0, 4).map((userId) => (note(userId), kept().length));
    expect(seen).toEqual([1, 2, 3, 4]);
    note('u2');
    note('u5');
    expect(kept()).toEqual(['u2', 'u3', 'u4', 'u5']);
    note('u6');
    expect(kept()).toEqual(['u2', 'u4', 'u5', 'u6']);
    note('u7');
    expect(kept()).toEqual(['u2', 'u5', 'u6', 'u7']);
    note('u8');
    expect(kept()).toEqual(['u5', 'u6', 'u7', 'u8']);
    note('u9');
    expect(kept()).toEqual(['u5', 'u6', 'u7', 'u8', 'u9']);
    note('ua');
    expect(kept()).toEqual(['u6', 'u7', 'u8', 'u9', 'ua']);
  });

  it.skipIf(isMutating)('is really no more than is said', () => {
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
