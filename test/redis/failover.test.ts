import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { QuotaNode, forEachOf, redisClients } from '../support/quota-node.js';
import { startFailoverRedis } from '../support/redis-failover.js';
import { livingSlots, operatorOf, slotsOf, type Operator } from '../support/redis-operator.js';
import { startRedis } from '../support/redis-server.js';
import { relayTo } from '../support/relay.js';

const hasRedis = process.env['TEST_HAS_REDIS'] !== '0';

/** How long a process is cut off from Redis, in milliseconds: long enough to count as dead. */
const cutOffMs = Number(process.env['MOORING_CUT_OFF_MS'] ?? '12000');
/** How many threads move to another process. */
const moves = Number(process.env['MOORING_MOVES'] ?? '200');

/** Threads 0 to 3 of so many users. */
const threadsOf = (users: number, name: string): [string, string][] =>
  Array.from({ length: 4 * users }, (_, index) => [`${name}-${Math.floor(index / 4)}`, `thread_${index % 4}`]);

/** How long it takes until Redis has what the processes hold, and nothing else, in milliseconds. */
async function equalAfterMs(operator: Operator, nodes: readonly QuotaNode[]): Promise<number> {
  const sinceMs = performance.now();
  await vi.waitFor(
    async () => {
      const stored = await livingSlots(operator);
      const held = nodes.flatMap((node) => node.held);
      const wrong = held.filter((slot) => !stored.has(slot)).length + Math.max(0, stored.size - held.length);
      expect(wrong).toBe(0);
    },
    { timeout: 15_000, interval: 50 },
  );
  return performance.now() - sinceMs;
}

describe.skipIf(!hasRedis).each(redisClients)('a replica that is promoted, with a client of %s', (name, makeClient) => {
  it('knows soon what it had lost: 1,000 slots taken and 1,000 given back, among 10,000', async () => {
    const redis = await startFailoverRedis();
    const nodes = await Promise.all([0, 1].map(() => new QuotaNode(makeClient(redis.url)).up()));
    const [node, other] = nodes as [QuotaNode, QuotaNode];
    await forEachOf(threadsOf(1_250, 'here'), 64, ([userId, threadId]) => node.admit(userId, threadId));
    await forEachOf(threadsOf(1_250, 'there'), 64, ([userId, threadId]) => other.admit(userId, threadId));
    await redis.caughtUp();
    expect((await livingSlots(redis.replica)).size).toBe(10_000);
    redis.lose();
    await forEachOf(threadsOf(250, 'new'), 64, ([userId, threadId]) => node.admit(userId, threadId));
    for (const [userId, threadId] of threadsOf(250, 'here')) node.close(userId, threadId);
    await equalAfterMs(redis.master, nodes);
    expect((await livingSlots(redis.replica)).size).toBe(10_000);
    await redis.promote();
    const tookMs = await equalAfterMs(redis.replica, nodes);
    console.log(`${name}: after the promotion, Redis has what is held in ${Math.round(tookMs)} ms`);
    expect(nodes.flatMap(({ lost }) => lost)).toEqual([]);
    expect(nodes.map(({ mooring }) => mooring.managerCount)).toEqual([5_000, 5_000]);
    expect(tookMs).toBeLessThan(6_000);
  });

  it.each([180_000, -180_000])(
    'takes no process for dead if its clock is %i ms ahead, but one that dies',
    async (ms) => {
      const redis = await startFailoverRedis(ms);
      const relay = await relayTo(redis.port);
      const urls = [`redis://127.0.0.1:${relay.port}`, redis.url];
      const nodes = await Promise.all(
        urls.map((url) => new QuotaNode(makeClient(url), { maxManagersPerUser: 4 }).up()),
      );
      const [node, other] = nodes as [QuotaNode, QuotaNode];
      for (const thread of ['thread_0', 'thread_1', 'thread_2', 'thread_3']) await node.admit('ada', thread);
      await other.admit('bob', 'thread_0');
      await redis.caughtUp();
      await redis.promote();
      let asked = 0;
      const sinceMs = performance.now();
      while (performance.now() - sinceMs < 6_000) {
        await sleep(100);
        // A slot of a process that counts as dead is free as soon as somebody asks.
        if (other.mooring.ledgerStatus?.state !== 'up') continue;
        expect(await other.admit('ada', 'thread_new')).toBe('quota');
        asked += 1;
      }
      expect(asked).toBeGreaterThan(1);
      expect(nodes.flatMap(({ lost }) => lost)).toEqual([]);
      expect(await slotsOf(redis.replica, 'ada')).toBe(4);
      // Now it is cut off from Redis, as one that has died.
      relay.hold();
      const deadAtMs = performance.now();
      while ((await other.admit('ada', 'thread_new')) !== null)
        expect(performance.now() - deadAtMs).toBeLessThan(12_000);
      const tookMs = performance.now() - deadAtMs;
      console.log(
        `${name}, clock ${ms} ms ahead: the slots of a process that died were free after ${Math.round(tookMs)} ms`,
      );
      expect(tookMs).toBeLessThan(10_000);
    },
  );
});

