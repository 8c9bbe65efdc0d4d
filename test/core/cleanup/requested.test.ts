import { describe, expect, it } from 'vitest';
import type { CleanupRequest } from '../../../src/core/cleanup/requested.js';
import { maxListed } from '../../../src/core/cleanup/tally.js';
import { harness, remote, silent, type Harness, type HarnessOptions } from '../support.js';
import { tallyOf } from '../../support/tally.js';

/** Nothing is found out by anybody else meanwhile. */
const undisturbed = { backgroundCleanupIntervalMs: 3_600_000, heartbeatIntervalMs: 3_600_000 } as const;

/** In use, closed unnoticed, mute, failed, and idle for 180 and for 600 seconds. */
async function oneOfEach(options: HarnessOptions = {}) {
  const h = harness(options);
  const [idle] = await h.fill('ada', 1, { ...remote, prefix: 'idle' });
  await h.time.advance(410_000);
  const [bored] = await h.fill('ada', 1, { ...remote, prefix: 'bored' });
  await h.time.advance(189_990);
  const [busy, closed, failed] = await h.fill('ada', 3, { ...remote, prefix: 'now' });
  const [mute] = await h.fill('ada', 1, { ...silent, prefix: 'mute' });
  failed!.manager.fail(new Error('broken'));
  closed!.transport.closes.push({ code: 1006, reason: '' });
  await h.time.advance(10);
  busy!.transport.message();
  return { h, idle: idle!, bored: bored!, busy: busy!, closed: closed!, failed: failed!, mute: mute! };
}

async function cleanupOf(h: Harness, request?: CleanupRequest) {
  const result = h.mooring.cleanup('ada', request);
  await h.time.advance(10_000);
  return result;
}

const strategiesOf = (chosen: readonly { threadId: string; strategy: string }[]) =>
  Object.fromEntries(chosen.map(({ threadId, strategy }) => [threadId, strategy]));

describe('a cleanup somebody asks for', () => {
  it.each([
    [true, { cleaned: 0, remaining: 0 }],
    [false, { cleaned: 1_001, remaining: 0 }],
  ])('lists the first 1,000 managers, and counts all: as a dry run: %s', async (dryRun, counts) => {
    const h = harness({ config: { maxManagersPerUser: 2_000 } });
    const clients = await h.fill('ada', maxListed + 1, remote);
    for (const { manager } of clients) manager.fail(new Error('broken'));
    const result = await cleanupOf(h, { dryRun });
    expect(result.chosen).toHaveLength(1_000);
    expect(result).toMatchObject({ ...counts, byStrategy: { error: 1_001 } });
  });

  it('releases the dead, after asking, and what is idle or in error by the measure of the background', async () => {
    const { h } = await oneOfEach({ config: undisturbed });
    const result = await cleanupOf(h);
    expect(strategiesOf(result.chosen)).toEqual({
      thread_idle1: 'idle',
      thread_now2: 'disconnected',
      thread_now3: 'error',
      thread_mute1: 'disconnected',
    });
    expect(result).toMatchObject({ cleaned: 4, remaining: 2, dryRun: false });
    expect(result.byStrategy).toEqual(tallyOf({ disconnected: 2, idle: 1, error: 1 }));
    expect(h.threadsOf('ada')).toEqual(['thread_bored1', 'thread_now1']);
    expect(h.said('manager.released').map(({ by }) => by)).toEqual(Array.from({ length: 4 }, () => 'request'));
    expect(h.said('cleanup.completed').at(-1)).toMatchObject({ trigger: 'request', cleaned: 4, remaining: 2 });
  });

  it('of a kind releases that kind only', async () => {
    const { h } = await oneOfEach({ config: undisturbed });
    expect(strategiesOf((await cleanupOf(h, { strategies: ['error'] })).chosen)).toEqual({ thread_now3: 'error' });
    expect(h.countOf('ada')).toBe(5);
  });

  it('asks nobody where the dead are not wanted', async () => {
    const { h, busy } = await oneOfEach();
    const before = busy.transport.pings.length;
    await h.mooring.cleanup('ada', { strategies: ['idle', 'error'] });
    expect(busy.transport.pings).toHaveLength(before);
  });

  it('that is a dry run says the same with figures, and releases nobody', async () => {
    const { h } = await oneOfEach({ config: undisturbed });
    const dry = await cleanupOf(h, { dryRun: true });
    expect([h.countOf('ada'), h.said('manager.released'), h.said('cleanup.completed')]).toEqual([6, [], []]);
    expect(dry).toMatchObject({ dryRun: true, cleaned: 0, remaining: 2 });
    expect(dry.chosen.find(({ strategy }) => strategy === 'idle')).toMatchObject({
      threadId: 'thread_idle1',
      reason: 'idle',
      idleMs: 603_000,
      limitMs: 600_000,
      finding: null,
    });
    const dead = dry.chosen.filter(({ strategy }) => strategy === 'disconnected');
    expect(dead.map(({ finding }) => finding)).toEqual(['closed', 'silent']);
    const real = await cleanupOf(h);
    expect(strategiesOf(real.chosen)).toEqual(strategiesOf(dry.chosen));
  });

  it('of a user of whom nobody knows does nothing', async () => {
    const h = harness();
    expect(await cleanupOf(h)).toMatchObject({ chosen: [], cleaned: 0, remaining: 0 });
  });

  it('leaves nothing behind when the server stops while it asks', async () => {
    const { h } = await oneOfEach();
    const result = h.mooring.cleanup('ada');
    await h.stop();
    await expect(result).resolves.toMatchObject({ userId: 'ada' });
    expect(h.time.pendingTimers).toBe(0);
  });

  it('after the stop does nothing', async () => {
    const h = harness();
    await h.stop();
    await expect(h.mooring.cleanup('ada')).resolves.toMatchObject({ cleaned: 0 });
  });
});

