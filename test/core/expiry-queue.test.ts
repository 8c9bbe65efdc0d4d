import { describe, expect, it } from 'vitest';
import { ExpiryQueue } from '../../src/core/expiry-queue.js';
import { StallClock } from '../../src/core/liveness/stall-clock.js';
import { SimulatedTime } from '../../src/testing/index.js';
import { seeded } from './support.js';

function queue({ onExpired }: { onExpired?: (item: string) => void } = {}) {
  const time = new SimulatedTime();
  const clock = new StallClock({ time, toleranceMs: 100 });
  const expired: [item: string, atMs: number][] = [];
  const made = new ExpiryQueue<string>({
    clock,
    timeoutMs: 1_000,
    onExpired: (item) => {
      expired.push([item, clock.now()]);
      onExpired?.(item);
    },
  });
  return { time, clock, expired, queue: made };
}

describe('an expiry queue', () => {
  it.each([
    [999, []],
    [1_000, [['a', 1_000]]],
    [1_001, [['a', 1_000]]],
  ])('after %i of 1000 ms has expired %j', async (forMs, wanted) => {
    const q = queue();
    q.queue.add('a');
    await q.time.advance(forMs);
    expect(q.expired).toEqual(wanted);
  });

  it('gives each item its own time, by one timer', async () => {
    const q = queue();
    q.queue.add('a');
    await q.time.advance(400);
    q.queue.add('b');
    await q.time.advance(5_000);
    expect(q.expired).toEqual([
      ['a', 1_000],
      ['b', 1_400],
    ]);
  });

  it('does not expire what was deleted', async () => {
    const q = queue();
    const a = q.queue.add('a');
    q.queue.add('b');
    expect([q.queue.delete(a), q.queue.delete(a)]).toEqual([true, false]);
    await q.time.advance(5_000);
    expect(q.expired).toEqual([['b', 1_000]]);
  });

  it('keeps the time of the next when the first was deleted', async () => {
    const q = queue();
    const a = q.queue.add('a');
    await q.time.advance(500);
    q.queue.add('b');
    q.queue.delete(a);
    await q.time.advance(5_000);
    expect(q.expired).toEqual([['b', 1_500]]);
  });

  it('expires the others in their order, whichever are deleted', async () => {
    const random = seeded(5);
    const q = queue();
    const left: string[] = [];
    for (let round = 0; round < 200; round++) {
      const expiry = q.queue.add(String(round));
      const goesAfterMs = Math.floor(random() * 10);
      if (goesAfterMs < 5) void q.time.advance(goesAfterMs).then(() => q.queue.delete(expiry));
      else left.push(String(round));
      if (random() < 0.1) await q.time.advance(1);
    }
    await q.time.advance(5_000);
    expect(q.expired.map(([name]) => name)).toEqual(left);
    expect(q.queue.isEmpty).toBe(true);
  });

  it('does not delete again what has expired', async () => {
    const q = queue();
    const a = q.queue.add('a');
    await q.time.advance(1_000);
    q.queue.add('b');
    expect(q.queue.delete(a)).toBe(false);
    await q.time.advance(1_000);
    expect(q.expired.map(([name]) => name)).toEqual(['a', 'b']);
  });

  it('may be added to by what expires', async () => {
    const again = ['b'];
    const q = queue({ onExpired: () => again.splice(0).forEach((item) => q.queue.add(item)) });
    q.queue.add('a');
    await q.time.advance(5_000);
    expect(q.expired).toEqual([
      ['a', 1_000],
      ['b', 2_000],
    ]);
  });

  it('gives all back when cleared, expires none and leaves no timer', async () => {
    const q = queue();
    q.queue.add('a');
    q.queue.add('b');
    expect(q.queue.clear()).toEqual(['a', 'b']);
    q.clock.dispose();
    expect(q.time.pendingTimers).toBe(0);
    await q.time.advance(5_000);
    expect(q.expired).toEqual([]);
  });

  it('leaves no timer once all have expired', async () => {
    const q = queue();
    q.queue.add('a');
    await q.time.advance(2_000);
    expect(q.queue.isEmpty).toBe(true);
    expect(q.time.pendingTimers).toBe(0);
  });

  it('takes stalled time out', async () => {
    const q = queue();
    q.queue.add('a');
    q.time.stall(60_000);
    await q.time.advance(0);
    expect(q.expired).toEqual([]);
    await q.time.advance(1_000);
    expect(q.expired).toHaveLength(1);
  });
});
