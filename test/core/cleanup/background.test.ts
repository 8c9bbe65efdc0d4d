import { describe, expect, it, vi } from 'vitest';
import { UserCleanup } from '../../../src/core/cleanup/user-cleanup.js';
import { harness, remote, silent, type Client, type Harness } from '../support.js';
import { tallyOf } from '../../support/tally.js';

const environments: [string, number, number][] = [
  ['production', 60_000, 600_000],
  ['staging', 30_000, 300_000],
  ['development', 15_000, 120_000],
];

const cyclesOf = (h: Harness) => h.said('background.completed');

/** What is left open for the moment of a cycle: a connection that is used every minute. */
async function keptInUse(h: Harness, clients: readonly Client[], forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 60_000) {
    for (const { transport } of clients) transport.message();
    await h.time.advance(Math.min(60_000, forMs - passed));
  }
}

describe('a background cycle', () => {
  it.each(environments)('in %s comes every %i ms while there is a manager', async (environment, intervalMs) => {
    const h = harness({ environment });
    const { transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(3 * intervalMs);
    expect(cyclesOf(h)).toHaveLength(3);
    transport.vanish();
    await h.time.advance(5 * intervalMs);
    expect(cyclesOf(h)).toHaveLength(4);
    expect(h.mooring.backgroundCleanup.isArmed).toBe(false);
  });

  it.each(environments)('in %s releases what was idle for %i/%i ms, at the next cycle', async (...row) => {
    const [environment, intervalMs, idleManagerTimeoutMs] = row;
    const h = harness({ environment });
    const { transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(intervalMs / 2);
    transport.message();
    await h.time.advance(idleManagerTimeoutMs - 1);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(intervalMs / 2 + 1);
    expect(h.said('manager.released')).toMatchObject([
      { reason: 'idle', idleMs: idleManagerTimeoutMs + intervalMs / 2 },
    ]);
    expect(transport.closes).toEqual([{ code: 4408, reason: 'idle' }]);
  });

  it('releases what is idle in the very moment of a cycle', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    await h.time.advance(599_999);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(1);
    expect(h.countOf('ada')).toBe(0);
  });

  it('releases nobody in use, nor anybody who is held or written to', async () => {
    const h = harness();
    const [inUse, held, written] = await h.fill('ada', 3, remote);
    for (let i = 0; i < 20; i++) {
      await h.time.advance(60_000);
      inUse!.transport.message();
      written!.transport.send();
      held!.manager.hold();
    }
    expect(h.countOf('ada')).toBe(3);
  });

  it('releases those not open and those in error before their time', async () => {
    const h = harness();
    const [failed, reported, fine] = await h.fill('ada', 3, remote);
    failed!.manager.fail(new Error('broken'));
    reported!.manager.reportError(new Error('odd'));
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', reason: 'error' }]);
    await h.time.advance(300_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }, { threadId: 'thread_2', reason: 'error' }]);
    expect(fine!.manager.state).toBe('attached');
  });

  it('never pings', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 86_400_000 } });
    const { transport } = await h.connect('ada', 'thread_1', silent);
    await h.mooring.backgroundCleanup.runCycle();
    await h.time.advance(60_000);
    expect(transport.pings).toEqual([]);
  });

  it('tells what it did', async () => {
    const h = harness();
    await h.fill('ada', 2, remote);
    await h.fill('grace', 1, remote);
    const inUse = await h.fill('alan', 3, remote);
    await keptInUse(h, inUse, 540_000);
    inUse[0]!.manager.fail(new Error('broken'));
    await h.time.advance(60_000);
    expect(cyclesOf(h).at(-1)).toMatchObject({
      cleaned: 4,
      users: 3,
      byStrategy: tallyOf({ idle: 3, error: 1 }),
      errors: 0,
      durationMs: 0,
    });
  });

  it('visits only what is due', async () => {
    const h = harness();
    const inUse = await h.fill('alan', 5, remote);
    await keptInUse(h, inUse, 590_000);
    const visit = vi.spyOn(UserCleanup.prototype, 'cleanOne');
    await h.connect('ada', 'thread_1', remote);
    await h.time.advance(60_000);
    expect(visit).not.toHaveBeenCalled();
  });

  it('looks at users at critical or above, and at no others', async () => {
    const h = harness();
    await h.fill('ada', 15, remote);
    await h.fill('grace', 16, remote);
    const clean = vi.spyOn(UserCleanup.prototype, 'clean');
    await h.time.advance(60_000);
    expect(clean.mock.calls.map(([userId]) => userId)).toEqual(['grace']);
  });

  it('goes on where the cleanup of one user throws, and looks at that user again', async () => {
    const h = harness();
    await h.fill('ada', 1, remote);
    await h.fill('grace', 1, remote);
    const { cleanOne } = UserCleanup.prototype;
    const visit = vi.spyOn(UserCleanup.prototype, 'cleanOne').mockImplementationOnce(() => {
      throw new Error('a bug');
    });
    visit.mockImplementation(function (this: UserCleanup, ...args) {
      return cleanOne.apply(this, args);
    });
    await h.time.advance(600_000);
    expect(cyclesOf(h).at(-1)).toMatchObject({ cleaned: 1, errors: 1 });
    expect(h.said('cleanup.failed')).toMatchObject([{ trigger: 'background', error: 'Error: a bug' }]);
    await h.time.advance(60_000);
    expect(h.mooring.managerCount).toBe(0);
  });

  it('can be asked for, and is ready for another one as soon as it is over', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    manager.fail(new Error('broken'));
    const [one, other] = [h.mooring.backgroundCleanup.runCycle(), h.mooring.backgroundCleanup.runCycle()];
    expect([(await one).cleaned, (await other).cleaned]).toEqual([1, 0]);
    expect(cyclesOf(h)).toHaveLength(2);
  });

  it('keeps its time when one was asked for in between', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    await h.time.advance(30_000);
    await h.mooring.backgroundCleanup.runCycle();
    expect(h.mooring.backgroundCleanup.isArmed).toBe(true);
    await h.time.advance(29_999);
    expect(cyclesOf(h)).toHaveLength(1);
    await h.time.advance(1);
    expect(cyclesOf(h)).toHaveLength(2);
    await h.time.advance(60_000);
    expect(cyclesOf(h)).toHaveLength(3);
  });

  it('looks at those whose error was reported only when that has stood long enough', async () => {
    const h = harness();
    const [first, second] = await h.fill('ada', 2, remote);
    first!.manager.reportError(new Error('odd'));
    await h.time.advance(30_000);
    second!.manager.reportError(new Error('odd'));
    const visit = vi.spyOn(UserCleanup.prototype, 'cleanOne');
    await h.time.advance(240_000);
    expect(visit).not.toHaveBeenCalled();
    await h.time.advance(30_000);
    expect(visit.mock.calls.map(([manager]) => manager)).toEqual([first!.manager]);
    await h.time.advance(60_000);
    expect(visit.mock.calls.map(([manager]) => manager)).toEqual([first!.manager, second!.manager]);
  });

  it('looks at those who recovered once, and not again', async () => {
    const h = harness();
    const [failed, reported, again] = await h.fill('ada', 3, remote);
    failed!.manager.fail(new Error('broken'));
    for (const { manager } of [reported!, again!]) manager.reportError(new Error('odd'));
    await h.time.advance(1);
    for (const { transport } of [failed!, reported!, again!]) transport.message();
    again!.manager.reportError(new Error('odd'));
    const visit = vi.spyOn(UserCleanup.prototype, 'cleanOne');
    await h.time.advance(59_999);
    const visited = () => visit.mock.calls.map(([{ threadId }]) => threadId).toSorted();
    expect(visited()).toEqual([failed!.manager.threadId]);
    await h.time.advance(300_000);
    expect(visited()).toEqual(['thread_1', 'thread_2', 'thread_3']);
    expect(h.threadsOf('ada')).toEqual(['thread_1', 'thread_2']);
    await h.time.advance(180_000);
    expect(visit).toHaveBeenCalledTimes(3);
  });

  it('asks again in each cycle whether one that is held may go', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    const visit = vi.spyOn(UserCleanup.prototype, 'cleanOne');
    Object.defineProperty(manager, 'isHeld', { value: true, configurable: true });
    await h.time.advance(600_000);
    expect(visit).toHaveBeenCalledTimes(1);
    await h.time.advance(180_000);
    expect(visit).toHaveBeenCalledTimes(4);
    Object.defineProperty(manager, 'isHeld', { value: false });
    await h.time.advance(60_000);
    expect(h.countOf('ada')).toBe(0);
  });

  it('leaves a manager to a successor that is pending', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(595_000);
    h.ticket('ada', 'thread_1');
    await h.time.advance(5_000);
    expect(manager.state).toBe('attached');
  });

  it('a manager active in the very moment of a cycle is looked at once, however the wheel goes round', async () => {
    const h = harness({ environment: 'development' });
    const { manager } = await h.connect('ada', 'thread_1', remote);
    for (let cycle = 0; cycle < 40; cycle++) {
      await h.time.advance(14_999);
      manager.hold()();
      await h.time.advance(1);
    }
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(150_000);
    expect(h.countOf('ada')).toBe(0);
  });

  it('looks for a message that is still arriving before it calls anybody idle', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 3_600_000 } });
    const { transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(599_000);
    transport.partialMessageBytes = 1;
    await h.time.advance(1_000);
    expect(h.countOf('ada')).toBe(1);
  });

  it('is not asked for by whoever comes after it was stopped', async () => {
    const h = harness();
    h.mooring.backgroundCleanup.stop();
    await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.backgroundCleanup.isArmed).toBe(false);
  });

  it('passes over what a listener released meanwhile', async () => {
    const h = harness();
    await h.fill('ada', 5, remote);
    h.mooring.on('manager.released', () => {
      h.mooring.releaseAll('ada');
    });
    await h.time.advance(600_000);
    expect(cyclesOf(h).at(-1)).toMatchObject({ cleaned: 1, errors: 0 });
    expect(h.said('manager.released')).toHaveLength(5);
  });

  it.each(['fail', 'reportError'] as const)(
    'comes back to one that a successor kept from it, after %s',
    async (how) => {
      const h = harness({ config: { reportedErrorTimeoutMs: 60_000 } });
      const { manager } = await h.connect('ada', 'thread_1', remote);
      manager[how](new Error('broken'));
      await h.time.advance(55_000);
      h.ticket('ada', 'thread_1');
      await h.time.advance(64_999);
      expect(h.countOf('ada')).toBe(1);
      await h.time.advance(1);
      expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
    },
  );
});

