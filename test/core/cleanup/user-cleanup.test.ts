import { describe, expect, it, vi } from 'vitest';
import { levelEvictions } from '../../../src/core/cleanup/playbook.js';
import { UserCleanup } from '../../../src/core/cleanup/user-cleanup.js';
import type { AlertLevel } from '../../../src/index.js';
import { harness, remote, silent, type Client, type Harness, type HarnessOptions } from '../support.js';
import { tallyOf } from '../../support/tally.js';

const actionsOf = (h: Harness) => h.said('cleanup.completed').filter(({ trigger }) => trigger === 'level');

/** How many managers bring a user with a limit of 20 to the level. */
const steps: [string, AlertLevel, number, number][] = [
  ['production', 'warning', 12, 180_000],
  ['production', 'critical', 16, 180_000],
  ['production', 'emergency', 18, 180_000],
  ['staging', 'warning', 10, 90_000],
  ['staging', 'critical', 16, 90_000],
  ['staging', 'emergency', 18, 90_000],
  ['development', 'warning', 8, 36_000],
  ['development', 'critical', 16, 36_000],
  ['development', 'emergency', 18, 36_000],
];

/** One manager idle for that long beside others in use, when the level is reached. */
async function withOneIdle(environment: string, count: number, idleMs: number) {
  const h = harness({ environment, config: { backgroundCleanupIntervalMs: 3_600_000, cleanupCooldownMs: 0 } });
  const [idle, ...others] = await h.fill('ada', count - 1, remote);
  await h.time.advance(idleMs);
  for (const { transport } of others) transport.message();
  await h.connect('ada', 'thread_last', remote);
  return { h, idle: idle! };
}

describe('patience with idle managers', () => {
  it.each(steps)('in %s at %s, %i managers: %i ms', async (environment, level, count, limitMs) => {
    const within = await withOneIdle(environment, count, limitMs - 1);
    expect(within.h.mooring.monitor.levelOf('ada')).toBe(level);
    expect(within.idle.manager.state).toBe('attached');
    const beyond = await withOneIdle(environment, count, limitMs);
    expect(beyond.h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', reason: 'idle' }]);
  });

  it('is not lost on one that is held, or written to', async () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    const [held, written] = await h.fill('ada', 2, remote);
    held!.manager.hold();
    await h.time.advance(150_000);
    written!.transport.send();
    await h.time.advance(50_000);
    await h.connect('ada', 'thread_last', remote);
    expect(actionsOf(h)).toHaveLength(1);
    expect(h.countOf('ada')).toBe(3);
  });
});

describe('every level from warning on', () => {
  it.each(['warning', 'critical', 'emergency'] as const)('%s releases the dead and the failed too', async (level) => {
    const h = harness({ config: { cleanupCooldownMs: 0 } });
    const count = { warning: 12, critical: 16, emergency: 18 }[level];
    const [dead, failed, reported] = await h.fill('ada', count - 1, remote);
    reported!.manager.reportError(new Error('odd'));
    await h.time.advance(20_000);
    dead!.transport.closes.push({ code: 1000, reason: '' });
    failed!.manager.fail(new Error('broken'));
    await h.connect('ada', 'thread_last', remote);
    expect(actionsOf(h).at(-1)).toMatchObject({
      userId: 'ada',
      cleaned: 2,
      byStrategy: tallyOf({ disconnected: 1, error: 1 }),
      attempts: 1,
      timedOut: false,
      durationMs: 0,
      remaining: count - 2,
    });
  });

  it('waits for no answer', async () => {
    const h = harness();
    await h.fill('ada', 19, silent);
    await h.connect('ada', 'thread_20', silent);
    expect(new Set(actionsOf(h).map(({ durationMs }) => durationMs))).toEqual(new Set([0]));
  });

  it('evicts nobody, however full it is', async () => {
    const h = harness();
    await filledWithAbandoned(h, 17);
    await h.connect('ada', 'thread_last', remote);
    expect(h.mooring.monitor.levelOf('ada')).toBe('emergency');
    expect(h.said('manager.released')).toEqual([]);
  });
});

const byLevel: HarnessOptions = { config: { forcedEviction: 'by-level' } };

/**
 * Managers that are neither engaged nor idle: nothing was heard of their clients for three minutes, and something was
 * sent to them less than that ago. A background cycle is due 9 s after this.
 */
async function filledWithAbandoned(h: Harness, count: number): Promise<Client[]> {
  const clients = await h.fill('ada', count, remote);
  await h.time.advance(50_000);
  for (const { transport } of clients) transport.message();
  await h.time.advance(100_000);
  for (const { transport } of clients) transport.send();
  await h.time.advance(81_000);
  return clients;
}

