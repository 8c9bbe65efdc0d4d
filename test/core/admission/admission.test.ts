import { describe, expect, it } from 'vitest';
import { isPending, MalformedContextError, QuotaExceededError, type LimitOf } from '../../../src/index.js';
import { harness, remote, silent, type Harness } from '../support.js';

describe('below the limit', () => {
  it('admits in the same tick', () => {
    const h = harness();
    const arrival = h.arrive('ada', 'thread_1');
    expect(h.countOf('ada')).toBe(1);
    expect(h.said('connection.opened')).toMatchObject([{ threadId: 'thread_1', generation: 1 }]);
    expect(arrival.transport.closes).toEqual([]);
  });

  it('lets the monitor look after the slot is taken, never before', () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    for (let i = 1; i <= 3; i++) h.ticket('ada', `thread_${i}`);
    const types = h.events.map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['manager.admitted', 'level.changed', 'cleanup.completed']);
    expect(h.said('level.changed').at(-1)).toMatchObject({ managerCount: 3, level: 'warning' });
  });

  it('pings nobody', async () => {
    const h = harness();
    const clients = await h.fill('ada', 15);
    expect(clients.flatMap(({ transport }) => transport.pings)).toEqual([]);
  });

  it("soketi's limit: a burst in one tick does not walk through", async () => {
    const h = harness({ config: { maxManagersPerUser: 4 } });
    const arrivals = Array.from({ length: 50 }, (_, i) => h.arrive('ada', `thread_${i}`, remote));
    expect(h.countOf('ada')).toBe(4);
    await h.time.advance(5_000);
    expect(h.countOf('ada')).toBe(4);
    expect(arrivals.filter(({ outcome }) => outcome?.refusal === null)).toEqual(arrivals.slice(0, 4));
  });

  it('throws for a malformed context', () => {
    const h = harness();
    expect(() => h.admit('ada', 'no-thread')).toThrow(MalformedContextError);
  });
});

describe('the limit', () => {
  it.each([1, 4, 20])('of %i admits as many at once, and the next one waits', async (limit) => {
    const h = harness({ config: { maxManagersPerUser: limit } });
    await h.fill('ada', limit, remote);
    expect(h.countOf('ada')).toBe(limit);
    h.wait('ada', 'thread_next').cancel();
  });

  it('of 0 refuses at once', () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    const refusal = h.refusal('ada', 'thread_1');
    expect(refusal).toBeInstanceOf(QuotaExceededError);
    expect(refusal.close.reason).toMatch(/^quota;retry=\d+\.\d\d;max=0$/);
  });

  it('counts reserved slots', () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    h.ticket('ada', 'thread_1');
    h.wait('ada', 'thread_2').cancel();
  });

  it('pinchy#957: differs between users where the application says so', async () => {
    const h = harness({ limitOf: (userId) => (userId === 'paying' ? 3 : 1) });
    await h.fill('paying', 3, remote);
    await h.fill('free', 1, remote);
    h.wait('paying', 'thread_more').cancel();
    h.wait('free', 'thread_more').cancel();
    expect(h.mooring.monitor.checkUserResources('paying')).toMatchObject({ managerCount: 3, maxManagers: 3 });
  });

  const broken: [string, LimitOf, string][] = [
    ['throws', () => throwing('no database'), 'Error: no database'],
    ['gives NaN', () => NaN, 'NaN'],
    ['gives a fraction', () => 1.5, '1.5'],
    ['gives less than 0', () => -1, '-1'],
    ['gives less than nothing', () => -Infinity, '-Infinity'],
    ['gives a text', () => '3' as unknown as number, '3'],
    ['gives nothing', () => undefined as unknown as number, 'undefined'],
    ['gives a promise', () => Promise.resolve(3) as unknown as number, '[object Promise]'],
    ['gives a promise that rejects', () => Promise.reject(new Error('x')) as unknown as number, '[object Promise]'],
  ];
  it.each(broken)('is the configured one where the function %s', async (_, limitOf, got) => {
    const h = harness({ limitOf, config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    h.wait('ada', 'thread_3').cancel();
    expect(h.said('limit.rejected')[0]).toMatchObject({ userId: 'ada', got, used: 2 });
  });
});