describe('a cycle with much to do', () => {
  /** So many managers that failed; the cleanup of each takes a millisecond. */
  async function manyFailed(count: number) {
    const h = harness({ config: { maxManagersPerUser: 1_000, sliceBudgetMs: 1 } });
    const clients = await h.fill('ada', count, remote);
    for (const { manager } of clients) manager.fail(new Error('broken'));
    const { cleanOne } = UserCleanup.prototype;
    vi.spyOn(UserCleanup.prototype, 'cleanOne').mockImplementation(function (this: UserCleanup, ...args) {
      h.time.stall(1);
      return cleanOne.apply(this, args);
    });
    return { h, clients };
  }

  it('is joined by whoever asks for one while it runs', async () => {
    const { h } = await manyFailed(100);
    const [one, other] = [h.mooring.backgroundCleanup.runCycle(), h.mooring.backgroundCleanup.runCycle()];
    expect(other).toBe(one);
    await h.time.settle();
    expect((await one).cleaned).toBe(100);
    expect(cyclesOf(h)).toHaveLength(1);
  });

  it('is followed by the next an interval after its end, whoever is admitted while it runs', async () => {
    const { h } = await manyFailed(100);
    await h.time.advance(59_000);
    expect(cyclesOf(h)).toHaveLength(0);
    h.time.advanceSync(0);
    const polls: (() => void)[] = [];
    vi.spyOn(h.time, 'afterPoll').mockImplementation((act) => polls.push(act));
    await h.time.advance(1_000);
    h.ticket('grace', 'thread_1');
    expect(h.mooring.backgroundCleanup.isArmed).toBe(false);
    for (let act = polls.shift(); act !== undefined; act = polls.shift()) act();
    expect(cyclesOf(h)).toHaveLength(1);
    expect(h.mooring.backgroundCleanup.isArmed).toBe(true);
    vi.restoreAllMocks();
  });

  it('passes over what is released while it runs', async () => {
    const { h, clients } = await manyFailed(100);
    const cycle = h.mooring.backgroundCleanup.runCycle();
    h.mooring.release(clients[0]!.manager.key);
    await h.time.settle();
    expect((await cycle).cleaned).toBe(99);
  });

  it('lets the process look at its sockets in between', async () => {
    const h = harness({ config: { maxManagersPerUser: 1_000 } });
    const clients = await h.fill('ada', 500, remote);
    for (const { manager } of clients) manager.fail(new Error('broken'));
    const { cleanOne } = UserCleanup.prototype;
    vi.spyOn(UserCleanup.prototype, 'cleanOne').mockImplementation(function (this: UserCleanup, ...args) {
      h.time.stall(1);
      return cleanOne.apply(this, args);
    });
    let polls = 0;
    const { afterPoll } = h.time;
    vi.spyOn(h.time, 'afterPoll').mockImplementation((callback) => {
      polls += 1;
      afterPoll.call(h.time, callback);
    });
    const result = h.mooring.backgroundCleanup.runCycle();
    await h.time.settle();
    expect((await result).cleaned).toBe(500);
    expect(polls).toBeGreaterThan(20);
  });

  it('ends with the slice it is in when the Mooring stops', async () => {
    const { h } = await manyFailed(200);
    const cycle = h.mooring.backgroundCleanup.runCycle();
    const stopped = h.stop();
    expect((await cycle).cleaned).toBeLessThan(200);
    await stopped;
  });
});
