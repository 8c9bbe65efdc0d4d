import { describe, expect, it } from 'vitest';
import { never } from '../../../src/core/time.js';
import { unreadable } from '../liveness/lone-connection.js';
import { harness, remote, silent } from '../support.js';

/** A client of a user far from the limit. */
async function client(options = remote) {
  const h = harness();
  return { h, ...(await h.connect('ada', 'thread_1', options)) };
}

describe('a manager', () => {
  it('is reserved, attached and released, in this order', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    const { manager } = ticket;
    const states = [manager.state];
    h.open(ticket);
    states.push(manager.state);
    h.mooring.release(manager.key);
    expect([...states, manager.state]).toEqual(['reserved', 'attached', 'released']);
  });

  it('tells who it belongs to', async () => {
    const { manager, context } = await client();
    expect(manager).toMatchObject({ userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1', admittedAtMs: 0 });
    expect(manager.context).toBe(context);
  });

  it.each([
    ['nothing sent', { lastSendAtMs: never, lastWriteAtMs: never }, 0, 10],
    ['sent before it heard', { lastSendAtMs: 5, lastWriteAtMs: never }, 0, 10],
    ['sent since', { lastSendAtMs: 15, lastWriteAtMs: never }, 0, 15],
    ['sent since, and seen to leave later', { lastSendAtMs: 15, lastWriteAtMs: 20 }, 0, 15],
    ['sent since, of which nothing has left', { lastSendAtMs: 15, lastWriteAtMs: never }, 1, 10],
    ['sent before, and some left since', { lastSendAtMs: 5, lastWriteAtMs: 20 }, 1, 20],
    ['sent before, and all left', { lastSendAtMs: 5, lastWriteAtMs: 20 }, 0, 10],
  ])('was last active, with %s, when that says so', async (_, stamps, unsentBytes, atMs) => {
    const { manager, transport } = await client();
    Object.assign(manager.connection!, { lastInboundAtMs: 10 }, stamps);
    transport.unsentBytes = unsentBytes;
    expect(manager.lastActivityAtMs).toBe(atMs);
  });

  it('opened its connection as inbound activity', async () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    await h.time.advance(5_000);
    h.open(ticket);
    expect(ticket.manager.lastActivityAtMs).toBe(5_000);
  });

  it('keeps what its former connection sent', async () => {
    const { h, manager, transport } = await client();
    await h.time.advance(5_000);
    transport.send();
    await h.connect('ada', 'thread_1');
    expect(manager.lastOutboundAtMs).toBe(5_000);
  });
});

describe('activity', () => {
  it('is a message from the client when it arrives', async () => {
    const { h, manager, transport } = await client();
    await h.time.advance(5_000);
    transport.message();
    expect(manager.lastActivityAtMs).toBe(5_000);
  });

  it('is a message to the client when it has left', async () => {
    const { h, manager, transport } = await client();
    await h.time.advance(5_000);
    transport.sendStuck(8);
    expect(manager.lastActivityAtMs).toBe(0);
    transport.unsentBytes = 0;
    expect(manager.lastActivityAtMs).toBe(5_000);
  });

  it.each<[string, (made: Awaited<ReturnType<typeof client>>) => void]>([
    ['pong', ({ transport }) => transport.pong('m1.x')],
    ['keepalive', ({ transport }) => transport.keepalive()],
  ])('is no %s, though the peer was seen', async (_, act) => {
    const made = await client();
    await made.h.time.advance(5_000);
    act(made);
    expect(made.manager.lastActivityAtMs).toBe(0);
    expect(made.connection.lastSeenAtMs).toBe(5_000);
  });
});