describe('a limit that changes', () => {
  it('evicts nobody when it is lowered', async () => {
    let limit = 4;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 4, remote);
    limit = 1;
    await h.time.advance(150_000);
    expect(h.countOf('ada')).toBe(4);
  });

  it('evicts nobody through a level when it is lowered', async () => {
    let limit = 20;
    const h = harness({ limitOf: () => limit, config: { forcedEviction: 'by-level' } });
    const clients = await h.fill('ada', 7, remote);
    await h.time.advance(100_000);
    for (const { transport } of clients) transport.send();
    await h.time.advance(100_000);
    limit = 5;
    h.mooring.monitor.checkUserResources('ada');
    expect(h.said('level.changed').at(-1)).toMatchObject({ level: 'emergency' });
    expect(h.countOf('ada')).toBe(7);
  });

  it('lets a newcomer swap one for one above it', async () => {
    let limit = 4;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 4, remote);
    await h.time.advance(61_000);
    limit = 2;
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(1_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.threadsOf('ada')).toEqual(['thread_2', 'thread_3', 'thread_4', 'thread_new']);
  });

  it('refuses a newcomer above it where all are in use', async () => {
    let limit = 4;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 4, remote);
    limit = 2;
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(1_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.countOf('ada')).toBe(4);
  });

  it('lets nobody who waits be refused while there is room under a raised one', async () => {
    let limit = 1;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 1, remote);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    limit = 3;
    await h.time.advance(5_000);
    expect(newcomer.outcome?.refusal).toBeNull();
  });
});

describe('dead connections', () => {
  it('citrineos#190: a dead twin does not lock its device out', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('device', 'thread_station', silent);
    await h.time.advance(1_000);
    const again = await h.connect('device', 'thread_station', remote);
    expect(again.connection.generation).toBe(2);
    expect(h.countOf('device')).toBe(1);
  });

  it('citrineos#190: dead connections of other threads do not lock their user out', async () => {
    const h = harness();
    await h.fill('ada', 20, silent);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it.each([0, 1, 20, 400])('are found beside peers that answer within %i ms', async (pongAfterMs) => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    await h.fill('ada', 2, { pongAfterMs });
    await h.connect('ada', 'thread_dead', silent);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.threadsOf('ada')).toEqual(['thread_1', 'thread_2', 'thread_new']);
  });

  it('cost one user nothing of the time of another', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', silent);
    const waiting = h.arrive('ada', 'thread_2', remote);
    await h.connect('bob', 'thread_1', remote);
    expect(waiting.outcome).toBeNull();
    expect(h.countOf('bob')).toBe(1);
  });
});

describe('a connection in use', () => {
  it('is not closed to make room', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first, second] = await h.fill('ada', 2, remote);
    first!.manager.hold();
    await h.time.advance(100_000);
    second!.transport.message();
    const newcomer = h.arrive('ada', 'thread_3', remote);
    await h.time.advance(1_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.said('manager.released')).toEqual([]);
  });

  it('makes room once it was left alone for a minute', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first, second] = await h.fill('ada', 2, remote);
    await h.time.advance(30_000);
    first!.transport.message();
    await h.time.advance(31_000);
    const newcomer = h.arrive('ada', 'thread_3', remote);
    await h.time.advance(1_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(second!.transport.closes).toEqual([{ code: 4410, reason: 'evicted' }]);
  });
});

describe('users whose ids look alike', () => {
  const alike = ['a', 'a:b', 'a:thread_b', 'a%3Ab', 'a%3Athread_b'];

  it('have a quota of their own', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    for (const userId of alike) await h.fill(userId, 2, remote);
    expect(alike.map((userId) => h.countOf(userId))).toEqual(alike.map(() => 2));
    expect(h.mooring.managerCount).toBe(2 * alike.length);
  });

  it.each(alike)('are left alone when all managers of %s are released', async (userId) => {
    const h = harness();
    for (const each of alike) await h.fill(each, 2, remote);
    expect(h.mooring.releaseAll(userId)).toBe(2);
    expect(h.mooring.users()).toEqual(new Set(alike.filter((each) => each !== userId)));
  });

  it('never share a key', async () => {
    const h = harness();
    const one = await h.connect('a', 'thread_b:thread_c');
    const other = await h.connect('a:thread_b', 'thread_c');
    expect(one.manager).not.toBe(other.manager);
    expect(one.manager.key).not.toBe(other.manager.key);
  });

  it('are not cleaned up for each other', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    for (const userId of alike) await h.connect(userId, 'thread_1', silent);
    const newcomer = h.arrive('a', 'thread_2', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.said('manager.released').map(({ userId }) => userId)).toEqual(['a']);
  });
});

describe('createManager', () => {
  it('gives the manager the thread has', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1');
    expect(await h.mooring.createManager({ userId: 'ada', threadId: 'thread_1' })).toBe(manager);
  });

  it('reserves a slot that a socket can take', async () => {
    const h = harness();
    const manager = await h.mooring.createManager({ userId: 'ada', threadId: 'thread_1' });
    expect(manager.state).toBe('reserved');
    expect((await h.connect('ada', 'thread_1')).manager).toBe(manager);
    expect(manager.state).toBe('attached');
  });

  it('rejects with the refusal', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    const creating = h.mooring.createManager({ userId: 'ada', threadId: 'thread_1' });
    await expect(creating).rejects.toThrow(QuotaExceededError);
  });

  it('waits as a connection does', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', silent);
    const creating = h.mooring.createManager({ userId: 'ada', threadId: 'thread_2' });
    await h.time.advance(3_000);
    expect((await creating).threadId).toBe('thread_2');
  });
});

