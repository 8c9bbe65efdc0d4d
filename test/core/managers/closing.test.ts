import { describe, expect, it } from 'vitest';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { ClosingConnections, type Closable } from '../../../src/core/managers/closing.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import { harness, silent } from '../support.js';

function desk(closeGraceMs = 1_000) {
  const time = new SimulatedTime();
  const clock = new StallClock({ time, toleranceMs: 100 });
  return { time, closing: new ClosingConnections({ clock, closeGraceMs, closeCodes: {} }) };
}

/** A connection of a manager. */
function linkOf(connection: FakeConnection): Closable & { readonly connection: FakeConnection } {
  return { connection, closing: null };
}

const silentLink = () => linkOf(FakeConnection.silent());

describe('a connection that is told to close', () => {
  it('gets its close frame at once', () => {
    const { closing } = desk();
    const link = silentLink();
    closing.close(link, 'evicted');
    expect(link.connection.closes).toEqual([{ code: 4410, reason: 'evicted' }]);
    expect(link.connection.isTerminated).toBe(false);
  });

  it.each([
    [999, false],
    [1_000, true],
  ])('and does not answer is destroyed after the grace (at %i ms: %s)', async (atMs, isTerminated) => {
    const { time, closing } = desk();
    const link = silentLink();
    closing.close(link, 'evicted');
    await time.advance(atMs);
    expect(link.connection.isTerminated).toBe(isTerminated);
  });

  it('and answers is not destroyed', async () => {
    const { time, closing } = desk();
    const link = silentLink();
    closing.close(link, 'evicted');
    await time.advance(500);
    closing.closed(link);
    await time.advance(5_000);
    expect(link.connection.isTerminated).toBe(false);
    expect(time.pendingTimers).toBe(0);
  });

  it('has its own grace, though another was told before', async () => {
    const { time, closing } = desk();
    const [first, second] = [silentLink(), silentLink()];
    closing.close(first, 'evicted');
    await time.advance(600);
    closing.close(second, 'evicted');
    await time.advance(400);
    expect([first, second].map(({ connection }) => connection.isTerminated)).toEqual([true, false]);
    await time.advance(600);
    expect(second.connection.isTerminated).toBe(true);
  });

  it('and throws is destroyed at once', () => {
    const { closing } = desk();
    const connection = new FakeConnection({ throwsFrom: ['close'] });
    closing.close(linkOf(connection), 'evicted');
    expect(connection.isTerminated).toBe(true);
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
    closing.closed(answers);
    await time.advance(999);
    expect(isEmpty).toBe(false);
    await time.advance(1);
    expect(isEmpty).toBe(true);
  });

  it('resolves when all are disposed of, and no timer is left', async () => {
    const { time, closing } = desk();
    const connection = FakeConnection.silent();
    closing.turnAway(connection, { code: 1013, reason: 'quota' });
    const emptied = closing.whenGone();
    closing.dispose();
    await emptied;
    expect(connection.isTerminated).toBe(true);
    await time.advance(1_000);
    expect(time.pendingTimers).toBe(0);
  });
});

describe('the slot', () => {
  it('ws#2203: is free long before a peer that does not answer has closed', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager, connection } = await h.connect('ada', 'thread_1', silent);
    h.mooring.factory.cleanupManager(manager.key);
    expect(connection.isClosed).toBe(false);
    await h.connect('ada', 'thread_2');
    await h.time.advance(1_000);
    expect(connection.isTerminated).toBe(true);
  });

  it('ws#2203: is free before one that answers in its own time, and that one is not destroyed', async () => {
    const h = harness();
    const { manager, connection } = await h.connect('ada', 'thread_1', { closeAfterMs: 900 });
    h.mooring.factory.cleanupManager(manager.key);
    expect(h.countOf('ada')).toBe(0);
    await h.time.advance(2_000);
    expect(connection).toMatchObject({ isClosed: true, isTerminated: false });
  });
});
