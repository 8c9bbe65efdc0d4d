import { describe, expect, it, vi } from 'vitest';
import { harness, remote, silent, type Arrival } from './support.js';

const refusalOf = ({ outcome }: Arrival) => outcome?.refusal;
const drained = { code: 1012, reason: expect.stringMatching(/^drain;retry=[2-7]\.\d\d$/) as string };

/** Two connections and a stop that has closed one of them; the other is left for a second. */
async function halfStopped() {
  const h = harness({ config: { drainWaveSize: 1, drainWaveIntervalMs: 1_000 } });
  const clients = await h.fill('ada', 2, remote);
  const stopped = h.mooring.stop();
  const [left, ...others] = clients.filter(({ manager }) => manager.state === 'attached');
  if (left === undefined || others.length > 0) throw new Error('one of two should be left');
  return { h, stopped, left };
}

describe('stop', () => {
  it('tells those who wait to go elsewhere, and hands them no freed slot', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    const waiting = [h.arrive('ada', 'thread_3', remote), h.arrive('ada', 'thread_4', remote)];
    await h.stop();
    expect(waiting.map((arrival) => refusalOf(arrival)?.code)).toEqual(['server.draining', 'server.draining']);
    expect(waiting.map(({ transport }) => transport.closes)).toEqual([[drained], [drained]]);
    expect(h.said('manager.admitted')).toHaveLength(2);
  });

  it('refuses whoever comes later, takeovers too', async () => {
    const { h, stopped, left } = await halfStopped();
    const late = [left.context.threadId, 'thread_new'].map((threadId) => h.arrive('ada', threadId, remote));
    await h.time.settle();
    expect(late.map(({ transport }) => transport.closes)).toEqual([[drained], [drained]]);
    expect(left.connection.isCurrent).toBe(true);
    await h.time.advance(2_000);
    await stopped;
  });

  it('refuses whoever comes after it', async () => {
    const h = harness();
    await h.stop();
    const { transport, connected } = h.arrive('ada', 'thread_1', silent);
    expect((await connected).refusal?.code).toBe('server.draining');
    expect(transport.closes).toEqual([drained]);
    await expect(h.mooring.createManager({ userId: 'ada', threadId: 'thread_1' })).rejects.toThrow();
  });

  it('returns slots that were granted and not opened', async () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    const stopped = h.mooring.stop();
    expect(h.countOf('ada')).toBe(0);
    expect(ticket.open(h.socket()).refusal?.close).toEqual(drained);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'shutdown' }]);
    await stopped;
  });

  it('ends a pending successor, and then its incumbent', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', remote);
    const successor = h.ticket('ada', 'thread_1');
    await h.stop();
    expect(successor.refusal?.close).toEqual(drained);
    expect(transport.closes).toEqual([drained]);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'shutdown' }]);
  });

  it('tells a newcomer that contests a key to go elsewhere', async () => {
    const h = harness();
    for (let i = 0; i < 6; i++) await h.connect('ada', 'thread_1', silent);
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.stop();
    expect(refusalOf(newcomer)?.code).toBe('server.draining');
    expect(newcomer.transport.closes).toEqual([drained]);
  });

  it('ends a run that was under way', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', silent);
    h.arrive('ada', 'thread_2', remote);
    const result = h.mooring.emergencyCleanup('ada');
    const stopped = h.mooring.stop();
    await h.time.settle();
    expect(await result).toMatchObject({ userId: 'ada', timedOut: false });
    await h.time.advance(1_000);
    await stopped;
  });
});

describe('the waves of stop', () => {
  it('close so many at once, so far apart', async () => {
    const h = harness({ config: { drainWaveSize: 2, drainWaveIntervalMs: 100 } });
    await h.fill('ada', 5, remote);
    const begunAtMs = h.time.wallNow();
    await h.stop();
    const released = h.said('manager.released');
    expect(released.map(({ atMs }) => atMs - begunAtMs)).toEqual([0, 0, 100, 100, 200]);
    expect(released.every(({ reason }) => reason === 'shutdown')).toBe(true);
  });

  it.each([
    [4, 100],
    [5, 200],
  ])('are no more than it takes: with %i connections, two at a time, it is over after %i ms', async (many, afterMs) => {
    const h = harness({ config: { drainWaveSize: 2, drainWaveIntervalMs: 100 } });
    await h.fill('ada', many);
    const begunAtMs = h.time.wallNow();
    await h.stop();
    expect(h.said('server.stopped').map(({ atMs }) => atMs - begunAtMs)).toEqual([afterMs]);
  });

  it('leave those whose turn has not come in use', async () => {
    const { h, stopped, left } = await halfStopped();
    await h.time.advance(999);
    expect(left.manager.state).toBe('attached');
    await h.time.advance(1);
    expect(left.transport.closes).toEqual([drained]);
    await h.time.advance(1_000);
    await stopped;
  });

  it('pass over those that left by themselves meanwhile', async () => {
    const { h, stopped, left } = await halfStopped();
    left.transport.vanish();
    await h.time.advance(2_000);
    await stopped;
    expect(h.said('manager.released')).toMatchObject([{ reason: 'shutdown' }, { reason: 'closed' }]);
  });

  it('spread when clients are told to come back', async () => {
    const h = harness();
    const clients = await h.fill('ada', 20, remote);
    await h.stop();
    const reasons = clients.map(({ transport }) => transport.closes[0]!.reason);
    expect(new Set(reasons).size).toBeGreaterThan(2);
  });
});

