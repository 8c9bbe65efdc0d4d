import { describe, expect, it, vi } from 'vitest';
import { RefusalPacer } from '../../../src/core/admission/refusal-pacer.js';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import type { CloseCause } from '../../../src/index.js';
import { SimulatedTime } from '../../../src/testing/index.js';
import { harness, remote } from '../support.js';

function setUp() {
  const time = new SimulatedTime();
  const clock = new StallClock({ time, toleranceMs: 100, onStall: () => undefined });
  const pacer = new RefusalPacer(clock);
  const sent: string[] = [];
  let refusals = 0;
  const refuse = (userId: string | null, closeCause: CloseCause = 'quota', address = '192.0.2.1') => {
    const name = `${userId ?? address} ${(refusals += 1)}`;
    return pacer.tell({ closeCause, userId, address: () => address, send: () => sent.push(name) });
  };
  return { time, clock, pacer, sent, refuse };
}

describe('refusals', () => {
  it.each<CloseCause>(['quota', 'capacity', 'contested'])(
    '%s of a user are told later from the sixth on',
    async (cause) => {
      const { time, sent, refuse } = setUp();
      for (let i = 0; i < 7; i++) refuse('ada', cause);
      expect(sent).toHaveLength(5);
      await time.advance(999);
      expect(sent).toHaveLength(5);
      await time.advance(1);
      expect(sent).toEqual(['ada 1', 'ada 2', 'ada 3', 'ada 4', 'ada 5', 'ada 6', 'ada 7']);
    },
  );

  it.each<CloseCause>(['unauthenticated', 'malformed', 'authentication'])(
    '%s are counted by address, since nobody knows who it is',
    (cause) => {
      const { sent, refuse } = setUp();
      for (let i = 0; i < 6; i++) refuse(null, cause);
      expect(sent).toHaveLength(5);
      refuse(null, cause, '192.0.2.2');
      expect(sent).toHaveLength(6);
    },
  );

  it.each<CloseCause>(['drain', 'replaced', 'closed', 'unattached', 'requested'])('%s are told at once', (cause) => {
    const { sent, refuse } = setUp();
    for (let i = 0; i < 20; i++) refuse('ada', cause);
    expect(sent).toHaveLength(20);
  });

  it('of clients of whom neither user nor address is known are told at once', () => {
    const { pacer, sent, refuse } = setUp();
    for (let i = 0; i < 20; i++) refuse(null, 'quota');
    expect(sent).toHaveLength(20);
    for (let i = 0; i < 20; i++)
      pacer.tell({ closeCause: 'unauthenticated', userId: null, send: () => sent.push('nobody') });
    expect(sent).toHaveLength(40);
  });

  it.each<[CloseCause, number]>([
    ['quota', 0],
    ['drain', 0],
    ['unauthenticated', 1],
  ])('%s ask %i times for the address', (closeCause, times) => {
    const { pacer } = setUp();
    const address = vi.fn(() => '192.0.2.1');
    pacer.tell({ closeCause, userId: 'ada', address, send: () => undefined });
    expect(address).toHaveBeenCalledTimes(times);
  });

  it('of one user delay nobody else', () => {
    const { sent, refuse } = setUp();
    for (let i = 0; i < 20; i++) refuse('ada');
    refuse('bob');
    expect(sent.at(-1)).toBe('bob 21');
  });

  it('are told at once again after ten seconds with five', async () => {
    const { time, sent, refuse } = setUp();
    for (let i = 0; i < 6; i++) {
      refuse('ada');
      await time.advance(2_000);
    }
    expect(sent).toHaveLength(6);
    for (let i = 0; i < 6; i++) refuse('ada');
    expect(sent).toHaveLength(7);
    await time.advance(10_000);
    refuse('ada');
    expect(sent).toHaveLength(13);
  });

  it('that wait are 100 at most: for one more, the oldest is told', async () => {
    const { time, pacer, sent, refuse } = setUp();
    for (let i = 0; i < 105; i++) refuse('ada');
    expect([sent.length, pacer.waiting]).toEqual([5, 100]);
    refuse('ada');
    expect([sent.at(-1), pacer.waiting]).toEqual(['ada 6', 100]);
    await time.advance(1_000);
    expect([sent.length, pacer.waiting]).toEqual([106, 0]);
  });

  it('of clients that go meanwhile are not told', async () => {
    const { time, pacer, sent, refuse } = setUp();
    for (let i = 0; i < 5; i++) refuse('ada');
    refuse('ada')();
    expect(pacer.waiting).toBe(0);
    await time.advance(1_000);
    expect(sent).toHaveLength(5);
  });

  it('wait no longer once they are flushed', () => {
    const { time, clock, sent, refuse, pacer } = setUp();
    for (let i = 0; i < 8; i++) refuse('ada');
    pacer.flush();
    expect(sent).toHaveLength(8);
    for (let i = 0; i < 10; i++) refuse('ada');
    expect(sent).toHaveLength(18);
    clock.dispose();
    expect(time.pendingTimers).toBe(0);
  });

  it('of a million users are not all remembered', () => {
    const { refuse, sent } = setUp();
    for (let i = 0; i < 20_000; i++) refuse(`user ${i}`);
    for (let i = 0; i < 5; i++) refuse('user 0');
    expect(sent).toHaveLength(20_005);
  });
});

describe('a user whose sockets are refused again and again', () => {
  it('hears of the sixth refusal a second later', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    for (let i = 0; i < 6; i++) h.arrive('ada', `thread_${i}`, remote);
    await h.time.advance(0);
    expect(h.arrivals.map(({ transport }) => transport.closes.length)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(h.arrivals[5]?.outcome?.refusal?.closeCause).toBe('quota');
    await h.time.advance(1_000);
    expect(h.arrivals[5]?.transport.closes).toMatchObject([{ code: 1013 }]);
  });

  it('hears of all of them when the server stops', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    for (let i = 0; i < 10; i++) h.arrive('ada', `thread_${i}`, remote);
    await h.stop();
    expect(h.arrivals.map(({ transport }) => transport.closes.length)).toEqual(new Array(10).fill(1));
  });
});

describe('a close frame that cannot be sent', () => {
  it('holds up neither the others nor the end of the server', async () => {
    const { time, pacer, sent, refuse } = setUp();
    for (let i = 0; i < 5; i++) refuse('ada');
    const send = () => {
      throw new Error('the socket is gone');
    };
    pacer.tell({ closeCause: 'quota', userId: 'ada', send });
    refuse('ada');
    await time.advance(1_000);
    expect(sent).toHaveLength(6);
    pacer.tell({ closeCause: 'quota', userId: 'ada', send });
    refuse('ada');
    pacer.flush();
    expect(sent).toHaveLength(7);
    expect(pacer.waiting).toBe(0);
  });
});
