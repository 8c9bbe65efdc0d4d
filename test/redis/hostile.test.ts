import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { keySpace, partitionOf } from '../../src/redis/partitions.js';
import { QuotaNode, forEachOf, redisClients } from '../support/quota-node.js';
import { livingSlots, operatorOf, slotsOf, type Operator } from '../support/redis-operator.js';
import { startRedis } from '../support/redis-server.js';

const hasRedis = process.env['TEST_HAS_REDIS'] !== '0';
const keys = keySpace();
const patiently = { timeout: 15_000, interval: 50 };

/** Two processes that share a quota, and somebody who may write whatever they like to Redis. */
async function twoNodes(makeClient: (typeof redisClients)[number][1], limit: number) {
  const redis = await startRedis();
  const operator = await operatorOf(redis);
  const make = (): Promise<QuotaNode> =>
    new QuotaNode(makeClient(redis.url), { maxManagersPerUser: limit, threadIdPrefix: '' }).up();
  const [here, there] = await Promise.all([make(), make()]);
  return { operator, here, there };
}

/** Fields of entries that no process wrote. */
function forgedEntries(userId: string, holder: string): string[][] {
  const [process, stamp] = [holder.slice(0, 8), holder.slice(10, 18)];
  const numbers = ['-1', '0', '1e308', 'NaN', '9'.repeat(400), '', 'x'];
  return [
    ['t', 'moved', 'u', userId, 'f', 'thread', 'p', process, 'c', stamp],
    ['t', 'moved', 'u', 'somebody else', 'f', 'thread', 'p', process, 'c', stamp],
    ['t', 'moved', 'p', process],
    ['t', 'died', 'e', holder.slice(0, 10)],
    ['t', 'joined', 'e', holder.slice(0, 10)],
    ['t', 'granted', 'u', userId],
    ['t', '__proto__', 'u', '__proto__'],
    ['u', userId],
    ['t', 't'.repeat(100_000)],
    ...numbers.map((n) => ['t', 'total', 'u', userId, 'n', n]),
  ];
}

describe.skipIf(!hasRedis).each(redisClients)(
  'what somebody else writes to Redis, with a client of %s',
  (_, makeClient) => {
    it('moves and closes nobody, if it is entries of the log', async () => {
      const { operator, here, there } = await twoNodes(makeClient, 2);
      expect([await here.admit('ada', 'thread'), await there.admit('ada', 'other')]).toEqual([null, null]);
      const { thread: holder = '' } = await operator.hGetAll(keys.user('ada'));
      for (const entry of forgedEntries('ada', holder))
        await operator.sendCommand(['XADD', keys.log(partitionOf('ada')), '*', ...entry]);
      await sleep(2_500);
      expect([here.held, there.held]).toEqual([['ada thread'], ['ada other']]);
      expect([here.lost, there.lost]).toEqual([[], []]);
      expect(await here.admit('ada', 'third')).toBe('quota');
      there.close('ada', 'other');
      await vi.waitFor(async () => expect(await here.admit('ada', 'third')).toBeNull(), patiently);
    });

    it('counts as slots in use, if it is fields of a user, and is not touched', async () => {
      const { operator, here } = await twoNodes(makeClient, 5);
      expect(await here.admit('ada', 'thread')).toBeNull();
      const foreign = { a: '', b: 'x'.repeat(10_000), c: 'kg381uy301loyx40l20>' };
      await operator.hSet(keys.user('ada'), foreign);
      expect([await here.admit('ada', 'second'), await here.admit('ada', 'third')]).toEqual([null, 'quota']);
      // Its own thread under a value that is none.
      expect(await here.admit('ada', 'a')).toBe('contested');
      here.close('ada', 'thread');
      await vi.waitFor(async () => expect(await slotsOf(operator, 'ada')).toBe(4), patiently);
      expect(await operator.hGetAll(keys.user('ada'))).toMatchObject(foreign);
    });

    it.each(['m', 'e', 'log', 'u'])(
      'is a trouble that ends with it, if it is another type in place of %s',
      async (name) => {
        const { operator, here, there } = await twoNodes(makeClient, 2);
        expect(await here.admit('ada', 'thread')).toBeNull();
        const partition = partitionOf('ada');
        const key = {
          m: keys.meta(partition),
          e: keys.epochs(partition),
          log: keys.log(partition),
          u: keys.user('ada'),
        }[name];
        await operator.set(key ?? '', 'a text');
        expect(await there.admit('ada', 'other')).toBeNull();
        await sleep(3_000);
        expect([here.held, there.held]).toEqual([['ada thread'], ['ada other']]);
        await operator.del(key ?? '');
        await Promise.all([here.up(), there.up()]);
        if (name !== 'u') await vi.waitFor(async () => expect(await slotsOf(operator, 'ada')).toBe(2), patiently);
        expect([here.lost, there.lost]).toEqual([[], []]);
      },
    );
  },
);