describe('stop resolves', () => {
  it('at once where there is nothing', async () => {
    await harness().mooring.stop();
  });

  it('when every socket has closed or was destroyed', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', silent);
    const done = vi.fn();
    void h.mooring.stop().then(done);
    await h.time.advance(999);
    expect(done).not.toHaveBeenCalled();
    await h.time.advance(1);
    expect(done).toHaveBeenCalledOnce();
    expect(transport.isTerminated).toBe(true);
  });

  it('when every hook has ended', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    manager.onRelease(() => new Promise((resolve) => void h.time.setTimer(resolve, 3_000)));
    const done = vi.fn();
    void h.mooring.stop().then(done);
    await h.time.advance(2_999);
    expect(done).not.toHaveBeenCalled();
    await h.time.advance(1);
    expect(done).toHaveBeenCalledOnce();
  });

  it('when a hook has ended that came while the last socket closed', async () => {
    const h = harness({ config: { hookTimeoutMs: 5_000 } });
    const { manager } = await h.connect('ada', 'thread_1', { ...remote, closeAfterMs: 500 });
    let hasStopped = false;
    const stopped = h.mooring.stop().then(() => (hasStopped = true));
    await h.time.advance(100);
    manager.onRelease(() => new Promise(() => undefined));
    await h.time.advance(4_000);
    expect(hasStopped).toBe(false);
    await h.time.advance(1_000);
    await stopped;
    expect(h.time.pendingTimers).toBe(0);
  });

  it('although sockets, hooks and listeners do their worst', async () => {
    const h = harness();
    const clients = await h.fill('ada', 3, { ...silent, throwsFrom: ['ping', 'close', 'terminate', 'isOpen'] });
    clients[0]!.manager.onRelease(() => new Promise(() => {}));
    clients[1]!.manager.onRelease(() => Promise.reject(new Error('hook')));
    h.mooring.on('manager.released', () => {
      throw new Error('listener');
    });
    await h.stop();
    expect(h.said('server.stopped')).toHaveLength(1);
    expect(h.said('hook.failed')).toHaveLength(2);
  });

  it('for every caller of it, and stops once', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    const stopping = [h.mooring.stop(), h.mooring.stop()];
    await h.time.advance(1_000);
    await Promise.all(stopping);
    await h.mooring.stop();
    expect(h.said('server.stopped')).toMatchObject([{ released: 1 }]);
  });
});

describe('stop, called again by a listener of what it does', () => {
  it.each(['server.draining', 'manager.released'] as const)('joins the first: %s', async (name) => {
    const h = harness({ config: { drainWaveSize: 1, drainWaveIntervalMs: 100 } });
    await h.fill('ada', 3, remote);
    const begunAtMs = h.time.wallNow();
    h.mooring.on(name, () => void h.mooring.stop());
    await h.stop();
    expect(h.said('server.draining')).toHaveLength(1);
    expect(h.said('server.stopped')).toHaveLength(1);
    expect(h.said('manager.released').map(({ atMs }) => atMs - begunAtMs)).toEqual([0, 100, 200]);
  });
});

describe('stopping', () => {
  it('can be seen from the start', () => {
    const h = harness();
    expect(h.mooring.isDraining).toBe(false);
    void h.mooring.stop();
    expect(h.mooring.isDraining).toBe(true);
  });

  it('is announced before anybody is closed, and its end after everybody is', async () => {
    const h = harness();
    await h.fill('ada', 2, remote);
    const admissions = h.events.length;
    await h.stop();
    const names = h.events.slice(admissions).map(({ type }) => type);
    expect(names[0]).toBe('server.draining');
    expect(h.said('server.draining')).toMatchObject([{ managers: 2 }]);
    expect(names.at(-1)).toBe('server.stopped');
    expect(names.filter((name) => name === 'manager.released')).toHaveLength(2);
  });

  it('leaves no timer, whatever was under way', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.connect('ada', 'thread_1', silent);
    h.ticket('ada', 'thread_2');
    h.arrive('ada', 'thread_3', remote);
    h.ticket('bob', 'thread_1').cancel();
    void h.mooring.emergencyCleanup('bob');
    await h.time.advance(100);
    const stopped = h.mooring.stop();
    await h.time.advance(1_000);
    await stopped;
    expect(h.time.pendingTimers).toBe(0);
  });
});

