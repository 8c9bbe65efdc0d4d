import { describe, expect, it, vi } from 'vitest';
import { harness, remote, silent } from '../support.js';

describe('a granted slot', () => {
  it.each([
    [9_999, 1],
    [10_000, 0],
  ])('without a socket for %i ms leaves %i manager', async (waitMs, managers) => {
    const h = harness();
    h.ticket('ada', 'thread_1');
    await h.time.advance(waitMs);
    expect(h.countOf('ada')).toBe(managers);
  });

  it('returns as unattached', async () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    await h.time.advance(10_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'unattached', generation: 0, closeCause: null }]);
    expect(ticket.refusal?.code).toBe('ticket.expired');
  });

  it('returns after ticketMs', async () => {
    const h = harness({ config: { ticketMs: 500 } });
    h.ticket('ada', 'thread_1');
    await h.time.advance(500);
    expect(h.countOf('ada')).toBe(0);
  });

  it('that returned goes to the next in line', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.connect('ada', 'thread_1', { pongAfterMs: 400 });
    h.ticket('ada', 'thread_2');
    await h.time.advance(9_800);
    const next = h.arrive('ada', 'thread_3', remote);
    await h.time.advance(199);
    expect(next.outcome).toBeNull();
    await h.time.advance(1);
    expect(next.outcome?.refusal).toBeNull();
  });

  it('of one thread returns while another was opened in time', async () => {
    const h = harness();
    const [first] = [h.ticket('ada', 'thread_1'), h.ticket('ada', 'thread_2')];
    await h.time.advance(5_000);
    h.open(first);
    await h.time.advance(5_000);
    expect(h.threadsOf('ada')).toEqual(['thread_1']);
  });

  it('openclaw#105698: does not run out while this process stands still', async () => {
    const h = harness();
    h.ticket('ada', 'thread_1');
    h.time.stall(60_000);
    await h.time.advance(9_500);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(500);
    expect(h.countOf('ada')).toBe(0);
  });

  it('is kept when the socket came', async () => {
    const h = harness();
    h.open(h.ticket('ada', 'thread_1'));
    await h.time.advance(20_000);
    expect(h.countOf('ada')).toBe(1);
  });
});

