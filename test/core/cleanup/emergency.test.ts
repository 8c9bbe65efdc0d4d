import { describe, expect, it, vi } from 'vitest';
import { UserCleanup } from '../../../src/core/cleanup/user-cleanup.js';
import {
  harness,
  remote,
  silent,
  type Client,
  type Harness,
  type HarnessOptions,
  type PeerOptions,
} from '../support.js';
import { tallyOf } from '../../support/tally.js';

const cleanupOf = (h: Harness, wanted = {}) => h.mooring.emergencyCleanup('ada', wanted);

/** Five connections: one open and in use, one that closed, one silent, one failed, one idle. */
async function oneOfEach(options: HarnessOptions = {}) {
  const h = harness(options);
  const [idle, inUse, closed, failed] = await h.fill('ada', 4, remote);
  await h.time.advance(180_000);
  const mute = await h.connect('ada', 'thread_silent', silent);
  inUse!.transport.message();
  for (const { transport } of [closed!, failed!]) transport.message();
  failed!.manager.fail(new Error('broken'));
  closed!.transport.closes.push({ code: 1000, reason: '' });
  return { h, idle: idle!, inUse: inUse!, closed: closed!, failed: failed!, mute };
}

describe('an emergency cleanup on request', () => {
  it('releases what is dead, idle or in error, and tells it by strategy', async () => {
    const { h } = await oneOfEach();
    const result = cleanupOf(h);
    expect(h.said('manager.released').map(({ threadId, reason }) => `${threadId} ${reason}`)).toEqual([
      'thread_3 disconnected',
      'thread_1 idle',
      'thread_4 error',
    ]);
    await h.time.advance(3_000);
    expect(await result).toEqual({
      userId: 'ada',
      cleaned: 4,
      chosen: expect.any(Array) as unknown,
      byStrategy: tallyOf({ disconnected: 2, idle: 1, error: 1 }),
      attempts: 3,
      timedOut: false,
      durationMs: 3_000,
      remaining: 1,
    });
    expect(h.threadsOf('ada')).toEqual(['thread_2']);
  });

  it('says the same as an event, and of each manager what the event of its release says', async () => {
    const { h } = await oneOfEach();
    const cleanup = cleanupOf(h);
    await h.time.advance(3_000);
    const { chosen, ...result } = await cleanup;
    expect(h.said('cleanup.completed').at(-1)).toMatchObject({ ...result, trigger: 'request' });
    expect(h.said('cleanup.completed').at(-1)).not.toHaveProperty('chosen');
    expect(chosen.map(({ strategy }) => strategy)).toEqual(['disconnected', 'idle', 'error', 'disconnected']);
    const withStrategy = h
      .said('manager.released')
      .map((event, index) => ({ ...event, strategy: chosen[index]?.strategy }));
    expect(withStrategy).toMatchObject(chosen);
  });

  it('lists the first 1,000 managers that it released, and counts all', async () => {
    const h = harness({ config: { maxManagersPerUser: 2_000 } });
    const clients = await h.fill('ada', 1_001, remote);
    for (const { manager } of clients) manager.fail(new Error('broken'));
    const { chosen, cleaned, byStrategy, remaining } = await cleanupOf(h);
    expect(chosen.map(({ threadId }) => threadId)).toEqual(
      clients.slice(0, 1_000).map(({ context }) => context.threadId),
    );
    expect({ cleaned, byStrategy, remaining }).toMatchObject({
      cleaned: 1_001,
      byStrategy: { error: 1_001 },
      remaining: 0,
    });
  });

  it('of a user of whom nobody knows does nothing', async () => {
    const h = harness();
    expect(await cleanupOf(h)).toMatchObject({ cleaned: 0, remaining: 0, timedOut: false });
  });

  it('ends as soon as everybody has answered', async () => {
    const h = harness();
    await h.fill('ada', 3, remote);
    await h.time.advance(5_000);
    const result = cleanupOf(h);
    await h.time.advance(20);
    expect(await result).toMatchObject({ cleaned: 0, attempts: 2, durationMs: 20, remaining: 3 });
  });

  it('evicts nobody of its own accord', async () => {
    const h = harness();
    await h.fill('ada', 3, remote);
    await h.time.advance(100_000);
    const result = cleanupOf(h);
    await h.time.advance(1_000);
    expect((await result).remaining).toBe(3);
  });

  it.each([
    [{ evict: 0 }, 0],
    [{ evict: 1 }, 1],
    [{ evict: 3 }, 3],
    [{ evict: 99 }, 5],
    [{ keep: 99 }, 0],
    [{ keep: 5 }, 0],
    [{ keep: 4 }, 1],
    [{ keep: 0 }, 5],
    [{ evict: 1, keep: 2 }, 1],
    [{ evict: 4, keep: 2 }, 3],
    [{ evict: 4, keep: 9 }, 0],
  ])('evicts as it is asked: %j of 5', async (wanted, evicted) => {
    const h = harness();
    await h.fill('ada', 5, remote);
    await h.time.advance(60_000);
    const result = cleanupOf(h, wanted);
    await h.time.advance(1_000);
    expect((await result).byStrategy.oldest).toBe(evicted);
    expect(h.countOf('ada')).toBe(5 - evicted);
  });

  it.each([
    ['production', 60_000],
    ['staging', 30_000],
    ['development', 12_000],
  ])('in %s evicts nobody within the floor of %i ms', async (environment, floorMs) => {
    const h = harness({ environment, config: { backgroundCleanupIntervalMs: 3_600_000 } });
    await h.fill('ada', 2, remote);
    await h.time.advance(floorMs - 1_000);
    const early = cleanupOf(h, { keep: 0 });
    await h.time.advance(979);
    expect((await early).remaining).toBe(2);
    await h.time.advance(2_000);
    const late = cleanupOf(h, { keep: 0 });
    await h.time.advance(1_000);
    expect((await late).remaining).toBe(0);
  });

  it('evicts those left alone longest first, and none that is held', async () => {
    const h = harness();
    const [held, second, third] = await h.fill('ada', 3, remote);
    held!.manager.hold();
    await h.time.advance(10_000);
    second!.transport.message();
    await h.time.advance(70_000);
    const result = cleanupOf(h, { evict: 1 });
    await h.time.advance(1_000);
    await result;
    expect(h.threadsOf('ada')).toEqual([held, second].map((one) => one!.context.threadId));
    expect(third!.transport.closes).toEqual([{ code: 4410, reason: 'evicted' }]);
  });

  it('evicts a connection that something streams to last, though it was left alone longest', async () => {
    const h = harness({ config: { backgroundCleanupIntervalMs: 3_600_000, heartbeatIntervalMs: 3_600_000 } });
    const [streamed, quiet] = await h.fill('ada', 2, remote);
    await h.time.advance(600_000);
    quiet!.transport.message();
    for (let sent = 0; sent < 70; sent++) {
      streamed!.transport.send();
      await h.time.advance(1_000);
    }
    const result = cleanupOf(h, { evict: 1 });
    streamed!.transport.send();
    await h.time.advance(1_000);
    expect((await result).byStrategy.oldest).toBe(1);
    expect(h.threadsOf('ada')).toEqual([streamed!.context.threadId]);
  });

  it.each([{ evict: -1 }, { evict: 1.5 }, { evict: NaN }, { keep: '3' }, { keep: Infinity }, { keep: null }])(
    'throws for %j, and does nothing',
    async (wanted) => {
      const h = harness();
      await h.fill('ada', 2, remote);
      expect(() => cleanupOf(h, wanted)).toThrow(/^(evict|keep): got .*, wanted an integer of at least 0$/);
      expect(h.countOf('ada')).toBe(2);
    },
  );
});

