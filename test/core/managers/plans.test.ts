import { describe, expect, it } from 'vitest';
import { createUserExecutionContext, isPending, type ContextFields } from '../../../src/index.js';
import type { Harness } from '../support.js';
import { harness, remote } from '../support.js';

let threads = 0;

/** A connection of ada's with a thread of its own and whatever else it says, admitted or not. */
function come(h: Harness, says: Partial<ContextFields> = {}) {
  const fields = { userId: 'ada', threadId: `thread_plan_${(threads += 1)}`, ...says };
  const outcome = h.mooring.decide(fields);
  if (isPending(outcome)) return 'waits';
  if (outcome.refusal !== null) return outcome.refusal;
  return h.open(outcome.ticket, remote);
}

function client(h: Harness, says: Partial<ContextFields> = {}) {
  const outcome = come(h, says);
  if (typeof outcome === 'string' || outcome instanceof Error) throw new Error(`not admitted: ${String(outcome)}`);
  return outcome;
}

describe('the limit that a connection says', () => {
  it('holds for its user, and for nobody else', () => {
    const h = harness();
    client(h, { limit: 2 });
    client(h);
    expect(come(h)).toBe('waits');
    expect([h.mooring.limitOf('ada'), h.mooring.limitOf('bob')]).toEqual([2, 20]);
  });

  it('holds for the connection that says it', () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    client(h);
    client(h, { limit: 3 });
    client(h);
    expect(come(h)).toBe('waits');
  });

  it('wins over what limitOf says', () => {
    const h = harness({ limitOf: () => 1 });
    client(h, { limit: 2 });
    client(h);
    expect(h.said('limit.rejected')).toEqual([]);
  });

  it('is that of the latest connection, also where it is for a thread that is taken', async () => {
    const h = harness();
    const { context } = client(h, { limit: 5 });
    await h.time.advance(1_000);
    client(h, { threadId: context.threadId, limit: 1 });
    expect(h.mooring.limitOf('ada')).toBe(1);
    client(h, { threadId: context.threadId });
    expect(h.mooring.limitOf('ada')).toBe(1);
  });

  it('lets those in who wait, if it is higher', async () => {
    const h = harness();
    client(h, { limit: 1 });
    const waiting = h.arrive('ada', 'thread_waiting', remote);
    const raised = h.mooring.decide({ userId: 'ada', threadId: 'thread_raised', limit: 3 });
    await h.time.advance(1);
    expect(waiting.outcome?.refusal).toBeNull();
    if (isPending(raised)) h.open((await raised.settled).ticket!, remote);
    expect(h.threadsOf('ada').slice(1)).toEqual(['thread_waiting', 'thread_raised']);
  });

  it('closes nobody if it is lower, and lets newcomers swap one for one', async () => {
    const h = harness({ config: { forcedEviction: 'by-level' } });
    for (let i = 0; i < 9; i++) client(h);
    await h.time.advance(61_000);
    const newcomer = h.mooring.decide({ userId: 'ada', threadId: 'thread_new', limit: 6 });
    expect(h.countOf('ada')).toBe(9);
    await h.time.advance(9_000);
    expect(isPending(newcomer) && (await newcomer.settled).refusal).toBeNull();
    expect(h.countOf('ada')).toBe(9);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'evicted', by: 'admission' }]);
    await h.time.advance(20_000);
  });

  it('of 0 refuses at once, and is forgotten', () => {
    const h = harness();
    expect(come(h, { limit: 0 })).toMatchObject({ code: 'quota.exceeded', close: { code: 1013 } });
    expect(h.mooring.limitOf('ada')).toBe(20);
  });

  it('goes with the last manager of the user', () => {
    const h = harness();
    const [first, second] = [client(h, { limit: 2 }), client(h)];
    first.transport.vanish();
    expect(h.mooring.limitOf('ada')).toBe(2);
    second.transport.vanish();
    expect(h.mooring.limitOf('ada')).toBe(20);
  });

  it.each([
    [-1, '-1'],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    ['3', '3'],
    [null, 'null'],
  ])('is the configured one where it is %j, and that is told', (limit, got) => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    client(h, { limit: limit as number });
    client(h);
    expect(come(h)).toBe('waits');
    expect(h.said('limit.rejected')).toMatchObject([{ userId: 'ada', got, used: 2 }]);
  });
});

describe('no limit at all', () => {
  it.each<[string, () => Harness, Partial<ContextFields>]>([
    ['by the connection', () => harness({ config: { maxManagersPerUser: 1 } }), { limit: Infinity }],
    ['by the function', () => harness({ limitOf: () => Infinity }), {}],
  ])('%s lets everybody in, at level normal', async (_, make, says) => {
    const h = make();
    for (let i = 0; i < 60; i++) client(h, says);
    expect(h.mooring.monitor.checkUserResources('ada')).toEqual({
      userId: 'ada',
      managerCount: 60,
      usageRatio: 0,
      alertLevel: 'normal',
      maxManagers: Infinity,
    });
    await h.time.advance(1_000);
    expect(h.countOf('ada')).toBe(60);
    expect(h.said('limit.rejected')).toEqual([]);
  });

  it('is told as null by events, which survive JSON', () => {
    let limit = 5;
    const h = harness({ limitOf: () => limit });
    for (let i = 0; i < 5; i++) client(h);
    limit = Infinity;
    client(h);
    const last = h.said('level.changed').at(-1);
    expect(last).toMatchObject({ level: 'normal', maxManagers: null });
    expect(JSON.parse(JSON.stringify(last))).toEqual(last);
  });

  it('is not in the close reason, where another server refuses', async () => {
    const ledger = { acquire: () => ({ granted: false, total: 7 }) as const, release: () => undefined };
    const h = harness({ limitOf: () => Infinity, ledger });
    const { refusal } = await h.arrive('ada', 'thread_1', remote).connected;
    expect(refusal?.close.reason).toMatch(/^quota;retry=\d+(\.\d+)?$/);
    expect(refusal?.message).not.toContain('Infinity');
  });
});

