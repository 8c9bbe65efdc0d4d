import { describe, expect, it, vi } from 'vitest';
import { harness, remote, silent, type HarnessOptions } from '../support.js';

async function held(options: HarnessOptions = {}) {
  const h = harness(options);
  const page = await h.connect('ada', 'thread_1', remote);
  const onRelease = vi.fn();
  page.manager.onRelease(onRelease);
  return { h, ...page, hold: page.manager.hold(), onRelease };
}

describe('a held manager whose connection says goodbye', () => {
  it('waits for the next connection of its thread, which goes on with holds and hooks', async () => {
    const { h, manager, transport, onRelease, hold } = await held();
    expect(manager.socket()).toBe(transport);
    transport.vanish();
    expect(manager).toMatchObject({ state: 'away', isHeld: true });
    expect(manager.socket()).toBeNull();
    await h.time.advance(9_000);
    const next = await h.connect('ada', 'thread_1', remote);
    expect(next.manager).toBe(manager);
    expect(manager).toMatchObject({ state: 'attached', isHeld: true, generation: 2 });
    expect(manager.socket()).toBe(next.transport);
    expect(h.said('connection.resumed')).toMatchObject([{ key: 'ada:thread_1', generation: 2, awayMs: 9_000 }]);
    expect(h.said('connection.replaced')).toEqual([]);
    await h.time.advance(60_000);
    expect([onRelease.mock.calls.length, hold()]).toEqual([0, true]);
    expect(manager.state).toBe('attached');
  });

  it('is released as closed once nobody has come back', async () => {
    const { h, manager, transport, onRelease } = await held();
    transport.vanish();
    await h.time.advance(9_999);
    expect(manager.state).toBe('away');
    await h.time.advance(2);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed', closeCause: null }]);
    expect(onRelease).toHaveBeenCalledTimes(1);
    expect(manager.socket()).toBeNull();
  });

  it('is released at once where no grace is given', async () => {
    const { h, manager, transport } = await held({ config: { resumeGraceMs: 0 } });
    transport.vanish();
    expect(manager.state).toBe('released');
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('is away too when the application disconnects its context', async () => {
    const { h, manager, transport, context } = await held();
    expect(h.mooring.disconnect(context)).toBe(true);
    expect(manager.state).toBe('away');
    expect(transport.closes).toMatchObject([{ code: 1000 }]);
    expect(h.mooring.disconnect(context)).toBe(false);
    await h.time.advance(5_000);
    expect(manager.state).toBe('away');
  });

  it('is away too when its connection breaks', async () => {
    const { h, manager, transport, connection } = await held();
    connection.errored(new Error('read ECONNRESET'));
    transport.vanish();
    const next = await h.connect('ada', 'thread_1', remote);
    expect(next.manager).toBe(manager);
    await h.time.advance(120_000);
    expect(manager.state).toBe('attached');
  });

  it('is over at once when its last hold ends', async () => {
    const { h, manager, transport, hold } = await held();
    const other = manager.hold();
    transport.vanish();
    hold();
    expect(manager.state).toBe('away');
    other();
    expect(manager.state).toBe('released');
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('is over at once when its last hold expires', async () => {
    const h = harness();
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    manager.hold({ maxMs: 5_000 });
    transport.vanish();
    await h.time.advance(5_000);
    expect(manager.state).toBe('released');
  });

  it('is over at once when the server stops, and hands its place to nobody', async () => {
    const { h, manager, transport } = await held();
    transport.vanish();
    void h.mooring.stop();
    expect(manager.state).toBe('released');
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('ignores what its former connection reports late', async () => {
    const { h, manager, transport, connection } = await held();
    transport.vanish();
    connection.closed();
    connection.errored(new Error('late'));
    const next = await h.connect('ada', 'thread_1', remote);
    connection.closed();
    connection.errored(new Error('later'));
    expect(manager).toMatchObject({ state: 'attached', hasFailed: false });
    expect(manager.socket()).toBe(next.transport);
  });

  it('goes away and comes back as often as its page is reloaded, which is no fight', async () => {
    const { h, manager, transport } = await held();
    transport.vanish();
    for (let i = 0; i < 12; i++) {
      const next = await h.connect('ada', 'thread_1', remote);
      await h.time.advance(100);
      next.transport.vanish();
      expect(manager.state).toBe('away');
    }
    expect(h.said('connection.resumed')).toHaveLength(12);
    expect(h.said('admission.refused')).toEqual([]);
  });

  it('waits for a next connection that is on its way, and then no longer', async () => {
    const { h, manager, transport } = await held({ config: { ticketMs: 20_000 } });
    transport.vanish();
    await h.time.advance(9_000);
    const ticket = h.ticket('ada', 'thread_1');
    await h.time.advance(5_000);
    expect(manager.state).toBe('away');
    ticket.cancel();
    expect(manager.state).toBe('released');
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('stays away where a next connection gives up within the grace', async () => {
    const { h, manager, transport } = await held();
    transport.vanish();
    h.ticket('ada', 'thread_1').cancel();
    expect(manager.state).toBe('away');
    await h.time.advance(10_001);
    expect(manager.state).toBe('released');
  });

  it('while its next connection is on its way waits for another one, if that does not come', async () => {
    const { h, manager, transport } = await held();
    const ticket = h.ticket('ada', 'thread_1');
    transport.vanish();
    expect(manager.state).toBe('away');
    ticket.cancel();
    await h.time.advance(9_000);
    expect(manager.state).toBe('away');
    const next = await h.connect('ada', 'thread_1', remote);
    expect(next.manager).toBe(manager);
    expect(h.said('connection.resumed')).toHaveLength(1);
    expect(h.said('connection.replaced')).toEqual([]);
  });

  it('while its next connection is on its way is released, if neither that nor another one comes', async () => {
    const { h, manager, transport } = await held({ config: { ticketMs: 2_000 } });
    h.ticket('ada', 'thread_1');
    transport.vanish();
    await h.time.advance(9_999);
    expect(manager.state).toBe('away');
    await h.time.advance(2);
    expect(manager.state).toBe('released');
  });

  it('while a fight over its thread is not settled yet goes on with the one that wants it', async () => {
    const { h, manager, transport } = await held();
    let last = transport;
    for (let taken = 0; taken < 5; taken++) last = (await h.connect('ada', 'thread_1', remote)).transport;
    const contender = h.arrive('ada', 'thread_1', remote);
    expect(contender.outcome).toBeNull();
    last.vanish();
    expect((await contender.connected).manager).toBe(manager);
    expect(manager).toMatchObject({ state: 'attached', isHeld: true });
    expect(h.said('connection.resumed')).toHaveLength(1);
  });

  it('has no hold any more: then its goodbye releases it at once', async () => {
    const { h, manager, transport, hold } = await held();
    hold();
    transport.vanish();
    expect(manager.state).toBe('released');
    expect(h.said('connection.left')).toEqual([]);
  });

  it('was found silent: then it is dead, held or not', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', silent);
    manager.hold();
    await h.time.advance(80_000);
    expect(manager.state).toBe('released');
    expect(h.said('connection.left')).toEqual([]);
  });
});

describe('a manager that is away', () => {
  it('counts against the limit and is shown, until a newcomer needs its place', async () => {
    const { h, manager, transport } = await held({ config: { maxManagersPerUser: 2 } });
    const other = await h.connect('ada', 'thread_2', remote);
    transport.vanish();
    expect(h.countOf('ada')).toBe(2);
    expect(h.threadsOf('ada')).toEqual(['thread_1', 'thread_2']);
    const pings = other.transport.pings.length;
    const outcome = h.ticket('ada', 'thread_3');
    expect(manager.state).toBe('released');
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', reason: 'closed' }]);
    expect(other.transport.pings).toHaveLength(pings);
    expect(h.countOf('ada')).toBe(2);
    h.open(outcome);
  });

  it('makes room in the order in which they went away', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const clients = await h.fill('ada', 3, remote);
    for (const { manager } of clients) manager.hold();
    for (const index of [1, 2, 0]) {
      await h.time.advance(100);
      clients[index]!.transport.vanish();
    }
    for (const thread of ['a', 'b', 'c']) h.ticket('ada', `thread_${thread}`);
    expect(h.said('manager.released').map(({ threadId }) => threadId)).toEqual(['thread_2', 'thread_3', 'thread_1']);
  });

  it('makes room for its own user only, where the server is full', async () => {
    const h = harness({ config: { maxTotalManagers: 2 } });
    const { transport, manager } = await h.connect('ada', 'thread_1', remote);
    await h.connect('bob', 'thread_1', remote);
    manager.hold();
    transport.vanish();
    expect(h.refusal('eve', 'thread_1').code).toBe('capacity.exceeded');
    expect(manager.state).toBe('away');
    h.ticket('ada', 'thread_2');
    expect(manager.state).toBe('released');
  });

  it('never is, where somebody of its user waits for a place', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { transport, manager } = await h.connect('ada', 'thread_1', remote);
    manager.hold();
    const newcomer = h.arrive('ada', 'thread_2', remote);
    transport.vanish();
    expect(manager.state).toBe('released');
    expect((await newcomer.connected).refusal).toBeNull();
  });

  it('is left alone by every cleanup, and released when somebody asks for it', async () => {
    const { h, manager, transport } = await held({ config: { resumeGraceMs: 3_600_000 } });
    transport.vanish();
    await h.time.advance(1_200_000);
    await h.mooring.backgroundCleanup.runCycle();
    const cleaned = h.mooring.emergencyCleanup('ada', { keep: 0 });
    await h.time.advance(10_000);
    expect((await cleaned).cleaned).toBe(0);
    expect(manager.state).toBe('away');
    expect(h.mooring.release(manager.key)).toBe(true);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'requested', closeCause: null }]);
  });

  it('is no accumulation', async () => {
    const { h, transport } = await held({ config: { resumeGraceMs: 300_000 } });
    transport.vanish();
    await h.time.advance(200_000);
    const { kpis } = h.mooring.kpis();
    expect(kpis.find(({ name }) => name === 'accumulation')).toMatchObject({ value: 0, verdict: 'pass' });
  });

  it('is wanted in and got in when its thread comes back', async () => {
    const { h, transport } = await held();
    await h.time.advance(55_000);
    transport.vanish();
    await h.time.advance(8_000);
    await h.connect('ada', 'thread_1', remote);
    const { kpis } = h.mooring.kpis();
    expect(kpis.find(({ name }) => name === 'connectionSuccess')).toMatchObject({ value: 1, samples: 2 });
  });
});