describe('maxTotalManagers', () => {
  const full = async () => {
    const h = harness({ config: { maxTotalManagers: 2 } });
    return { h, ada: await h.connect('ada', 'thread_1', remote), bob: await h.connect('bob', 'thread_1', remote) };
  };

  it('refuses with 1013 capacity beyond it', async () => {
    const { h } = await full();
    const { code, close } = h.refusal('cyd', 'thread_1');
    expect(code).toBe('capacity.exceeded');
    expect(close).toEqual({ code: 1013, reason: expect.stringMatching(/^capacity;retry=\d+\.\d\d$/) as string });
  });

  it('is no obstacle to a takeover', async () => {
    const { h } = await full();
    expect((await h.connect('ada', 'thread_1')).connection.generation).toBe(2);
  });

  it('lets a user swap one of their own that is not engaged', async () => {
    const { h, ada } = await full();
    await h.time.advance(60_000);
    expect(isPending(h.admit('ada', 'thread_2'))).toBe(false);
    expect(ada.transport.closes).toEqual([{ code: 4410, reason: 'evicted' }]);
    expect(h.threadsOf('ada')).toEqual(['thread_2']);
  });

  it('swaps none that is engaged', async () => {
    const { h, ada } = await full();
    await h.time.advance(59_999);
    expect(h.refusal('ada', 'thread_2').code).toBe('capacity.exceeded');
    expect(ada.manager.state).toBe('attached');
  });

  it('never evicts a stranger', async () => {
    const { h } = await full();
    await h.time.advance(120_000);
    expect(h.refusal('cyd', 'thread_1').code).toBe('capacity.exceeded');
    expect(h.said('manager.released')).toEqual([]);
  });

  it('keeps its last tenth for users who have no manager', async () => {
    const h = harness({ config: { maxTotalManagers: 20 } });
    await h.fill('ada', 18, remote);
    expect(h.refusal('ada', 'thread_19').closeCause).toBe('capacity');
    await h.connect('bob', 'thread_1', remote);
    expect(h.refusal('bob', 'thread_2').closeCause).toBe('capacity');
    await h.connect('cyd', 'thread_1', remote);
    expect(h.refusal('dan', 'thread_1').closeCause).toBe('capacity');
  });

  it('gives of its last tenth to a user who has managers only what one of those made free', async () => {
    const h = harness({ config: { maxTotalManagers: 20 } });
    await h.fill('ada', 18, remote);
    await h.time.advance(60_000);
    expect(isPending(h.admit('ada', 'thread_19'))).toBe(false);
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', reason: 'evicted' }]);
    expect([h.countOf('ada'), h.mooring.managerCount]).toEqual([18, 18]);
  });

  it('keeps its last tenth when waiting newcomers are served', async () => {
    let limit = 9;
    const h = harness({ limitOf: () => limit, config: { maxTotalManagers: 10 } });
    const [first] = await h.fill('ada', 9, remote);
    const waiting = [10, 11, 12].map((number) => h.arrive('ada', `thread_${number}`, remote));
    limit = 12;
    first!.transport.vanish();
    await h.time.advance(0);
    expect(waiting.map(({ outcome }) => outcome !== null)).toEqual([true, false, false]);
    expect(h.mooring.managerCount).toBe(9);
    await h.connect('bob', 'thread_1', remote);
  });

  it.each([1, 2, 9])('of %i has no tenth to keep', async (maxTotalManagers) => {
    const h = harness({ config: { maxTotalManagers } });
    await h.fill('ada', maxTotalManagers, remote);
    expect(h.countOf('ada')).toBe(maxTotalManagers);
  });

  it('holds when a raised limit lets several waiting newcomers in at once', async () => {
    let limit = 2;
    const h = harness({ limitOf: () => limit, config: { maxTotalManagers: 2 } });
    const [first] = await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_3', remote);
    h.arrive('ada', 'thread_4', remote);
    limit = 4;
    first!.transport.vanish();
    expect(h.mooring.managerCount).toBe(2);
  });
});