describe.skipIf(!hasRedis)('user ids that look like keys', () => {
  it('each have a quota of their own', async () => {
    const { operator, here, there } = await twoNodes(redisClients[0]![1], 2);
    const ids = ['}x', '{}', 'a}:u:b', '界'.repeat(256), 'u'.repeat(256), '__proto__', '*', 'ada'];
    for (const userId of ids)
      expect([await here.admit(userId, 'one'), await there.admit(userId, 'two')]).toEqual([null, null]);
    expect(await Promise.all(ids.map((userId) => there.admit(userId, 'three')))).toEqual(ids.map(() => 'quota'));
    for (const userId of ids) {
      expect((await operator.hKeys(keys.user(userId))).toSorted()).toEqual(['one', 'two']);
      here.close(userId, 'one');
    }
    for (const userId of ids)
      await vi.waitFor(async () => expect(await there.admit(userId, 'three')).toBeNull(), patiently);
  });
});

describe.skipIf(!hasRedis)('many slots', () => {
  it('of one user are counted up to a thousand', async () => {
    const { operator, here, there } = await twoNodes(redisClients[0]![1], 1_000);
    const threads = Array.from({ length: 1_000 }, (_, index) => `thread_${index}`);
    await forEachOf(threads, 32, (thread) => (threads.indexOf(thread) % 2 === 0 ? here : there).admit('ada', thread));
    expect([here.held.length, there.held.length]).toEqual([500, 500]);
    // What Redis answered too late is repaired.
    await vi.waitFor(async () => expect(await slotsOf(operator, 'ada')).toBe(1_000), patiently);
    here.close('ada', 'thread_0');
    await vi.waitFor(async () => expect(await there.admit('ada', 'one-more')).toBeNull(), patiently);
    expect(await slotsOf(operator, 'ada')).toBe(1_000);
  });

  it('that are deleted while users come and go are there again after the next rotation, and nobody is closed', async () => {
    const { operator, here, there } = await twoNodes(redisClients[1]![1], 4);
    const users = Array.from({ length: 5_000 }, (_, index) => `user-${index}`);
    await forEachOf(users, 64, (userId) => here.admit(userId, 'thread'));
    let isOver = false;
    const churn = forEachOf([0, 1, 2, 3], 4, async (index) => {
      for (let turn = 0; !isOver; turn += 1) {
        const userId = `user-${(turn * 4 + index) % 5_000}`;
        expect(await there.admit(userId, `thread-${index}`)).toBeNull();
        there.close(userId, `thread-${index}`);
      }
    });
    await deleteAll(operator, users);
    await sleep(1_500);
    isOver = true;
    await churn;
    expect([here.held.length, here.lost, there.lost]).toEqual([5_000, [], []]);
    // What begins a rotation at once; without it one begins within ten minutes or so.
    for (let partition = 0; partition < 16; partition += 1) await operator.del(keys.epochs(partition));
    await vi.waitFor(async () => expect((await livingSlots(operator)).size).toBe(5_000), patiently);
  });
});

async function deleteAll(operator: Operator, users: readonly string[]): Promise<void> {
  for (const userId of users) await operator.del(keys.user(userId));
}