describe('stop', () => {
  it('is over although newcomers keep coming and being refused', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', silent);
    let isOver = false;
    void h.mooring.stop().then(() => (isOver = true));
    for (let i = 0; i < 20; i++) {
      h.arrive('ada', `thread_new${i}`, silent);
      await h.time.advance(100);
    }
    expect(isOver).toBe(true);
    await h.time.advance(2_000);
  });
});

describe('a stop while something is held', () => {
  it('closes those that are held last, each when its last hold ends', async () => {
    const h = harness();
    const clients = await h.fill('ada', 4, remote);
    const [first, second] = [clients[0]!.manager.hold(), clients[1]!.manager.hold()];
    const another = clients[1]!.manager.hold();
    const stopped = h.mooring.stop();
    expect(h.threadsOf('ada')).toEqual(['thread_1', 'thread_2']);
    await h.time.advance(3_000);
    first();
    expect(h.threadsOf('ada')).toEqual(['thread_2']);
    expect(clients[0]!.transport.closes).toEqual([drained]);
    second();
    await h.time.advance(1_000);
    expect(h.threadsOf('ada')).toEqual(['thread_2']);
    another();
    expect(h.threadsOf('ada')).toEqual([]);
    await h.time.advance(30);
    await stopped;
    expect(h.time.pendingTimers).toBe(0);
    expect(h.said('manager.released').map(({ reason }) => reason)).toEqual(Array(4).fill('shutdown'));
  });

  it.each([
    [undefined, 15_000],
    [4_000, 4_000],
    [0, 0],
  ])('waits no longer than drainHoldTimeoutMs (%s)', async (drainHoldTimeoutMs, waitsMs) => {
    const h = harness({ config: drainHoldTimeoutMs === undefined ? {} : { drainHoldTimeoutMs } });
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    manager.hold();
    const stopped = h.mooring.stop();
    await h.time.advance(waitsMs - 1);
    if (waitsMs > 0) expect(manager.state).toBe('attached');
    await h.time.advance(1);
    expect(transport.closes).toEqual([drained]);
    await h.time.advance(30);
    await stopped;
  });

  it('counts that time from its beginning, however long the waves take', async () => {
    const h = harness({ config: { drainWaveSize: 1, drainWaveIntervalMs: 1_000, drainHoldTimeoutMs: 5_000 } });
    const clients = await h.fill('ada', 4, remote);
    clients[0]!.manager.hold();
    void h.mooring.stop();
    await h.time.advance(4_999);
    expect(h.threadsOf('ada')).toEqual(['thread_1']);
    await h.time.advance(2);
    expect(h.countOf('ada')).toBe(0);
  });

  it('passes over one that is held before its wave comes, until it is let go', async () => {
    const h = harness({ config: { drainWaveSize: 1, drainWaveIntervalMs: 1_000 } });
    const clients = await h.fill('ada', 3, remote);
    void h.mooring.stop();
    const hold = clients[2]!.manager.hold();
    await h.time.advance(5_000);
    expect(h.threadsOf('ada')).toEqual(['thread_3']);
    hold();
    expect(h.countOf('ada')).toBe(0);
  });

  it('releases at once one whose connection ends meanwhile', async () => {
    const h = harness();
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    manager.hold();
    const stopped = h.mooring.stop();
    await h.time.advance(1_000);
    transport.vanish();
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
    await stopped;
    expect(h.time.pendingTimers).toBe(0);
  });

  it('closes one whose hold expires', async () => {
    const h = harness();
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    manager.hold({ maxMs: 2_000 });
    void h.mooring.stop();
    await h.time.advance(2_000);
    expect(transport.closes).toEqual([drained]);
  });

  it('finds the dead among them', async () => {
    const h = harness({ config: { drainHoldTimeoutMs: 600_000 } });
    const { manager } = await h.connect('ada', 'thread_1', silent);
    manager.hold();
    const stopped = h.mooring.stop();
    await h.time.advance(80_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    await h.time.advance(5_000);
    await stopped;
  });
});