describe('the idle timeout', () => {
  it('that is off closes nobody as idle, under pressure neither', async () => {
    const h = harness({ config: { idleManagerTimeoutMs: null, maxManagersPerUser: 5, forcedEviction: 'on-demand' } });
    await h.fill('ada', 4, remote);
    await h.time.advance(7_200_000);
    await h.connect('ada', 'thread_last', remote);
    expect(h.mooring.monitor.levelOf('ada')).toBe('emergency');
    await h.time.advance(120_000);
    expect(h.countOf('ada')).toBe(5);
    expect(h.mooring.kpis().kpis.find(({ name }) => name === 'accumulation')).toMatchObject({ value: 0 });
  });

  it.each([
    [55_000, 'quota.exceeded'],
    [60_000, undefined],
  ])('that is off leaves a floor of a minute: a newcomer %i ms later: %s', async (afterMs, code) => {
    const h = harness({ environment: 'development', config: { idleManagerTimeoutMs: null, maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    await h.time.advance(afterMs);
    const newcomer = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(5_000);
    expect(newcomer.outcome?.refusal?.code).toBe(code);
  });

  it('that is off still has what is in error released', async () => {
    const h = harness({ config: { idleManagerTimeoutMs: null } });
    const { manager } = await h.connect('ada', 'thread_1', remote);
    manager.reportError(new Error('odd'));
    await h.time.advance(361_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
  });

  it('may be off for one connection', async () => {
    const h = harness();
    const listening = client(h, { idleTimeoutMs: null });
    const talking = client(h);
    await h.time.advance(7_200_000);
    expect([listening.manager.state, talking.manager.state]).toEqual(['attached', 'released']);
    expect(listening.manager.idleTimeoutMs).toBeNull();
  });

  it('may be its own for one connection, shorter or longer', async () => {
    const h = harness();
    const short = client(h, { idleTimeoutMs: 100_000 });
    const long = client(h, { idleTimeoutMs: 3_600_000 });
    await h.time.advance(99_000);
    expect(short.manager.state).toBe('attached');
    await h.time.advance(62_000);
    expect(short.manager.state).toBe('released');
    await h.time.advance(3_400_000);
    expect(long.manager.state).toBe('attached');
    await h.time.advance(120_000);
    expect(long.manager.state).toBe('released');
    expect(h.said('manager.released').map(({ limitMs }) => limitMs)).toEqual([100_000, 3_600_000]);
  });

  it.each([null, 3_600_000, undefined])(
    'of %s becomes a shorter one with the next connection of its thread',
    async (before) => {
      const h = harness();
      const { manager } = client(h, { threadId: 'thread_1', ...(before !== undefined && { idleTimeoutMs: before }) });
      await h.time.advance(30_000);
      client(h, { threadId: 'thread_1', idleTimeoutMs: 10_000 });
      await h.time.advance(9_000);
      expect(manager.state).toBe('attached');
      await h.time.advance(62_000);
      expect(manager.state).toBe('released');
      expect(h.said('manager.released')).toMatchObject([{ reason: 'idle', limitMs: 10_000 }]);
    },
  );

  it('of one connection gives it a floor of its own', async () => {
    const h = harness({ environment: 'development', config: { maxManagersPerUser: 2 } });
    client(h, { idleTimeoutMs: null });
    client(h);
    await h.time.advance(30_000);
    come(h);
    await h.time.advance(3_000);
    expect(h.threadsOf('ada')).toHaveLength(2);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'evicted', limitMs: 12_000 }]);
    await h.time.advance(20_000);
  });

  it('is that of the newest connection of a thread', async () => {
    const h = harness();
    const { manager, context } = client(h, { idleTimeoutMs: null });
    client(h, { threadId: context.threadId });
    expect(manager.idleTimeoutMs).toBe(600_000);
    await h.time.advance(700_000);
    expect(manager.state).toBe('released');
  });

  it.each([
    [0, '0'],
    [99, '99'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['off', 'off'],
  ])('that is %j is told, and the configured one is used', (idleTimeoutMs, got) => {
    const h = harness();
    const { manager } = client(h, { idleTimeoutMs: idleTimeoutMs as number });
    expect(manager.idleTimeoutMs).toBe(600_000);
    expect(h.said('idleTimeout.rejected')).toMatchObject([
      { userId: 'ada', got: `${got}, wanted null, or a number of milliseconds from 100 to 86400000`, used: 600_000 },
    ]);
  });
});

describe('what else a connection says', () => {
  it('is the data of its manager, until a newer connection of the thread says something else', () => {
    const h = harness();
    const plan = { plan: 'pro' };
    const { manager, context } = client(h, { data: plan });
    expect(manager.data).toBe(plan);
    client(h, { threadId: context.threadId, data: 2 });
    expect(manager.data).toBe(2);
    client(h, { threadId: context.threadId });
    expect(manager.data).toBeUndefined();
  });

  it('is not in a context that says nothing of it', () => {
    expect(Object.keys(createUserExecutionContext({ userId: 'ada', threadId: 'thread_1' }))).toEqual([
      'userId',
      'threadId',
    ]);
  });
});
