import { describe, expect, it } from 'vitest';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { ClosingConnections, type Closable } from '../../../src/core/managers/closing.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import { harness, silent } from '../support.js';

function desk(closeGraceMs = 1_000, limits: Partial<ConstructorParameters<typeof ClosingConnections>[0]> = {}) {
  const time = new SimulatedTime();
  const clock = new StallClock({ time, toleranceMs: 100 });
  const lifecycle = { socketClosing: () => undefined, socketGone: () => undefined };
  const parts = { clock, closeGraceMs, backlogExcuseMs: 8_000, closeCodes: {}, lifecycle, ...limits };
  return { time, closing: new ClosingConnections(parts) };
}

/** A connection of a manager. */
function linkOf(transport: FakeConnection): Closable & { readonly transport: FakeConnection } {
  return { transport, closing: null };
}

/** So much of what waited for sending leaves the process. */
function leave(transport: FakeConnection, bytes: number): void {
  transport.unsentBytes -= bytes;
  transport.bytesSent += bytes;
}

const silentLink = () => linkOf(FakeConnection.silent());

describe('a connection that is told to close', () => {
  it('gets its close frame at once', () => {
    const { closing } = desk();
    const connection = silentLink();
    closing.close(connection, 'evicted');
    expect(connection.transport.closes).toEqual([{ code: 4410, reason: 'evicted' }]);
    expect(connection.transport.isTerminated).toBe(false);
  });

  it.each([
    [999, false],
    [1_000, true],
  ])('and does not answer is destroyed after the grace (at %i ms: %s)', async (atMs, isTerminated) => {
    const { time, closing } = desk();
    const connection = silentLink();
    closing.close(connection, 'evicted');
    await time.advance(atMs);
    expect(connection.transport.isTerminated).toBe(isTerminated);
  });

  it('and answers is not destroyed', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    closing.close(connection, 'evicted');
    await time.advance(500);
    closing.connectionClosed(connection);
    await time.advance(5_000);
    expect(connection.transport.isTerminated).toBe(false);
    expect(time.pendingTimers).toBe(0);
  });

  it('has its own grace, though another was told before', async () => {
    const { time, closing } = desk();
    const [first, second] = [silentLink(), silentLink()];
    closing.close(first, 'evicted');
    await time.advance(600);
    closing.close(second, 'evicted');
    await time.advance(400);
    expect([first, second].map(({ transport }) => transport.isTerminated)).toEqual([true, false]);
    await time.advance(600);
    expect(second.transport.isTerminated).toBe(true);
  });

  it('and throws is destroyed at once', () => {
    const { closing } = desk();
    const transport = new FakeConnection({ throwsFrom: ['close'] });
    closing.close(linkOf(transport), 'evicted');
    expect(transport.isTerminated).toBe(true);
    expect(closing.isEmpty).toBe(true);
  });

  it('and can not even be destroyed is let go', async () => {
    const { time, closing } = desk();
    closing.close(linkOf(new FakeConnection({ throwsFrom: ['close', 'terminate'] })), 'evicted');
    closing.close(linkOf(new FakeConnection({ throwsFrom: ['terminate'], closeAfterMs: null })), 'evicted');
    await time.advance(1_000);
    expect(closing.isEmpty).toBe(true);
  });

  it('that can not be destroyed does not keep the next from it', async () => {
    const { time, closing } = desk();
    const next = FakeConnection.silent();
    closing.close(linkOf(new FakeConnection({ throwsFrom: ['terminate'], closeAfterMs: null })), 'evicted');
    closing.close(linkOf(next), 'evicted');
    await time.advance(1_000);
    expect(next.isTerminated).toBe(true);
  });
});

