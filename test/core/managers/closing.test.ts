import { describe, expect, it } from 'vitest';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { ClosingConnections } from '../../../src/core/managers/closing.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import { harness, silent } from '../support.js';

const frame = { code: 4410, reason: 'evicted' };

function desk(closeGraceMs = 1_000) {
  const time = new SimulatedTime();
  return { time, closing: new ClosingConnections(new StallClock({ time, toleranceMs: 100 }), closeGraceMs) };
}

describe('a connection that is told to close', () => {
  it('gets its close frame at once', () => {
    const { closing } = desk();
    const connection = FakeConnection.silent();
    closing.close(connection, frame);
    expect(connection.closes).toEqual([frame]);
    expect(connection.isTerminated).toBe(false);
  });

  it.each([
    [999, false],
    [1_000, true],
  ])('and does not answer is destroyed after the grace (at %i ms: %s)', async (atMs, isTerminated) => {
    const { time, closing } = desk();
    const connection = FakeConnection.silent();
    closing.close(connection, frame);
    await time.advance(atMs);
    expect(connection.isTerminated).toBe(isTerminated);
  });

  it('and answers is not destroyed', async () => {
    const { time, closing } = desk();
    const connection = FakeConnection.silent();
    closing.close(connection, frame);
    await time.advance(500);
    closing.closed(connection);
    await time.advance(5_000);
    expect(connection.isTerminated).toBe(false);
    expect(time.pendingTimers).toBe(0);
  });

  it('has its own grace, though another was told before', async () => {
    const { time, closing } = desk();
    const [first, second] = [FakeConnection.silent(), FakeConnection.silent()];
    closing.close(first, frame);
    await time.advance(600);
    closing.close(second, frame);
    await time.advance(400);
    expect([first.isTerminated, second.isTerminated]).toEqual([true, false]);
    await time.advance(600);
    expect(second.isTerminated).toBe(true);
  });

  it('and throws is destroyed at once', () => {
    const { closing } = desk();
    const connection = new FakeConnection({ throwsFrom: ['close'] });
    closing.close(connection, frame);
    expect(connection.isTerminated).toBe(true);
    expect(closing.size).toBe(0);
  });

  it('and can not even be destroyed is let go', async () => {
    const { time, closing } = desk();
    closing.close(new FakeConnection({ throwsFrom: ['close', 'terminate'] }), frame);
    closing.close(new FakeConnection({ throwsFrom: ['terminate'], closeAfterMs: null }), frame);
    await time.advance(1_000);
    expect(closing.size).toBe(0);
  });

  it('that can not be destroyed does not keep the next from it', async () => {
    const { time, closing } = desk();
    const next = FakeConnection.silent();
    closing.close(new FakeConnection({ throwsFrom: ['terminate'], closeAfterMs: null }), frame);
    closing.close(next, frame);
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
    const [answers, hangs] = [FakeConnection.silent(), FakeConnection.silent()];
    closing.close(answers, frame);
    closing.close(hangs, frame);
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
    closing.close(connection, frame);
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