describe('hold', () => {
  it('holds until it is let go', async () => {
    const { manager } = await client();
    const letGo = manager.hold();
    expect(manager.isHeld).toBe(true);
    letGo();
    expect(manager.isHeld).toBe(false);
  });

  it('holds until the last of several is let go', async () => {
    const { manager } = await client();
    const [one, other] = [manager.hold(), manager.hold()];
    one();
    one();
    expect(manager.isHeld).toBe(true);
    other();
    expect(manager.isHeld).toBe(false);
  });

  it('counts as inbound activity when it starts and when it ends', async () => {
    const { h, manager } = await client();
    await h.time.advance(1_000);
    const letGo = manager.hold();
    expect(manager.lastActivityAtMs).toBe(1_000);
    await h.time.advance(1_000);
    letGo();
    expect(manager.lastActivityAtMs).toBe(2_000);
    await h.time.advance(1_000);
    letGo();
    expect(manager.lastActivityAtMs).toBe(2_000);
  });

  it('does not keep a dead connection', async () => {
    const { h, manager } = await client(silent);
    manager.hold();
    await h.time.advance(80_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });

  it('of a released manager is none', async () => {
    const { h, manager } = await client();
    h.mooring.release(manager.key);
    const letGo = manager.hold();
    expect(manager.isHeld).toBe(false);
    letGo();
  });

  it('may be let go after the release', async () => {
    const { h, manager } = await client();
    const letGo = manager.hold();
    h.mooring.release(manager.key);
    letGo();
    expect(h.said('manager.released')).toHaveLength(1);
  });
});

describe('fail', () => {
  it('has the next cleanup release the manager', async () => {
    const { h, manager } = await client();
    manager.fail(new Error('broken'));
    expect(manager).toMatchObject({ state: 'attached', hasFailed: true });
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error', closeCause: 'error' }]);
  });

  it('is what a fatal error of the socket does', async () => {
    const { h, manager, connection } = await client();
    const reset = new Error('reset');
    connection.errored(reset);
    expect(manager).toMatchObject({ hasFailed: true, lastError: reset });
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
  });

  it('is unset by what arrives later', async () => {
    const { h, manager, transport } = await client();
    manager.fail(new Error('broken'));
    await h.time.advance(1);
    transport.message();
    expect(manager.hasFailed).toBe(false);
    await h.time.advance(120_000);
    expect(manager.state).toBe('attached');
  });

  it('is unset by what arrives in the same moment, but later', async () => {
    const { manager, transport } = await client();
    transport.message();
    manager.fail(new Error('broken'));
    expect(manager.hasFailed).toBe(true);
    transport.message();
    expect(manager.hasFailed).toBe(false);
  });

  it('is unset by what bears the time last read', async () => {
    const { h, manager, connection } = await client();
    manager.fail(new Error('broken'));
    await h.time.advance(200);
    connection.received(connection.clock.recentMs);
    expect(manager.hasFailed).toBe(false);
  });

  it('is not unset by a pong or by what is sent', async () => {
    const { h, manager, transport } = await client();
    manager.fail(new Error('broken'));
    await h.time.advance(1);
    transport.send();
    transport.pong('m1.x');
    expect(manager.hasFailed).toBe(true);
  });

  it('makes room for a newcomer at once', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager } = await h.connect('ada', 'thread_1', remote);
    manager.fail(new Error('broken'));
    const newcomer = h.arrive('ada', 'thread_2', remote);
    await h.time.settle();
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('counts again, though it was unset before', async () => {
    const { h, manager, transport } = await client();
    manager.fail(new Error('broken'));
    await h.time.advance(1);
    transport.message();
    await h.time.advance(100_000);
    manager.fail(new Error('broken again'));
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
  });
});

describe('reportError', () => {
  it('leaves the manager alone for five minutes, then has it released', async () => {
    const { h, manager, transport } = await client();
    await h.time.advance(1);
    manager.reportError(new Error('odd'));
    expect(manager.errorReportedAtMs).toBe(1);
    await h.time.advance(299_999);
    transport.send();
    expect(manager.state).toBe('attached');
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
  });

  it('counts from the first report, and keeps the last error', async () => {
    const { h, manager } = await client();
    manager.reportError(new Error('first'));
    await h.time.advance(200_000);
    const last = new Error('last');
    manager.reportError(last);
    expect(manager).toMatchObject({ errorReportedAtMs: 0, lastError: last });
    await h.time.advance(100_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
  });

  it('is unset by what arrives later', async () => {
    const { h, manager, transport } = await client();
    manager.reportError(new Error('odd'));
    await h.time.advance(1);
    transport.message();
    expect(manager.errorReportedAtMs).toBeNull();
    await h.time.advance(400_000);
    expect(manager.state).toBe('attached');
  });

  it('counts anew after it was unset', async () => {
    const { h, manager, transport } = await client();
    manager.reportError(new Error('odd'));
    await h.time.advance(100_000);
    transport.message();
    await h.time.advance(1);
    manager.reportError(new Error('odd again'));
    expect(manager.errorReportedAtMs).toBe(100_001);
    await h.time.advance(299_998);
    expect(manager.state).toBe('attached');
    await h.time.advance(60_001);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'error' }]);
  });

  it('does not stand in the way of a later report of another manager', async () => {
    const { h, manager, transport } = await client();
    const second = await h.connect('ada', 'thread_2', remote);
    manager.reportError(new Error('odd'));
    second.manager.reportError(new Error('odd'));
    await h.time.advance(1);
    transport.message();
    await h.time.advance(360_000);
    expect(h.threadsOf('ada')).toEqual(['thread_1']);
  });

  it('is no failure', async () => {
    const { h, manager } = await client();
    manager.reportError(new Error('odd'));
    await h.time.advance(120_000);
    expect(manager).toMatchObject({ state: 'attached', hasFailed: false });
  });
});

describe('a manager without much of a past', () => {
  it('takes errors before it has a connection', () => {
    const h = harness();
    const { manager } = h.ticket('ada', 'thread_1');
    expect(manager.lastError).toBeUndefined();
    manager.reportError('odd');
    expect(manager.lastError).toBe('odd');
  });

  it('takes no errors once it is released', async () => {
    const { h, manager } = await client();
    h.mooring.release(manager.key);
    manager.fail('broken');
    manager.reportError('odd');
    expect(manager.lastError).toBeUndefined();
  });

  it('forgets an error that something arrived after, in the same moment', async () => {
    const { manager, transport } = await client();
    manager.reportError('odd');
    expect(manager.errorReportedAtMs).not.toBeNull();
    transport.message();
    expect(manager.errorReportedAtMs).toBeNull();
  });

  it('is held until the last of several holds ends', async () => {
    const { manager } = await client();
    const [first, second] = [manager.hold(), manager.hold()];
    second();
    expect(manager.isHeld).toBe(true);
    first();
    expect(manager.isHeld).toBe(false);
  });

  it('has sent nothing, where it cannot be read whether that left', async () => {
    const { h, manager, transport, connection } = await client();
    await h.time.advance(1_000);
    unreadable(transport);
    connection.sent(false);
    expect(manager.lastOutboundAtMs).toBe(0);
  });
});