describe.skipIf(!hasRedis).each(redisClients)('a process that is cut off, with a client of %s', (name, makeClient) => {
  it(
    'closes nobody, and shares the quota again soon after',
    async () => {
      const redis = await startRedis();
      const relay = await relayTo(redis.port);
      const operator = await operatorOf(redis);
      const apart = await new QuotaNode(makeClient(`redis://127.0.0.1:${relay.port}`)).up();
      const well = await new QuotaNode(makeClient(redis.url)).up();
      for (let thread = 0; thread < 10; thread += 1) {
        expect(await apart.admit('ada', `thread_apart-${thread}`)).toBeNull();
        expect(await well.admit('ada', `thread_well-${thread}`)).toBeNull();
      }
      const goOn = relay.hold();
      await sleep(cutOffMs);
      expect(apart.mooring.ledgerStatus?.state).toBe('down');
      const waits: number[] = [];
      for (let thread = 10; thread < 20; thread += 1) {
        const sinceMs = performance.now();
        expect(await apart.admit('ada', `thread_apart-${thread}`)).toBeNull();
        waits.push(performance.now() - sinceMs);
        expect(await well.admit('ada', `thread_well-${thread}`)).toBeNull();
      }
      goOn();
      const tookMs = await equalAfterMs(operator, [apart, well]);
      console.log(
        `${name}: counted again after ${Math.round(tookMs)} ms; newcomers waited for ${Math.round(Math.max(...waits))} ms`,
      );
      await apart.up();
      expect([apart.held.length, well.held.length, await slotsOf(operator, 'ada')]).toEqual([20, 20, 40]);
      expect(await Promise.all([apart.admit('ada', 'thread_more'), well.admit('ada', 'thread_more')])).toEqual([
        'quota',
        'quota',
      ]);
      expect([...apart.lost, ...well.lost]).toEqual([]);
      expect(tookMs).toBeLessThan(6_000);
    },
    cutOffMs + 60_000,
  );
});

describe.skipIf(!hasRedis).each(redisClients)(
  'threads that move to another process, with a client of %s',
  (name, makeClient) => {
    it('have their former connections closed within a beat, and none for a newcomer that vanishes', async () => {
      const redis = await startRedis();
      const nodes = await Promise.all([0, 1].map(() => new QuotaNode(makeClient(redis.url)).up()));
      const [former, newer] = nodes as [QuotaNode, QuotaNode];
      const threads = Array.from({ length: moves }, (_, index): [string, string] => [`user-${index}`, 'thread_1']);
      await forEachOf(threads, 32, ([userId, threadId]) => former.admit(userId, threadId));
      await forEachOf(threads, 32, async ([userId, threadId]) => {
        const { ticket } = await newer.mooring.admit({ userId, threadId });
        ticket?.cancel();
      });
      await sleep(2_500);
      expect([former.mooring.managerCount, newer.mooring.managerCount]).toEqual([moves, 0]);

      const openedAtMs = new Map<string, number>();
      const tookMs: number[] = [];
      newer.mooring.on('connection.opened', ({ userId }) => openedAtMs.set(userId, performance.now()));
      former.mooring.on('manager.released', ({ userId }) =>
        tookMs.push(performance.now() - (openedAtMs.get(userId) ?? Infinity)),
      );
      // Not all in one beat.
      await forEachOf(threads, 4, async ([userId, threadId]) => {
        await newer.admit(userId, threadId);
        await sleep(20);
      });
      await vi.waitFor(() => expect(former.mooring.managerCount).toBe(0), { timeout: 5_000, interval: 20 });
      const sorted = tookMs.toSorted((one, other) => one - other);
      const p99 = sorted[Math.floor(0.99 * sorted.length)] ?? Infinity;
      console.log(`${name}: of ${moves} former connections, closed after ${Math.round(p99)} ms (p99)`);
      expect(former.lost.filter((text) => !text.endsWith(' moved'))).toEqual([]);
      expect([...former.open.values()].map(({ closes }) => closes[0]?.code)).toEqual(threads.map(() => 4409));
      expect(sorted[0]).toBeGreaterThan(0);
      expect(p99).toBeLessThan(3_000);
    });
  },
);
