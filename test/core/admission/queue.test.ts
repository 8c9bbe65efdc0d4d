import { describe, expect, it } from 'vitest';
import { harness, remote, seeded, silent, type Arrival, type Client, type Harness } from '../support.js';

const admittedOf = (arrivals: readonly Arrival[]) => arrivals.filter(({ outcome }) => outcome?.refusal === null);
const refusedOf = (arrivals: readonly Arrival[]) =>
  arrivals.filter(({ outcome }) => outcome?.refusal?.code === 'quota.exceeded');

/** A user at a limit of `limit` with all managers in use, and `waiting` newcomers behind them. */
async function crowd(limit: number, waiting: number) {
  const h = harness({ config: { maxManagersPerUser: limit } });
  const clients = await h.fill('ada', limit, remote);
  return { h, clients, newcomers: arrive(h, waiting) };
}

function arrive(h: Harness, count: number, prefix = 'new'): Arrival[] {
  return Array.from({ length: count }, (_, i) => h.arrive('ada', `thread_${prefix}${i + 1}`, remote));
}

describe('at the limit', () => {
  it('a newcomer waits', async () => {
    const { h, newcomers } = await crowd(1, 1);
    expect(newcomers[0]!.outcome).toBeNull();
    expect(h.said('admission.queued')).toMatchObject([{ threadId: 'thread_new1', position: 1 }]);
    expect(h.countOf('ada')).toBe(1);
  });

  it('a freed slot is handed to the head of the queue inside the call that frees it', async () => {
    const { h, clients } = await crowd(2, 2);
    h.mooring.release(clients[0]!.manager.key);
    expect(h.threadsOf('ada')).toEqual(['thread_2', 'thread_new1']);
  });

  it('first come is first served', async () => {
    const { h, clients } = await crowd(3, 3);
    for (const { transport } of clients) transport.vanish();
    await h.time.settle();
    expect(h.threadsOf('ada')).toEqual(['thread_new1', 'thread_new2', 'thread_new3']);
  });

  it('whoever was served is told how long it waited', async () => {
    const { h, clients } = await crowd(1, 1);
    await h.time.advance(10);
    clients[0]!.transport.vanish();
    expect(h.said('manager.admitted').at(-1)).toMatchObject({ threadId: 'thread_new1', waitedMs: 10 });
  });

  it('those that wait are counted, of all users, until they are served or leave', async () => {
    const { h, clients, newcomers } = await crowd(2, 2);
    await h.fill('grace', 2, remote);
    const graces = h.wait('grace', 'thread_new');
    expect(h.mooring.waitingCount).toBe(3);
    h.arrive('ada', 'thread_new2', remote);
    expect(h.mooring.waitingCount, 'a key has one place').toBe(3);
    clients[0]!.transport.vanish();
    expect(h.mooring.waitingCount).toBe(2);
    graces.cancel();
    graces.cancel();
    expect(h.mooring.waitingCount).toBe(1);
    await h.stop();
    expect(h.mooring.waitingCount).toBe(0);
    expect(newcomers.every(({ outcome }) => outcome !== null)).toBe(true);
  });

  it.each([1, 2, 20])('of %i there are as many places, and more are refused at once', async (limit) => {
    const { h, newcomers } = await crowd(limit, limit);
    expect(newcomers.every(({ outcome }) => outcome === null)).toBe(true);
    expect(h.refusal('ada', 'thread_late').code).toBe('quota.exceeded');
  });

  it('a newcomer queues while places exist, though there be room', async () => {
    let limit = 2;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_first', remote);
    limit = 20;
    const late = h.wait('ada', 'thread_late');
    expect(h.said('admission.queued').at(-1)).toMatchObject({ threadId: 'thread_late', position: 2 });
    late.cancel();
  });

  it('a takeover passes the queue', async () => {
    const { h } = await crowd(1, 1);
    expect((await h.connect('ada', 'thread_1', remote)).connection.generation).toBe(2);
  });
});