describe('a preview of an emergency cleanup', () => {
  it('names whom it would release, with the patience of one', async () => {
    const { h } = await oneOfEach({ config: undisturbed });
    const preview = h.mooring.previewEmergencyCleanup('ada');
    await h.time.advance(10_000);
    const { chosen } = await preview;
    expect(strategiesOf(chosen)).toMatchObject({ thread_idle1: 'idle', thread_bored1: 'idle' });
    expect(chosen.find(({ threadId }) => threadId === 'thread_bored1')).toMatchObject({ limitMs: 180_000 });
    expect(h.said('manager.released')).toEqual([]);
    const run = h.mooring.emergencyCleanup('ada');
    await h.time.advance(10_000);
    expect((await run).cleaned).toBe(chosen.length);
  });

  it.each([
    [{ evict: 2 }, ['thread_1', 'thread_2']],
    [{ keep: 3 }, ['thread_1', 'thread_2']],
    [{ keep: 5 }, []],
    [{ evict: 9, keep: 4 }, ['thread_1']],
  ])('with %o names who would make room', async (wanted, threads) => {
    const h = harness({ config: undisturbed });
    await h.fill('ada', 5, remote);
    await h.time.advance(70_000);
    const preview = h.mooring.previewEmergencyCleanup('ada', wanted);
    await h.time.advance(10_000);
    expect((await preview).chosen).toMatchObject(
      threads.map((threadId) => ({ threadId, strategy: 'oldest', reason: 'evicted', limitMs: 60_000 })),
    );
  });

  it('never names one in use', async () => {
    const h = harness({ config: undisturbed });
    await h.fill('ada', 3, remote);
    const preview = h.mooring.previewEmergencyCleanup('ada', { keep: 0 });
    await h.time.advance(10_000);
    expect((await preview).chosen).toEqual([]);
  });

  it.each(['evict', 'keep'] as const)('refuses an amount of %s that is none', (name) => {
    const h = harness();
    expect(() => void h.mooring.previewEmergencyCleanup('ada', { [name]: -1 })).toThrow(`${name}: got -1`);
  });
});

describe('a preview of a background cycle', () => {
  it('names what is due, and changes nothing', async () => {
    const { h } = await oneOfEach({ config: undisturbed });
    const { chosen, byStrategy, count, users } = await h.mooring.previewBackgroundCleanup();
    expect(strategiesOf(chosen)).toEqual({ thread_idle1: 'idle', thread_now3: 'error' });
    expect({ byStrategy, count, users }).toEqual({
      byStrategy: tallyOf({ idle: 1, error: 1 }),
      count: 2,
      users: 1,
    });
    const { cleaned } = await h.mooring.backgroundCleanup.runCycle();
    expect(cleaned).toBe(2);
  });

  it('has the patience of the level with users at critical', async () => {
    const h = harness({ config: { backgroundCleanupIntervalMs: 3_600_000 } });
    const clients = await h.fill('ada', 16, remote);
    await h.fill('bob', 1, remote);
    await h.time.advance(190_000);
    for (const { transport } of clients.slice(1)) transport.message();
    expect((await h.mooring.previewBackgroundCleanup()).chosen).toMatchObject([
      { userId: 'ada', threadId: 'thread_1', strategy: 'idle', limitMs: 180_000 },
    ]);
  });

  it('counts all, and names no more than a page of them', async () => {
    const h = harness({ config: { maxManagersPerUser: 2_000 } });
    const clients = await h.fill('ada', maxListed + 1, remote);
    for (const { manager } of clients) manager.fail(new Error('broken'));
    const preview = h.mooring.previewBackgroundCleanup();
    await h.time.settle();
    const { chosen, count } = await preview;
    expect([chosen.length, count]).toEqual([maxListed, maxListed + 1]);
  });
});