describe('a connection that its peer began to close', () => {
  it.each([
    [999, false],
    [1_000, true],
  ])('and does not finish is destroyed after the grace (at %i ms: %s)', async (atMs, isTerminated) => {
    const { time, closing } = desk();
    const connection = silentLink();
    closing.connectionClosing(connection, 'application');
    await time.advance(atMs);
    expect(connection.transport).toMatchObject({ isTerminated, closes: [] });
  });

  it('and closes in time is not destroyed', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    closing.connectionClosing(connection, 'application');
    closing.connectionClosed(connection);
    await time.advance(5_000);
    expect([connection.transport.isTerminated, time.pendingTimers, closing.size]).toEqual([false, 0, 0]);
  });

  it('gets no second grace where it was told to close before', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    closing.close(connection, 'evicted');
    await time.advance(600);
    closing.connectionClosing(connection, 'application');
    await time.advance(400);
    expect(connection.transport.isTerminated).toBe(true);
  });

  it('by the application is waited for while data that was sent before leaves, though it pauses for seconds', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    connection.transport.unsentBytes = 3_000;
    closing.connectionClosing(connection, 'application');
    await time.advance(7_900);
    leave(connection.transport, 1_000);
    await time.advance(8_000);
    expect(connection.transport.isTerminated).toBe(false);
    await time.advance(1_000);
    expect(connection.transport.isTerminated).toBe(true);
  });

  it('by the application is destroyed after the grace once all data has left', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    connection.transport.unsentBytes = 3_000;
    closing.connectionClosing(connection, 'application');
    await time.advance(3_500);
    leave(connection.transport, 3_000);
    await time.advance(1_000);
    expect(connection.transport.isTerminated).toBe(false);
    await time.advance(1_000);
    expect(connection.transport.isTerminated).toBe(true);
  });

  it('by the peer is waited for as long as data that was sent before leaves, and no longer', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    connection.transport.unsentBytes = 3_000;
    closing.connectionClosing(connection, 'peer');
    await time.advance(999);
    leave(connection.transport, 1_000);
    await time.advance(1_000);
    expect(connection.transport.isTerminated).toBe(false);
    await time.advance(1_000);
    expect(connection.transport.isTerminated).toBe(true);
  });

  it('is destroyed after half a minute, however slowly its data leaves', async () => {
    const { time, closing } = desk();
    const connection = silentLink();
    connection.transport.unsentBytes = 100_000;
    closing.connectionClosing(connection, 'application');
    for (let second = 0; second < 29; second++) {
      leave(connection.transport, 1);
      await time.advance(1_000);
    }
    expect(connection.transport.isTerminated).toBe(false);
    leave(connection.transport, 1);
    await time.advance(1_000);
    expect(connection.transport.isTerminated).toBe(true);
  });
});

describe('connections that are closing', () => {
  const of = (userId: string) => ({ ...silentLink(), context: { userId } });
  const ended = (connections: readonly { readonly transport: FakeConnection }[]) =>
    connections.map(({ transport }) => transport.isTerminated);

  it('are no more of a user than its limit: the oldest of that user goes', () => {
    const { closing } = desk(1_000, { limitOfUser: () => 2 });
    const connections = [of('ada'), of('bob'), of('ada'), of('ada')];
    for (const connection of connections) closing.connectionClosing(connection, 'application');
    expect(ended(connections)).toEqual([true, false, false, false]);
    expect(closing.size).toBe(3);
  });

  it('may be one of a user whose limit is 0', () => {
    const { closing } = desk(1_000, { limitOfUser: () => 0 });
    const connections = [of('ada'), of('ada')];
    for (const connection of connections) closing.close(connection, 'idle');
    expect(ended(connections)).toEqual([true, false]);
  });

  it('are no more in all than there is room for: the oldest goes, refused or not', () => {
    let room = 2;
    const { closing } = desk(1_000, { limitOfAll: () => room });
    const refused = FakeConnection.silent();
    closing.turnAway(refused, { code: 1013, reason: 'quota' });
    const connections = [of('ada'), of('bob')];
    for (const connection of connections) closing.connectionClosing(connection, 'application');
    expect([refused.isTerminated, ...ended(connections)]).toEqual([true, false, false]);
    room = 0;
    const last = of('eve');
    closing.connectionClosing(last, 'application');
    expect(ended([...connections, last])).toEqual([true, false, false]);
  });

  it('count no longer once they are gone', async () => {
    const { closing, time } = desk(1_000, { limitOfUser: () => 2 });
    const [first, second, third] = [of('ada'), of('ada'), of('ada')];
    closing.connectionClosing(first, 'application');
    closing.connectionClosed(first);
    closing.connectionClosing(second, 'application');
    closing.connectionClosing(third, 'application');
    expect(ended([second, third])).toEqual([false, false]);
    await time.advance(1_000);
    expect(closing.isEmpty).toBe(true);
  });
});

