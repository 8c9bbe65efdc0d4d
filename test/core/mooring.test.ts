import { describe, expect, it } from 'vitest';
import { harness, remote, silent } from './support.js';

describe('what a Mooring says of suspects', () => {
  it('is nothing as long as a connection answers, or is given time to', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(60_000);
    expect([h.mooring.suspicionOf(manager), h.mooring.suspectCount]).toEqual([null, 0]);
  });

  it('is for how long a ping is unanswered, and when the heartbeat ends the connection', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(30_000);
    transport.fallSilent();
    transport.message();
    // A newcomer that does not answer takes no slot of a suspect.
    const waiting = h.wait('ada', 'thread_2');
    waiting.accepted?.(h.socket(silent));
    await h.time.advance(3_500);
    const outlook = h.mooring.suspicionOf(manager);
    expect(h.mooring.suspectCount).toBe(1);
    expect(outlook?.unansweredMs).toBeGreaterThanOrEqual(3_000);
    expect(outlook?.unansweredMs).toBeLessThanOrEqual(4_000);
    expect(outlook?.endsInMs).toBeGreaterThan(0);
    const endsInMs = outlook?.endsInMs ?? 0;
    waiting.cancel();
    await h.time.advance(endsInMs + 1_000);
    expect([manager.isReleased, h.mooring.suspicionOf(manager), h.mooring.suspectCount]).toEqual([true, null, 0]);
  });

  it('is nothing of a manager without a connection', () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    expect(h.mooring.suspicionOf(ticket.manager)).toBeNull();
    ticket.cancel();
  });
});

describe('what a Mooring says of unsent bytes', () => {
  it('is their sum and the largest of them, as of the last visits', async () => {
    const h = harness();
    const [first, second, third] = await h.fill('ada', 3, remote);
    expect(h.mooring.unsentBytes).toEqual({ sum: 0, largest: 0 });
    if (first === undefined || second === undefined || third === undefined) throw new Error('not connected');
    first.transport.unsentBytes = 300;
    second.transport.unsentBytes = 500;
    third.transport.unsentBytes = 100;
    await h.time.advance(26_000);
    expect(h.mooring.unsentBytes).toEqual({ sum: 900, largest: 500 });
    for (const { transport } of [first, second, third]) transport.unsentBytes = 0;
    await h.time.advance(26_000);
    expect(h.mooring.unsentBytes).toEqual({ sum: 0, largest: 0 });
  });
});

describe('a Mooring', () => {
  it('ends with the block of await using', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    const disposed = h.mooring[Symbol.asyncDispose]();
    expect(h.mooring.isDraining).toBe(true);
    await h.time.advance(60_000);
    await disposed;
    expect(h.mooring.managerCount).toBe(0);
  });

  it('stops once, whoever asks, from a listener too', async () => {
    const h = harness();
    const asked: Promise<void>[] = [];
    h.mooring.on('server.draining', () => asked.push(h.mooring.stop()));
    asked.push(h.mooring.stop(), h.mooring.stop());
    await h.time.advance(60_000);
    await Promise.all(asked);
    expect(asked).toHaveLength(3);
    expect(new Set(asked).size).toBe(1);
    expect(h.said('server.draining')).toHaveLength(1);
  });

  it('has a clock for adapters, the one of all ages', async () => {
    const h = harness();
    const before = h.mooring.now();
    await h.time.advance(1_234);
    expect([h.mooring.now() - before, h.mooring.clock.now()]).toEqual([1_234, h.mooring.now()]);
  });
});