describe('a second newcomer of a key that waits', () => {
  const contested = async () => {
    const { h, clients, newcomers } = await crowd(2, 2);
    const again = h.arrive('ada', 'thread_new1', remote);
    await h.time.settle();
    return { h, clients, first: newcomers[0]!, second: newcomers[1]!, again };
  };

  it('takes the place over and keeps its position', async () => {
    const { h, clients, again, second } = await contested();
    expect(h.said('admission.queued').at(-1)).toMatchObject({ threadId: 'thread_new1', position: 1 });
    clients[0]!.transport.vanish();
    await h.time.settle();
    expect(again.outcome?.refusal).toBeNull();
    expect(second.outcome).toBeNull();
  });

  it('ends the former with 4409 replaced', async () => {
    const { h, first } = await contested();
    expect(first.outcome?.refusal?.code).toBe('key.replaced');
    expect(first.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(h.said('admission.refused')).toMatchObject([{ threadId: 'thread_new1', code: 'key.replaced' }]);
  });

  it('is refused by no run that began before it came, and by the next', async () => {
    const { h, first, again } = await contested();
    const codes = () => [first, again].map(({ outcome }) => outcome?.refusal?.code);
    await h.time.advance(20);
    expect(codes()).toEqual(['key.replaced', undefined]);
    await h.time.advance(1_020);
    expect(codes()).toEqual(['key.replaced', 'quota.exceeded']);
  });

  it('needs no further place', async () => {
    const { h } = await contested();
    expect(h.refusal('ada', 'thread_new3').code).toBe('quota.exceeded');
    h.wait('ada', 'thread_new2').cancel();
  });

  it('leaves its place alone when the former gives up late', async () => {
    const { h, clients, first, again } = await contested();
    first.vanish();
    clients[0]!.transport.vanish();
    await h.time.settle();
    expect(again.outcome?.refusal).toBeNull();
  });
});

describe('a newcomer whose user may have no connection any longer', () => {
  it('evicts nobody, and is refused', async () => {
    let limit = 2;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 2, remote);
    await h.time.advance(100_000);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    limit = 0;
    await h.time.advance(8_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.countOf('ada')).toBe(2);
  });
});