describe('what a Mooring tells of managers', () => {
  it('finds one by key and by context', async () => {
    const h = harness();
    const { manager, context } = await h.connect('a:b', 'thread_1');
    expect(h.mooring.getManager(manager.key)).toBe(manager);
    expect(h.mooring.getManager(context)).toBe(manager);
    expect(h.mooring.getManager({ userId: 'a', threadId: 'thread_1' })).toBeUndefined();
  });

  it('releases one by key or context, once', async () => {
    const h = harness();
    const [first, second] = await h.fill('ada', 2);
    expect(h.mooring.release(first!.manager.key)).toBe(true);
    expect(h.mooring.release(first!.manager.key)).toBe(false);
    expect(h.mooring.release(second!.context)).toBe(true);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'requested' }, { reason: 'requested' }]);
  });
});

function throwing(message: string): never {
  throw new Error(message);
}

describe('a Mooring, asked about keys and users', () => {
  it.each(['', 'no key', ':'])('knows no manager by %j', (key) => {
    const { mooring } = harness();
    expect(mooring.getManager(key)).toBeUndefined();
    expect(mooring.release(key)).toBe(false);
  });

  it('counts users apart from managers', async () => {
    const h = harness();
    await h.fill('ada', 2);
    await h.fill('grace', 1);
    expect([h.mooring.userCount, h.mooring.managerCount]).toEqual([2, 3]);
  });

  it('gives the manager of a thread that has one, and promises nothing on it', async () => {
    const h = harness();
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    expect(await h.mooring.createManager({ userId: 'ada', threadId: 'thread_1' })).toBe(manager);
    transport.vanish();
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('a refusal', () => {
  it('is of nobody ahead where there may be nobody at all', () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    expect(h.refusal('ada', 'thread_1')).toMatchObject({ ahead: null });
  });

  it('says how many this server holds, where it is full', async () => {
    const h = harness({ config: { maxTotalManagers: 3 } });
    for (const userId of ['ada', 'grace', 'mary']) await h.connect(userId, 'thread_1', remote);
    expect(h.refusal('joan', 'thread_1').message).toContain(' 3 ');
  });

  it('says when a slot comes back that nobody has attached to', async () => {
    const h = harness({ random: () => 0.5, config: { maxManagersPerUser: 1 } });
    await h.time.advance(2_000);
    h.ticket('ada', 'thread_1');
    await h.time.advance(3_000);
    const { connected } = h.arrive('ada', 'thread_2', remote);
    const { refusal } = await connected;
    expect(refusal?.retryAfterMs).toBe(12_000 - h.mooring.now());
  });

  it('tells how long it took to decide', async () => {
    const h = harness({ config: { takeoverFightLimit: 1 } });
    await h.time.advance(5_000);
    for (let i = 0; i < 2; i++) await h.connect('ada', 'thread_1', { ...remote, pongAfterMs: 100 });
    h.arrive('ada', 'thread_1', remote);
    await h.time.advance(1_000);
    expect(h.said('admission.refused')).toMatchObject([{ code: 'key.contested', waitedMs: 100 }]);
  });
});

describe('slots that are freed while newcomers are served', () => {
  const crowded = async (managers: number, waiting: number) => {
    let limit = managers;
    const h = harness({ limitOf: () => limit });
    const [first, ...others] = await h.fill('ada', managers, remote);
    const arrivals = Array.from({ length: waiting }, (_, i) => h.arrive('ada', `thread_new${i}`, remote));
    const lowerTo = (lowered: number) => (limit = lowered);
    return { h, first: first!, others, arrivals, lowerTo };
  };
  const servedOf = (h: Harness) => h.threadsOf('ada').filter((threadId) => threadId.includes('new'));

  it('are taken by those next in line, even above a limit that was lowered', async () => {
    const { h, first, others, lowerTo } = await crowded(3, 4);
    lowerTo(1);
    let hasFreed = false;
    h.mooring.on('manager.admitted', () => {
      if (hasFreed) return;
      hasFreed = true;
      for (const { manager } of others) h.mooring.release(manager.key);
    });
    first.transport.vanish();
    expect(servedOf(h)).toEqual(['thread_new0', 'thread_new1', 'thread_new2']);
    await h.time.advance(2_000);
  });

  it("are nobody's once the limit is 0", async () => {
    const { h, first, lowerTo } = await crowded(2, 1);
    lowerTo(0);
    first.transport.vanish();
    expect(servedOf(h)).toEqual([]);
    await h.time.advance(2_000);
  });

  it("are nobody's once the server stops", async () => {
    const { h, arrivals } = await crowded(2, 2);
    h.mooring.on('admission.refused', () => void h.mooring.releaseAll('ada'));
    await h.stop();
    expect(arrivals.map(({ outcome }) => outcome?.refusal?.code)).toEqual(Array(2).fill('server.draining'));
    expect(h.said('manager.admitted')).toHaveLength(2);
  });
});
