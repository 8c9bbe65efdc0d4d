import { describe, expect, it } from 'vitest';
import type { HoldOptions } from '../../../src/core/managers/hold.js';
import { harness, remote, silent, type HarnessOptions, type PeerOptions } from '../support.js';

const hourMs = 3_600_000;

async function client(options: HarnessOptions = {}, peer: PeerOptions = remote) {
  const h = harness(options);
  return { h, ...(await h.connect('ada', 'thread_1', peer)) };
}

describe('a hold', () => {
  it('keeps a manager that nobody says anything to from being idle, for an hour', async () => {
    const { h, manager } = await client();
    manager.hold();
    await h.time.advance(hourMs - 1);
    expect(manager).toMatchObject({ state: 'attached', isHeld: true });
    await h.time.advance(1);
    expect(manager.isHeld).toBe(false);
    expect(h.said('hold.expired')).toMatchObject([{ key: 'ada:thread_1', maxMs: hourMs, heldMs: hourMs }]);
    await h.time.advance(61_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'idle', idleMs: expect.any(Number) as number }]);
  });

  it('is not cleaned up under pressure either', async () => {
    const { h, manager } = await client({ config: { maxManagersPerUser: 5 } });
    manager.hold();
    await h.time.advance(1_500_000);
    await h.fill('ada', 4, { ...remote, prefix: 'later' });
    expect(h.mooring.monitor.levelOf('ada')).toBe('emergency');
    expect(manager.state).toBe('attached');
  });

  it('lasts as long as it says itself', async () => {
    const { h, manager } = await client({ config: { maxHoldMs: 50_000 } });
    manager.hold();
    manager.hold({ maxMs: 20_000 });
    manager.hold({ maxMs: 80_000 });
    await h.time.advance(100_000);
    expect(h.said('hold.expired').map(({ maxMs, heldMs }) => [maxMs, heldMs])).toEqual([
      [20_000, 20_000],
      [50_000, 50_000],
      [80_000, 80_000],
    ]);
  });

  it('lasts its time anew from when it is renewed', async () => {
    const { h, manager } = await client();
    const hold = manager.hold({ maxMs: 10_000 });
    await h.time.advance(9_000);
    expect(hold.renew()).toBe(true);
    await h.time.advance(9_999);
    expect(manager.isHeld).toBe(true);
    await h.time.advance(1);
    expect(h.said('hold.expired')).toMatchObject([{ maxMs: 10_000, heldMs: 19_000 }]);
  });

  it('that has expired can be neither renewed nor ended', async () => {
    const { h, manager } = await client();
    const hold = manager.hold({ maxMs: 1_000 });
    await h.time.advance(1_000);
    const { lastActivityAtMs } = manager;
    expect([hold.renew(), hold(), hold.renew()]).toEqual([false, false, false]);
    expect(manager).toMatchObject({ isHeld: false, lastActivityAtMs });
  });

  it('says whether it lasted until it was ended', async () => {
    const { manager } = await client();
    const hold = manager.hold();
    expect([hold(), hold(), hold.renew()]).toEqual([true, false, false]);
  });

  it('ends with its block', async () => {
    const { manager } = await client();
    {
      using hold = manager.hold();
      expect(hold.renew()).toBe(true);
      expect(manager.isHeld).toBe(true);
    }
    expect(manager.isHeld).toBe(false);
  });

  it('of a released manager does nothing, and says so', async () => {
    const { h, manager } = await client();
    const before = manager.hold();
    h.mooring.release(manager.key);
    const after = manager.hold();
    expect([before(), before.renew(), after(), after.renew()]).toEqual([false, false, false, false]);
    expect(manager.isHeld).toBe(false);
    await h.time.advance(2 * hourMs);
    expect(h.said('hold.expired')).toEqual([]);
  });

  it('does not count time in which this process stood still', async () => {
    const { h, manager } = await client();
    manager.hold({ maxMs: 20_000 });
    await h.time.advance(5_000);
    h.time.stall(60_000);
    await h.time.advance(14_000);
    expect(manager.isHeld).toBe(true);
  });

  it.each([
    [{ maxMs: 0 }, 'got 0,'],
    [{ maxMs: -1 }, 'got -1,'],
    [{ maxMs: NaN }, 'got NaN,'],
    [{ maxMs: Infinity }, 'got Infinity,'],
    [{ maxMs: 2 ** 31 }, 'got 2147483648,'],
    [{ maxMs: '5s' }, 'got "5s",'],
    [{ maxMs: '5000' }, 'got "5000",'],
    [{ maxMs: 0.999 }, 'got 0.999,'],
    [{ maxMs: null }, 'got null,'],
    [5_000, 'got 5000, wanted nothing or an object'],
    [null, 'got null, wanted nothing or an object'],
  ])('with %j is a TypeError that says what was got and wanted', async (options, said) => {
    const { manager } = await client();
    expect(() => manager.hold(options as HoldOptions)).toThrow(TypeError);
    expect(() => manager.hold(options as HoldOptions)).toThrow(said);
    expect(manager.isHeld).toBe(false);
  });

  it.each([1, 2 ** 31 - 1])('can last %i ms', async (maxMs) => {
    const { h, manager } = await client({ config: { idleManagerTimeoutMs: null } });
    manager.hold({ maxMs });
    expect(manager.isHeld).toBe(true);
    await h.time.advance(1);
    expect(manager.isHeld).toBe(maxMs > 1);
  });

  it('is one of a thousand of its manager at most', async () => {
    const { manager } = await client();
    const holds = Array.from({ length: 1_000 }, () => manager.hold());
    expect(() => manager.hold()).toThrow(/ada:thread_1 has 1000 holds already/);
    holds[500]!();
    expect(manager.hold().renew()).toBe(true);
  });

  it('leaves no timer once it has ended, however many there were', async () => {
    const { h, manager } = await client();
    const before = h.time.pendingTimers;
    const holds = Array.from({ length: 100 }, (_, i) => manager.hold({ maxMs: 60_000 + ((i * 7) % 31) }));
    expect(h.time.pendingTimers).toBeLessThanOrEqual(before + 1);
    for (const hold of holds) hold();
    expect(h.time.pendingTimers).toBe(before);
  });
});