describe('the passes of a run', () => {
  it('are at its start, when the second pings leave, and when every connection has had its chance', async () => {
    const h = harness();
    const [first, second, third] = await h.fill('ada', 4, remote);
    await h.connect('ada', 'thread_silent', silent);
    const fail = (client: Client | undefined) => client?.manager.fail(new Error('broken'));
    fail(first);
    const result = cleanupOf(h);
    expect(h.countOf('ada')).toBe(4);
    fail(second);
    await h.time.advance(500);
    expect(h.countOf('ada')).toBe(3);
    fail(third);
    await h.time.advance(2_500);
    expect(await result).toMatchObject({ cleaned: 4, attempts: 3, remaining: 1 });
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
  ])('are %i at the most where maxCleanupRetries says so', async (maxCleanupRetries, attempts) => {
    const { h } = await oneOfEach({ config: { maxCleanupRetries } });
    const result = cleanupOf(h, { keep: 0 });
    await h.time.advance(3_000);
    expect(await result).toMatchObject({ attempts, cleaned: 4, remaining: 1 });
  });

  it.each([
    [1, 4],
    [2, 4],
    [3, 3],
  ])('that throw (number %i) keep the tally and do not end the run', async (broken, cleaned) => {
    const { h } = await oneOfEach();
    const { clean: real } = UserCleanup.prototype;
    let pass = 0;
    vi.spyOn(UserCleanup.prototype, 'clean').mockImplementation(function (this: UserCleanup, ...args) {
      pass += 1;
      if (pass === broken) throw new Error('a bug');
      real.apply(this, args);
    });
    const result = cleanupOf(h);
    await h.time.advance(3_000);
    expect(await result).toMatchObject({ attempts: 3, cleaned, timedOut: false });
    expect(h.said('cleanup.failed')).toMatchObject([{ userId: 'ada', error: 'Error: a bug' }]);
  });

  it('are over at emergencyCleanupTimeoutMs, whatever is still open', async () => {
    const h = harness({ environment: 'development' });
    const { transport } = await h.connect('ada', 'thread_slow', { pongAfterMs: 700 });
    await h.connect('ada', 'thread_silent', silent);
    await h.time.advance(30_000);
    expect(transport.pings.length).toBeGreaterThan(0);
    const result = cleanupOf(h);
    await h.time.advance(2_000);
    expect((await result).durationMs).toBeLessThanOrEqual(2_000);
  });
});