describe("forcedEviction: 'by-level', the seed's own ladder", () => {
  it.each([
    ['production', 20, 11, 0, 'info'],
    ['production', 20, 12, 0, 'warning'],
    ['production', 20, 15, 0, 'warning'],
    ['production', 20, 16, 4, 'critical'],
    ['production', 20, 17, 5, 'critical'],
    ['production', 20, 18, 5, 'emergency'],
    ['production', 20, 20, 5, 'emergency'],
    ['production', 100, 79, 0, 'warning'],
    ['production', 100, 80, 5, 'critical'],
    ['production', 100, 89, 5, 'critical'],
    ['production', 100, 90, 40, 'emergency'],
    ['production', 100, 100, 50, 'emergency'],
    ['production', 5, 4, 1, 'critical'],
    ['production', 5, 5, 2, 'emergency'],
    ['production', 4, 4, 0, 'info'],
    ['production', 1, 1, 0, 'info'],
  ])('in %s, of a limit of %i, with %i: evicts %i (%s)', async (environment, limit, count, evicted, level) => {
    const config = { ...byLevel.config, maxManagersPerUser: limit, cleanupCooldownMs: 0 } as const;
    const h = harness({ environment, config });
    await filledWithAbandoned(h, count - 1);
    expect(h.countOf('ada')).toBe(count - 1);
    await h.connect('ada', 'thread_last', remote);
    expect(h.said('level.changed').findLast(({ direction }) => direction === 'rise')?.level).toBe(level);
    await h.time.advance(9_000);
    expect(h.said('manager.released').map(({ reason }) => reason)).toEqual(Array(evicted).fill('evicted'));
    expect(h.countOf('ada')).toBe(count - evicted);
  });

  it.each([
    ['staging', 10, 6, 300_000],
    ['development', 8, 8, 120_000],
  ])('in %s goes back to %i of 20, by at most 5', async (environment, warning, excess, idleManagerTimeoutMs) => {
    const config = { ...byLevel.config, backgroundCleanupIntervalMs: 3_600_000, cleanupCooldownMs: 0 } as const;
    const h = harness({ environment, config });
    const clients = await h.fill('ada', 15, remote);
    await h.time.advance(0.2 * idleManagerTimeoutMs);
    for (const { transport } of clients) transport.send();
    await h.time.advance(0.1 * idleManagerTimeoutMs);
    await h.connect('ada', 'thread_last', remote);
    expect(16 - warning).toBe(excess);
    expect(h.countOf('ada')).toBe(16 - Math.min(5, excess));
  });

  it('takes those left alone longest, and says so', async () => {
    const h = harness(byLevel);
    const clients = await filledWithAbandoned(h, 15);
    await h.connect('ada', 'thread_last', remote);
    expect(h.said('manager.released').map(({ threadId }) => threadId)).toEqual(
      clients.slice(0, 4).map(({ context }) => context.threadId),
    );
    expect(clients[0]!.transport.closes).toEqual([{ code: 4410, reason: 'evicted' }]);
    expect(actionsOf(h).at(-1)).toMatchObject({ cleaned: 4, byStrategy: { oldest: 4 } });
  });

  it('never takes one that is engaged: held, spoken to within three minutes, or streaming', async () => {
    const h = harness(byLevel);
    const clients = await filledWithAbandoned(h, 15);
    const [held, streaming, speaking, ...others] = clients;
    held!.manager.hold();
    streaming!.transport.send();
    for (const { transport } of [speaking!, ...others.slice(0, 9)]) transport.message();
    await h.connect('ada', 'thread_last', remote);
    const gone = h.said('manager.released').map(({ threadId }) => threadId);
    expect(gone).toEqual(others.slice(9).map(({ context }) => context.threadId));
  });

  it.each([179_999, 180_000])('has a floor of three minutes: %i ms', async (ageMs) => {
    const h = harness({ config: { ...byLevel.config, backgroundCleanupIntervalMs: 3_600_000 } });
    const clients = await h.fill('ada', 15, remote);
    await h.time.advance(ageMs - 60_000);
    for (const { transport } of clients) transport.send();
    await h.time.advance(60_000);
    await h.connect('ada', 'thread_last', remote);
    expect(h.countOf('ada')).toBe(ageMs < 180_000 ? 16 : 12);
  });

  it('goes on with each background cycle while critical', async () => {
    const h = harness({ ...byLevel, config: { ...byLevel.config, maxManagersPerUser: 100 } });
    await filledWithAbandoned(h, 89);
    await h.time.advance(9_000);
    expect(h.countOf('ada')).toBe(84);
    await h.time.advance(60_000);
    expect(h.countOf('ada')).toBe(79);
    await h.time.advance(60_000);
    expect(h.countOf('ada')).toBe(79);
  });

  it('evicts nobody for a limit that was lowered, until usage was below critical once', async () => {
    let limit = 100;
    const h = harness({ config: { ...byLevel.config, cleanupCooldownMs: 0 }, limitOf: () => limit });
    await filledWithAbandoned(h, 16);
    limit = 20;
    h.mooring.monitor.checkUserResources('ada');
    await h.connect('ada', 'thread_last', remote);
    expect(h.said('manager.released')).toEqual([]);
    h.mooring.release('ada:thread_last');
    for (const threadId of ['thread_1', 'thread_2']) h.mooring.release(`ada:${threadId}`);
    await h.fill('ada', 2, { prefix: 'more', ...remote });
    expect(h.said('manager.released').map(({ reason }) => reason)).toEqual([
      ...Array<string>(3).fill('requested'),
      ...Array<string>(4).fill('evicted'),
    ]);
  });
});

describe('a cleanup for a level that throws', () => {
  it('is reported, and admits all the same', async () => {
    vi.spyOn(UserCleanup.prototype, 'clean').mockImplementation(() => {
      throw new Error('a bug');
    });
    const h = harness();
    await h.fill('ada', 12, remote);
    expect(h.said('cleanup.failed')).toMatchObject([{ userId: 'ada', trigger: 'level', error: 'Error: a bug' }]);
    expect(actionsOf(h)).toMatchObject([{ cleaned: 0, remaining: 12 }]);
  });
});

describe('going down to half', () => {
  const toHalf = levelEvictions.emergency[1]!;
  const thresholds = { info: 0.4, warning: 0.6, critical: 0.8, emergency: 0.9 };

  it.each([
    [0.79, false],
    [0.8, true],
    [0.81, true],
  ])('applies where a usage of %d is left: %s', (usage, applies) => {
    expect(toHalf.applies(usage, thresholds)).toBe(applies);
  });
});