describe('a ticket', () => {
  it('opens one connection', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    const { connection } = h.open(ticket);
    expect(ticket.connection).toBe(connection);
    expect(() => ticket.open(h.socket())).toThrow(TypeError);
    expect(connection.isCurrent).toBe(true);
  });

  it('opens none once it has expired', async () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    await h.time.advance(10_000);
    const opening = ticket.open(h.socket());
    expect(opening.connection).toBeNull();
    expect(opening.refusal?.close).toEqual({ code: 1013, reason: 'unattached' });
    expect(h.countOf('ada')).toBe(0);
  });

  it('gives the slot back when it is cancelled, once', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    ticket.cancel();
    ticket.cancel();
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('manager.released')).toHaveLength(1);
  });

  it('does not end its connection when it is cancelled after that was opened', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    const { transport } = h.open(ticket);
    ticket.cancel();
    expect(transport.closes).toEqual([]);
    expect(h.countOf('ada')).toBe(1);
  });

  it('that was granted but not opened ends 4409 replaced when a newer one is', () => {
    const h = harness();
    const former = h.ticket('ada', 'thread_1');
    const newer = h.ticket('ada', 'thread_1');
    expect(former.refusal?.close).toEqual({ code: 4409, reason: 'replaced' });
    expect(newer.manager).toBe(former.manager);
    expect(h.countOf('ada')).toBe(1);
  });

  it('is replaced by a newer one also if a ticket of another thread was granted between them', () => {
    const h = harness();
    const former = h.ticket('ada', 'thread_1');
    const other = h.ticket('ada', 'thread_2');
    const newer = h.ticket('ada', 'thread_1');
    expect(former.refusal?.close).toEqual({ code: 4409, reason: 'replaced' });
    expect([other.refusal, newer.refusal]).toEqual([null, null]);
    expect(newer.manager).toBe(former.manager);
  });

  it('that was replaced gives back nothing when it is cancelled', () => {
    const h = harness();
    const former = h.ticket('ada', 'thread_1');
    const newer = h.ticket('ada', 'thread_1');
    former.cancel();
    h.open(newer);
    expect(h.countOf('ada')).toBe(1);
  });

  it('has all its time although it replaced one that was about to expire', async () => {
    const h = harness();
    h.ticket('ada', 'thread_1');
    await h.time.advance(9_000);
    h.ticket('ada', 'thread_1');
    await h.time.advance(9_999);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(1);
    expect(h.countOf('ada')).toBe(0);
  });

  it('ends when its manager is released on request', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    h.mooring.release(ticket.context);
    expect(ticket.open(h.socket()).refusal?.code).toBe('manager.released');
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('a pending successor', () => {
  const pending = async (options = remote) => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const incumbent = await h.connect('ada', 'thread_1', options);
    const hook = vi.fn();
    incumbent.manager.onRelease(hook);
    return { h, incumbent, hook, successor: h.ticket('ada', 'thread_1') };
  };

  it('is the only one: a newer connect ends it 4409 replaced', async () => {
    const { h, incumbent, successor } = await pending();
    const newer = h.ticket('ada', 'thread_1');
    expect(successor.refusal?.close).toEqual({ code: 4409, reason: 'replaced' });
    expect(h.open(newer).connection.generation).toBe(2);
    expect(incumbent.transport.closes).toHaveLength(1);
  });

  it('is not counted as a takeover unless it opens', async () => {
    const { h } = await pending();
    for (let i = 0; i < 20; i++) h.ticket('ada', 'thread_1').cancel();
    expect((await h.connect('ada', 'thread_1')).connection.generation).toBe(2);
  });

  it('that never opens leaves the incumbent as it was', async () => {
    const { h, incumbent, successor } = await pending();
    await h.time.advance(10_000);
    expect(successor.refusal?.code).toBe('ticket.expired');
    expect(incumbent.connection.isCurrent).toBe(true);
    expect(incumbent.transport.closes).toEqual([]);
  });

  it('keeps the manager when the old connection closes, and takes it over', async () => {
    const { h, incumbent, hook, successor } = await pending();
    incumbent.transport.vanish();
    expect(h.countOf('ada')).toBe(1);
    expect(h.open(successor).manager).toBe(incumbent.manager);
    await h.time.advance(20_000);
    expect(h.said('manager.released')).toEqual([]);
    expect(hook).not.toHaveBeenCalled();
  });

  it('that never opens lets the release happen that waited for it', async () => {
    const { h, incumbent, hook } = await pending();
    incumbent.transport.vanish();
    await h.time.advance(9_999);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(1);
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
    expect(hook).toHaveBeenCalledOnce();
  });

  it('that is cancelled lets the release happen that waited for it', async () => {
    const { h, incumbent, successor } = await pending();
    incumbent.transport.vanish();
    successor.cancel();
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('that opens clears the release that waited for it', async () => {
    const { h, incumbent, successor } = await pending();
    incumbent.transport.vanish();
    h.open(successor);
    h.ticket('ada', 'thread_1').cancel();
    expect(h.countOf('ada')).toBe(1);
  });

  it('keeps the manager when the heartbeat finds the incumbent dead, and lets it go afterwards', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 1_000 } });
    await h.connect('ada', 'thread_1', silent);
    h.ticket('ada', 'thread_1');
    await h.time.advance(9_999);
    expect(h.said('heartbeat.missed')).toHaveLength(2);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(1);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected', closeCause: 'silent' }]);
  });

  it('keeps the manager from every strategy', async () => {
    const { h } = await pending(silent);
    await h.time.advance(5_000);
    const newcomer = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(2_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.threadsOf('ada')).toEqual(['thread_1']);
  });

  it('does not keep the manager from being released on request', async () => {
    const { h, incumbent, successor } = await pending();
    h.mooring.release(incumbent.manager.key);
    expect(h.countOf('ada')).toBe(0);
    expect(successor.open(h.socket()).refusal?.code).toBe('manager.released');
    expect(incumbent.transport.closes).toEqual([{ code: 4412, reason: 'requested' }]);
  });
});

describe('a ticket', () => {
  it('that was opened cannot be cancelled, nor opened again', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    const { connection } = h.open(ticket);
    ticket.cancel();
    expect([ticket.refusal, connection.isCurrent]).toEqual([null, true]);
    expect(() => ticket.open(h.socket())).toThrow(/opened before/);
  });

  it('makes its context that of a manager without a connection', () => {
    const h = harness();
    const [first, second] = [h.ticket('ada', 'thread_1'), h.ticket('ada', 'thread_1')];
    expect(second.manager).toBe(first.manager);
    expect(second.manager.context).toBe(second.context);
    expect(first.refusal?.code).toBe('key.replaced');
  });
});