describe('runs of one user', () => {
  it('are one at a time: a second request joins and shares the result', async () => {
    const { h } = await oneOfEach();
    const [one, other] = [cleanupOf(h), cleanupOf(h)];
    await h.time.advance(3_000);
    expect(await other).toBe(await one);
    expect(h.said('cleanup.completed').filter(({ trigger }) => trigger === 'request')).toHaveLength(1);
  });

  it('take over what a later request wants evicted', async () => {
    const h = harness();
    await h.fill('ada', 3, remote);
    await h.time.advance(60_000);
    await h.connect('ada', 'thread_silent', silent);
    void cleanupOf(h);
    await h.time.advance(500);
    const stronger = cleanupOf(h, { evict: 2 });
    await h.time.advance(2_500);
    expect(await stronger).toMatchObject({ byStrategy: { disconnected: 1, oldest: 2 }, remaining: 1 });
  });

  it('are joined by a request while a newcomer waits', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, silent);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    const result = cleanupOf(h);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect((await result).byStrategy.disconnected).toBe(2);
  });

  it.each([999, 1_000])('begin at least a second apart: %i ms', async (afterMs) => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    void cleanupOf(h);
    await h.time.advance(afterMs);
    let isOver = false;
    void cleanupOf(h).then(() => (isOver = true));
    await h.time.advance(20);
    expect(isOver).toBe(afterMs === 1_000);
    await h.time.advance(1_000);
    expect(isOver).toBe(true);
  });

  it('do not wait for those of others', async () => {
    const h = harness();
    await h.fill('ada', 2, silent);
    await h.fill('grace', 2, remote);
    const slow = cleanupOf(h);
    const fast = h.mooring.emergencyCleanup('grace');
    await h.time.advance(20);
    expect((await fast).durationMs).toBe(20);
    await h.time.advance(2_980);
    expect((await slow).durationMs).toBe(3_000);
  });

  it('that are asked for after stop end at once, and tell the truth', async () => {
    const h = harness();
    await h.time.advance(5_000);
    await h.stop();
    expect(await cleanupOf(h)).toMatchObject({ attempts: 0, cleaned: 0, durationMs: 0, timedOut: false });
  });
});