describe('holds of many managers', () => {
  it('expire in the order of their own times', async () => {
    const h = harness({ config: { maxManagersPerUser: 100, idleManagerTimeoutMs: null } });
    const clients = await h.fill('ada', 60, remote);
    const lengths = clients.map((_, i) => 1_000 + ((i * 37) % 60) * 1_000);
    const holds = clients.map(({ manager }, i) => manager.hold({ maxMs: lengths[i]! }));
    for (let i = 0; i < 60; i += 7) holds[i]!();
    await h.time.advance(100_000);
    const wanted = lengths.filter((_, i) => i % 7 !== 0).sort((a, b) => a - b);
    expect(h.said('hold.expired').map(({ maxMs }) => maxMs)).toEqual(wanted);
  });
});

describe('a hold that was forgotten', () => {
  const full = { config: { maxManagersPerUser: 1 } };

  it('is told once, when nothing was said for the idle timeout', async () => {
    const { h, manager } = await client();
    manager.hold();
    manager.hold();
    await h.time.advance(599_000);
    expect(h.said('hold.forgotten')).toEqual([]);
    await h.time.advance(1_200_000);
    expect(h.said('hold.forgotten')).toMatchObject([{ key: 'ada:thread_1', holds: 2 }]);
    expect(h.said('hold.forgotten')[0]!.idleMs).toBeGreaterThanOrEqual(600_000);
  });

  it.each<[string, (made: Awaited<ReturnType<typeof client>>, renew: () => void) => void]>([
    ['its client says something', ({ transport }) => transport.message()],
    ['something is sent', ({ transport }) => transport.send()],
    ['another hold is taken', ({ manager }) => manager.hold()()],
    ['it is renewed', (_, renew) => renew()],
  ])('is not one while %s within the idle timeout', async (_, act) => {
    const made = await client(full);
    const hold = made.manager.hold();
    for (let i = 0; i < 4; i++) {
      await made.h.time.advance(500_000);
      act(made, () => hold.renew());
    }
    await made.h.time.advance(599_000);
    expect(made.h.said('hold.forgotten')).toEqual([]);
    const newcomer = made.h.arrive('ada', 'thread_new', remote);
    await made.h.time.advance(9_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(newcomer.outcome?.refusal?.retryAfterMs).toBeGreaterThan(40_000);
  });

  it('locks no newcomer out', async () => {
    const { h, manager } = await client(full);
    manager.hold();
    await h.time.advance(601_000);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(9_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(manager.state).toBe('released');
  });

  it('goes by ten minutes where no connection is closed as idle', async () => {
    const { h, manager } = await client({ config: { idleManagerTimeoutMs: null } });
    manager.hold();
    await h.time.advance(599_000);
    expect(h.said('hold.forgotten')).toEqual([]);
    await h.time.advance(700_000);
    expect(h.said('hold.forgotten')).toHaveLength(1);
  });

  it('is dead when its connection is', async () => {
    const { h, manager } = await client({}, silent);
    manager.hold();
    await h.time.advance(80_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected', key: manager.key }]);
  });
});