describe('whenGone', () => {
  it('resolves at once where nothing closes', async () => {
    await desk().closing.whenGone();
  });

  it('resolves with the last connection, closed or destroyed', async () => {
    const { time, closing } = desk();
    const [answers, hangs] = [silentLink(), silentLink()];
    closing.close(answers, 'evicted');
    closing.close(hangs, 'evicted');
    let isEmpty = false;
    void closing.whenGone().then(() => (isEmpty = true));
    closing.connectionClosed(answers);
    await time.advance(999);
    expect(isEmpty).toBe(false);
    await time.advance(1);
    expect(isEmpty).toBe(true);
  });

  it('resolves when all are disposed of, and no timer is left', async () => {
    const { time, closing } = desk();
    const transport = FakeConnection.silent();
    closing.turnAway(transport, { code: 1013, reason: 'quota' });
    const emptied = closing.whenGone();
    closing.dispose();
    await emptied;
    expect(transport.isTerminated).toBe(true);
    await time.advance(1_000);
    expect(time.pendingTimers).toBe(0);
  });
});

describe('the slot', () => {
  it('is free when the peer begins to close, and the socket is destroyed after the grace', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { connection, transport } = await h.connect('ada', 'thread_1', silent);
    connection.closingBegan();
    expect(h.countOf('ada')).toBe(0);
    expect(h.mooring.closingCount).toBe(1);
    await h.connect('ada', 'thread_2');
    await h.time.advance(1_000);
    expect(transport.isTerminated).toBe(true);
    expect(h.mooring.closingCount).toBe(0);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed', closeCause: null }]);
  });

  it('is gained by nobody who connects, closes and stays: one user of limit 1 has one such socket', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const connections = [];
    for (let i = 0; i < 50; i++) {
      const { connection, transport } = await h.connect('mallory', `thread_${i}`, silent);
      connection.closingBegan();
      connections.push(transport);
    }
    expect(connections.filter(({ isTerminated }) => !isTerminated)).toHaveLength(1);
  });

  it('is no way around the limit of all either, whatever user each socket is of', async () => {
    const h = harness({ config: { maxTotalManagers: 10 } });
    const connections = [];
    for (let i = 0; i < 300; i++) {
      const { connection, transport } = await h.connect(`mallory${i}`, 'thread_1', silent);
      connection.closingBegan();
      connections.push(transport);
    }
    // A tenth more than managers, at least 100; each still has its manager in the moment in which it begins to close.
    expect(connections.filter(({ isTerminated }) => !isTerminated)).toHaveLength(109);
  });

  it('does not keep a drain longer than the grace, whatever the peer of a closing socket does', async () => {
    const h = harness();
    const { connection, transport } = await h.connect('ada', 'thread_1', silent);
    transport.unsentBytes = 1_000_000;
    connection.closingBegan();
    let isStopped = false;
    void h.mooring.stop().then(() => (isStopped = true));
    await h.time.advance(1_000);
    expect([isStopped, transport.isTerminated]).toEqual([true, true]);
  });

  it('ws#2203: is free long before a peer that does not answer has closed', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager, transport } = await h.connect('ada', 'thread_1', silent);
    h.mooring.release(manager.key);
    expect(transport.isClosed).toBe(false);
    await h.connect('ada', 'thread_2');
    await h.time.advance(1_000);
    expect(transport.isTerminated).toBe(true);
  });

  it('ws#2203: is free before one that answers in its own time, and that one is not destroyed', async () => {
    const h = harness();
    const { manager, transport } = await h.connect('ada', 'thread_1', { closeAfterMs: 900 });
    h.mooring.release(manager.key);
    expect(h.countOf('ada')).toBe(0);
    await h.time.advance(2_000);
    expect(transport).toMatchObject({ isClosed: true, isTerminated: false });
  });
});