describe('newcomers of a user who has a suspect', () => {
  const quiet = { maxManagersPerUser: 2, heartbeatIntervalMs: 3_600_000, backgroundCleanupIntervalMs: 3_600_000 };

  /** One connection was found silent by a run whose newcomer left; the other one answers. */
  async function oneSuspect(config: NonNullable<HarnessOptions['config']> = {}) {
    const h = harness({ config: { ...quiet, ...config } });
    const [dead, lively] = await h.fill('ada', 2, remote);
    await h.time.advance(10_000);
    const timers = h.time.pendingTimers;
    dead!.transport.fallSilent();
    const newcomer = h.arrive('ada', 'thread_gone', remote);
    await h.time.advance(2_000);
    newcomer.vanish();
    await h.time.advance(3_000);
    expect(h.mooring.suspectCount).toBe(1);
    return { h, dead: dead!, lively: lively!, timers };
  }

  /** A newcomer that waits as an open socket and answers nothing. */
  function mute(h: Harness, threadId: string) {
    const transport = h.socket(silent);
    const place = h.wait('ada', threadId);
    place.accepted?.(transport);
    return { transport, place };
  }

  const runsOf = (h: Harness) => h.said('cleanup.completed').filter(({ trigger }) => trigger === 'admission');

  it('are not polled for while nobody waits', async () => {
    const { h, timers } = await oneSuspect();
    expect(h.time.pendingTimers).toBe(timers);
  });

  it('get its slot without a run, and the next one has a run at once', async () => {
    const { h, dead } = await oneSuspect();
    const before = runsOf(h).length;
    const served = h.arrive('ada', 'thread_served', remote);
    await h.time.settle();
    expect(served.outcome?.refusal).toBeNull();
    expect(dead.manager.isReleased).toBe(true);
    await h.time.advance(20);
    expect(runsOf(h)).toHaveLength(before);
    const next = h.arrive('ada', 'thread_next', remote);
    await h.time.advance(20);
    expect(next.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('that have not answered have probeTimeoutMs to do so before others are asked', async () => {
    const { h, lively } = await oneSuspect();
    const { place } = mute(h, 'thread_mute');
    const before = lively.transport.pings.length;
    await h.time.advance(499);
    expect(lively.transport.pings).toHaveLength(before);
    await h.time.advance(1);
    expect(lively.transport.pings).toHaveLength(before + 1);
    place.cancel();
  });

  it('have their run at once if the suspect is heard of in the poll phase', async () => {
    const { h, dead, lively } = await oneSuspect();
    h.time.afterPoll(() => {
      dead.transport.message();
    });
    dead.transport.pongAfterMs = 20;
    const before = lively.transport.pings.length;
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(20);
    expect(lively.transport.pings).toHaveLength(before + 1);
    await h.time.advance(20);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('get its slot at once, though a run for another one goes on', async () => {
    const { h, dead } = await oneSuspect();
    const { place } = mute(h, 'thread_mute');
    await h.time.advance(600);
    const heard = h.wait('ada', 'thread_heard');
    await h.time.settle();
    expect(dead.manager.releasedFor).toBe('disconnected');
    expect((await heard.settled).refusal).toBeNull();
    place.cancel();
  });

  it('wait as long as others for a run soon after another', async () => {
    const { h, lively } = await oneSuspect({ emergencyCleanupSpacingMs: 20_000 });
    const before = lively.transport.pings.length;
    const { place } = mute(h, 'thread_mute');
    await h.time.advance(14_999);
    expect(lively.transport.pings).toHaveLength(before);
    await h.time.advance(1);
    expect(lively.transport.pings).toHaveLength(before + 1);
    place.cancel();
  });
});

describe('a newcomer that comes during a run', () => {
  it('has one of its own, which begins when that one has ended', async () => {
    const h = harness({ config: { maxManagersPerUser: 2, heartbeatIntervalMs: 3_600_000 } });
    for (const [thread, pongAfterMs] of [1_000, 2_900].entries()) {
      const { connection } = await h.connect('ada', `thread_${thread}`, { pongAfterMs });
      connection.roundTripMs = pongAfterMs;
    }
    const first = h.arrive('ada', 'thread_first', remote);
    await h.time.advance(500);
    const second = h.arrive('ada', 'thread_second', remote);
    await h.time.advance(2_400);
    expect(first.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(second.outcome).toBeNull();
    await h.time.advance(3_000);
    expect(second.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('and leaves before the next one is due needs none', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_first', remote);
    await h.time.advance(100);
    const second = h.arrive('ada', 'thread_second', remote);
    await h.time.advance(100);
    second.vanish();
    await h.time.advance(5_000);
    expect(h.said('cleanup.completed').filter(({ trigger }) => trigger === 'admission')).toHaveLength(1);
  });
});

describe('the time between the runs of a user', () => {
  it('leaves no timer after stop', async () => {
    const h = harness({ config: { emergencyCleanupSpacingMs: 60_000 } });
    await cleanupOf(h);
    await h.mooring.stop();
    expect(h.time.pendingTimers).toBe(0);
  });
});

describe('a run for waiting newcomers', () => {
  it('evicts as many as still wait, and no more', async () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    await h.fill('ada', 5, remote);
    await h.time.advance(60_000);
    const newcomers = [1, 2].map((n) => h.arrive('ada', `thread_new${n}`, remote));
    await h.time.advance(1_000);
    expect(newcomers.map(({ outcome }) => outcome?.refusal)).toEqual([null, null]);
    expect(h.said('manager.released').map(({ reason }) => reason)).toEqual(['evicted', 'evicted']);
  });

  it('ends early once nobody waits any longer', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [, second] = await h.fill('ada', 2, silent);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(100);
    second!.transport.vanish();
    await h.time.advance(400);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.said('cleanup.completed').at(-1)).toMatchObject({ trigger: 'admission', durationMs: 500, cleaned: 0 });
  });

  it('waits for nobody: not for hooks, not for close frames', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager } = await h.connect('ada', 'thread_1', silent);
    manager.onRelease(() => new Promise(() => undefined));
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
  });
});

describe('connections with a long round trip', () => {
  /** Its round trip is known when it has been visited by heartbeats. */
  async function slow(pongAfterMs: number, environment = 'production') {
    const h = harness({ environment, config: { maxManagersPerUser: 2 } });
    const client = await h.connect('ada', 'thread_slow', { pongAfterMs });
    await h.time.advance(20_000);
    return { h, client };
  }

  it.each([600, 1_000, 2_000, 3_900, 5_900])('of %i ms are heard', async (pongAfterMs) => {
    const { h, client } = await slow(pongAfterMs);
    const result = cleanupOf(h);
    await h.time.advance(10_000);
    expect(await result).toMatchObject({ cleaned: 0, timedOut: false });
    expect(client.manager.state).toBe('attached');
  });

  it.each([600, 1_000, 3_900, 5_900])('of %i ms that fell silent are found', async (pongAfterMs) => {
    const { h, client } = await slow(pongAfterMs);
    client.transport.fallSilent();
    const result = cleanupOf(h);
    await h.time.advance(10_000);
    expect(await result).toMatchObject({ cleaned: 1, timedOut: false });
  });

  it('too long for the time of a run are left to the heartbeat', async () => {
    const { h, client } = await slow(6_500);
    client.connection.roundTripMs = 6_500; // as many answers have shown by then
    client.transport.fallSilent();
    const result = cleanupOf(h);
    await h.time.advance(10_000);
    expect((await result).cleaned).toBe(0);
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });

  it('once, but not any longer, are soon judged as others are', async () => {
    const { h, client } = await slow(9_000);
    client.transport.pongAfterMs = 20;
    await h.time.advance(2 * 25_000);
    client.transport.fallSilent();
    const result = cleanupOf(h);
    await h.time.advance(10_000);
    expect((await result).cleaned).toBe(1);
  });

  it('do not hold up the judgement of others', async () => {
    const { h } = await slow(2_000);
    await h.connect('ada', 'thread_silent', silent);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
  });
});

describe('connections so new that they have answered nothing', () => {
  async function full(peer: PeerOptions) {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const client = await h.connect('ada', 'thread_new', peer);
    return { h, client, newcomer: h.arrive('ada', 'thread_newer', remote) };
  }

  it.each([600, 1_000, 2_000, 3_000, 4_400])('of %i ms are heard', async (pongAfterMs) => {
    const { h, client, newcomer } = await full({ pongAfterMs });
    await h.time.advance(pongAfterMs + 1);
    expect(client.manager.state).toBe('attached');
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('that are not there make room after 4.5 s', async () => {
    const { h, newcomer } = await full({ ...silent, isNew: true });
    await h.time.advance(4_499);
    expect(newcomer.outcome).toBeNull();
    await h.time.advance(1);
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('that were asked that long ago, in vain, make room as others do', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_new', { ...silent, isNew: true });
    await h.time.advance(4_500);
    const newcomer = h.arrive('ada', 'thread_newer', remote);
    await h.time.advance(1_000);
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('do not hold up the judgement of others', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.connect('ada', 'thread_dead', silent);
    await h.connect('ada', 'thread_new', { ...silent, isNew: true });
    const newcomer = h.arrive('ada', 'thread_newer', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.threadsOf('ada')).toEqual(['thread_new', 'thread_newer']);
  });
});

describe('an emergency cleanup', () => {
  it('looks for a message that is still arriving before it calls anybody idle', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 3_600_000 } });
    const { transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(200_000);
    transport.partialMessageBytes = 1;
    void cleanupOf(h);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(1_000);
  });

  it('is over as soon as the first pass made room, and asks nobody', async () => {
    const h = harness({ config: { maxManagersPerUser: 2, backgroundCleanupIntervalMs: 3_600_000 } });
    const [, inUse] = await h.fill('ada', 2, remote);
    await h.time.advance(180_000);
    inUse!.transport.message();
    const pings = inUse!.transport.pings.length;
    const arrival = h.arrive('ada', 'thread_new', remote);
    expect(h.said('cleanup.completed').findLast(({ trigger }) => trigger === 'admission')).toMatchObject({
      cleaned: 1,
      attempts: 1,
      durationMs: 0,
    });
    expect(inUse!.transport.pings).toHaveLength(pings);
    expect((await arrival.connected).refusal).toBeNull();
  });

  it('tells the peer that its data was stuck', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 3_600_000 } });
    const { transport } = await h.connect('ada', 'thread_1', silent);
    transport.sendStuck();
    await h.time.advance(60_000);
    void cleanupOf(h);
    await h.time.advance(1_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected', closeCause: 'slow' }]);
    expect(transport.closes).toMatchObject([{ code: 1013, reason: 'slow' }]);
  });

  it('counts only what it released itself', async () => {
    const h = harness();
    await h.fill('ada', 2, remote);
    await h.time.advance(180_000);
    h.mooring.on('manager.released', () => {
      h.mooring.releaseAll('ada');
    });
    const result = cleanupOf(h);
    await h.time.advance(1_000);
    expect(await result).toMatchObject({ cleaned: 1, remaining: 0 });
  });

  it('with two passes has one at its start and one when every connection has had its chance', async () => {
    const h = harness({ config: { maxCleanupRetries: 2 } });
    await h.connect('ada', 'thread_1', remote);
    await h.connect('ada', 'thread_silent', silent);
    const result = cleanupOf(h);
    await h.time.advance(10_000);
    expect(await result).toMatchObject({ cleaned: 1, attempts: 2, durationMs: 3_000, remaining: 1 });
  });

  it('needs no run for one that came during another and left', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_3', remote);
    const second = h.arrive('ada', 'thread_4', remote);
    second.vanish();
    await h.time.advance(5_000);
    expect(h.said('cleanup.completed').filter(({ trigger }) => trigger === 'admission')).toHaveLength(1);
  });

  it.each(['admission', 'request'] as const)('that throws says whom it was for: %s', async (trigger) => {
    vi.spyOn(UserCleanup.prototype, 'clean').mockImplementation(() => {
      throw new Error('a bug');
    });
    const h = harness({ config: { maxManagersPerUser: 1, criticalThreshold: 1, emergencyThreshold: 1 } });
    await h.connect('ada', 'thread_1', remote);
    if (trigger === 'request') void cleanupOf(h);
    else h.arrive('ada', 'thread_2', remote);
    await h.time.advance(1_000);
    const ofRuns = h.said('cleanup.failed').filter((event) => event.trigger !== 'level');
    expect(new Set(ofRuns.map((event) => event.trigger))).toEqual(new Set([trigger]));
  });

  it.each(['admission', 'request'] as const)(
    'that stops the server by what it released ends once: %s',
    async (trigger) => {
      const h = harness({
        config: { maxManagersPerUser: 3, backgroundCleanupIntervalMs: 3_600_000, drainWaveSize: 1 },
      });
      const [, inUse, last] = await h.fill('ada', 3, remote);
      await h.time.advance(180_000);
      for (const { transport } of [inUse!, last!]) transport.message();
      const pings = last!.transport.pings.length;
      h.mooring.on('manager.released', () => void h.mooring.stop());
      if (trigger === 'request') void cleanupOf(h);
      else h.arrive('ada', 'thread_new', remote);
      await h.time.advance(2_000);
      expect(h.said('cleanup.completed').filter((event) => event.trigger === trigger)).toHaveLength(1);
      expect(last!.transport.pings).toHaveLength(pings);
    },
  );

  it('is over at emergencyCleanupTimeoutMs, though nobody ever looks at the sockets', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', silent);
    await h.time.advance(1_000);
    vi.spyOn(h.time, 'afterPoll').mockImplementation(() => {});
    const result = cleanupOf(h);
    await h.time.advance(10_000);
    vi.mocked(h.time.afterPoll).mockRestore();
    expect(await result).toMatchObject({ timedOut: true, durationMs: 10_000, remaining: 1 });
  });
});

describe('a connection that answered very late once, as its peer slept', () => {
  it('is asked like any other when its place is needed, and does not keep its user out', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { transport, connection } = await h.connect('ada', 'thread_1', {
      pongAfterMs: 12_000,
      closeAfterMs: 20,
      isNew: true,
    });
    await h.time.advance(25_000);
    expect(connection.roundTripMs).toBe(3_000);
    transport.fallSilent();
    const newcomer = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(10_000);
    expect(newcomer.outcome?.refusal).toBeNull();
  });
});