describe('a run', () => {
  it('refuses at its end those that waited when it began', async () => {
    const { h, newcomers } = await crowd(2, 1);
    await h.time.advance(19);
    expect(newcomers[0]!.outcome).toBeNull();
    await h.time.advance(1);
    expect(newcomers[0]!.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('leaves those that came after it began to the next', async () => {
    const { h } = await crowd(2, 1);
    await h.time.advance(10);
    const late = h.arrive('ada', 'thread_late', remote);
    await h.time.advance(1_009);
    expect(late.outcome).toBeNull();
    await h.time.advance(1);
    expect(late.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('begins at least a second after the one before', async () => {
    const { h } = await crowd(4, 0);
    for (let i = 0; i < 60; i++) {
      h.arrive('ada', `thread_new${i}`, remote);
      await h.time.advance(90);
    }
    const starts = h.said('cleanup.completed').flatMap(({ atMs, durationMs, trigger }) => {
      return trigger === 'admission' ? [atMs - durationMs] : [];
    });
    expect(starts.length).toBeGreaterThan(4);
    for (const [i, start] of starts.slice(1).entries()) expect(start - starts[i]!).toBeGreaterThanOrEqual(1_000);
  });

  it('of one user does not hold up the run of another', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    await h.connect('bob', 'thread_1', remote);
    const arrivals = ['ada', 'bob'].map((userId) => h.arrive(userId, 'thread_2', remote));
    await h.time.advance(20);
    expect(arrivals.map(({ outcome }) => outcome?.refusal?.code)).toEqual(['quota.exceeded', 'quota.exceeded']);
  });
});

describe('a newcomer that vanishes while it waits', () => {
  it('gives its place back', async () => {
    const { h, newcomers } = await crowd(1, 1);
    newcomers[0]!.vanish();
    await h.time.settle();
    expect(newcomers[0]!.outcome?.refusal?.code).toBe('admission.cancelled');
    expect(h.said('admission.cancelled')).toMatchObject([{ threadId: 'thread_new1' }]);
    h.wait('ada', 'thread_new2').cancel();
  });

  it('leaves the order of the others', async () => {
    const { h, clients, newcomers } = await crowd(20, 20);
    for (const [i, newcomer] of newcomers.entries()) if (i % 2 === 0) newcomer.vanish();
    for (const { transport } of clients.slice(0, 10)) transport.vanish();
    await h.time.settle();
    expect(admittedOf(newcomers)).toEqual(newcomers.filter((_, i) => i % 2 === 1));
    expect(h.countOf('ada')).toBe(20);
    expect(h.said('manager.admitted')).toHaveLength(30);
  });

  it('returns a slot that was granted in the same moment, to the next in line', async () => {
    const { h, clients, newcomers } = await crowd(2, 2);
    clients[0]!.transport.vanish();
    newcomers[0]!.vanish();
    await h.time.settle();
    expect(h.threadsOf('ada')).toEqual(['thread_2', 'thread_new2']);
    expect(newcomers.map(({ outcome }) => outcome?.refusal?.code)).toEqual(['admission.cancelled', undefined]);
  });

  it('passes the slot on even if only its socket says so', async () => {
    const { h, clients, newcomers } = await crowd(2, 2);
    newcomers[0]!.transport.vanish();
    clients[0]!.transport.vanish();
    await h.time.settle();
    expect(h.threadsOf('ada')).toEqual(['thread_2', 'thread_new2']);
  });

  it('leaves no timer when it was the only one', async () => {
    const { h, clients, newcomers } = await crowd(1, 1);
    newcomers[0]!.vanish();
    clients[0]!.transport.vanish();
    await h.time.advance(120_000);
    expect(h.time.pendingTimers).toBe(0);
  });

  it('may say so before it was queued, and more than once', async () => {
    const { h } = await crowd(1, 0);
    const place = h.wait('ada', 'thread_new');
    place.cancel();
    place.cancel();
    expect((await place.settled).refusal?.code).toBe('admission.cancelled');
    expect(h.said('admission.cancelled')).toHaveLength(1);
  });
});

describe('a storm: 200 newcomers at once at 20 of 20, 5 of them dead', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'admits the first 5 in order and refuses the rest, time and again (seed %i)',
    async (seed) => {
      const h = harness({ seed });
      const random = seeded(seed);
      let clients = await h.fill('ada', 20, remote);
      await h.time.advance(100);
      for (const { transport } of clients) transport.pongAfterMs = 1 + Math.floor(random() * 200);
      for (let round = 0; round < 5; round++) {
        const dead = pick(clients, 5, random);
        for (const { transport } of dead) transport.fallSilent();
        const newcomers = arrive(h, 200, `round${round}_`);
        await h.time.advance(5_000);
        expect(admittedOf(newcomers)).toEqual(newcomers.slice(0, 5));
        expect(refusedOf(newcomers)).toEqual(newcomers.slice(5));
        expect(h.countOf('ada')).toBe(20);
        clients = [...clients.filter((client) => !dead.includes(client)), ...admittedOf(newcomers).map(asClient)];
      }
      expect(h.said('manager.released').every(({ reason }) => reason === 'disconnected')).toBe(true);
    },
  );

  it('grants in the order of arrival', async () => {
    const h = harness();
    const clients = await h.fill('ada', 20, remote);
    await h.time.advance(100);
    for (const { transport } of clients.slice(0, 5)) transport.fallSilent();
    const newcomers = arrive(h, 200);
    await h.time.advance(5_000);
    const threads = newcomers.slice(0, 5).map(({ context }) => context.threadId);
    expect(
      h
        .said('manager.admitted')
        .slice(20)
        .map(({ threadId }) => threadId),
    ).toEqual(threads);
  });

  it('refuses those beyond the places at once', async () => {
    const h = harness();
    await h.fill('ada', 20, silent);
    const newcomers = arrive(h, 200);
    await h.time.settle();
    expect(refusedOf(newcomers)).toEqual(newcomers.slice(20));
  });
});

function pick<T>(from: readonly T[], count: number, random: () => number): T[] {
  const rest = [...from];
  return Array.from({ length: count }, () => rest.splice(Math.floor(random() * rest.length), 1)[0]!);
}

function asClient({ transport, context, outcome }: Arrival): Client {
  if (!outcome?.connection) throw new Error('not admitted');
  return { transport, context, connection: outcome.connection, manager: outcome.manager };
}
