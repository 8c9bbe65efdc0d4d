import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, it, vi } from 'vitest';
import { createMooring, type Mooring, type MooringEvent } from '../../src/index.js';
import { redisLedger, type RedisClient, type RedisLedgerOptions } from '../../src/redis/index.js';
import { inspectRedis } from '../../src/redis/inspect.js';
import { quotaLedgerContract, type LedgerFixture } from '../../src/testing/index.js';
import { redisClients } from '../support/quota-node.js';
import { operatorOf, slotsOf } from '../support/redis-operator.js';
import { startRedis } from '../support/redis-server.js';
import { afterThisTest } from '../support/setup.js';

const hasRedis = process.env['TEST_HAS_REDIS'] !== '0';

/** A process that shares the quota. */
function node(client: RedisClient, options: RedisLedgerOptions & { limit?: number } = {}) {
  const { limit = 20, ...rest } = options;
  const ledger = redisLedger(client, rest);
  const mooring = createMooring({ ledger, env: {}, environment: 'development', maxManagersPerUser: limit });
  const events: MooringEvent[] = [];
  mooring.events.onAny((event) => events.push(event));
  afterThisTest(() => mooring.stop());
  return {
    ledger,
    mooring,
    states: () => events.flatMap((event) => (event.type === 'ledger.changed' ? [event.state] : [])),
  };
}

const isUp = (mooring: Mooring): Promise<void> =>
  vi.waitFor(() => {
    expect(mooring.ledgerStatus?.state).toBe('up');
  }, 10_000);

describe.skipIf(!hasRedis).each(redisClients)('a ledger with a client of %s', (_, makeClient) => {
  it.each(quotaLedgerContract)('$name', async ({ run }) => {
    const redis = await startRedis();
    const make = async (): Promise<LedgerFixture> => {
      const made = [node(makeClient(redis.url)), node(makeClient(redis.url))] as const;
      await Promise.all(made.map(({ mooring }) => isUp(mooring)));
      return { ledger: made[0].ledger, elsewhere: made[1].ledger, dispose: () => undefined };
    };
    await run(make, (reason) => expect.fail(reason));
  });

  it('lets the local limit decide while Redis is gone, and counts all when it is back', async () => {
    const redis = await startRedis();
    const { mooring, states } = node(makeClient(redis.url), { limit: 3 });
    await isUp(mooring);
    const admit = (thread: string) => mooring.admit({ userId: 'ada', threadId: `thread_${thread}` });
    expect((await admit('1')).refusal).toBeNull();
    await redis.kill();
    await vi.waitFor(() => expect(mooring.ledgerStatus?.state).toBe('down'), 10_000);
    const startedAtMs = performance.now();
    expect((await admit('2')).refusal).toBeNull();
    expect(performance.now() - startedAtMs).toBeLessThan(100);
    await redis.restart();
    await isUp(mooring);
    expect(states()).toEqual(['up', 'suspended', 'down', 'up']);
    expect(await slotsOf(await operatorOf(redis), 'ada')).toBe(2);
    expect(mooring.managerCount).toBe(2);
  });

  it('goes on over a new connection if Redis stood still, with nobody closed', async () => {
    const redis = await startRedis();
    const { mooring } = node(makeClient(redis.url));
    await isUp(mooring);
    await mooring.admit({ userId: 'ada', threadId: 'thread_1' });
    redis.signal('SIGSTOP');
    await vi.waitFor(() => expect(mooring.ledgerStatus?.state).toBe('down'), 10_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    redis.signal('SIGCONT');
    await isUp(mooring);
    expect(mooring.managerCount).toBe(1);
    expect(await slotsOf(await operatorOf(redis), 'ada')).toBe(1);
  });

  it('loads its scripts again when Redis has forgotten them', async () => {
    const redis = await startRedis();
    const { mooring, states } = node(makeClient(redis.url));
    await isUp(mooring);
    const operator = await operatorOf(redis);
    const forgets = setInterval(() => void operator.sendCommand(['SCRIPT', 'FLUSH']), 100);
    afterThisTest(() => {
      clearInterval(forgets);
    });
    for (let round = 0; round < 50; round += 1) {
      const { ticket } = await mooring.admit({ userId: 'ada', threadId: `thread_${round}` });
      ticket?.cancel();
    }
    clearInterval(forgets);
    await vi.waitFor(async () => expect(await slotsOf(await operatorOf(redis), 'ada')).toBe(0), 5_000);
    expect(states()).toEqual(['up']);
  });

  it('leaves nothing behind when it stops', async () => {
    const redis = await startRedis();
    const { mooring } = node(makeClient(redis.url));
    await isUp(mooring);
    await mooring.admit({ userId: 'ada', threadId: 'thread_1' });
    await mooring.stop();
    const operator = await operatorOf(redis);
    const epochs = await operator.keys('mooring:{*}:e');
    expect(epochs).toEqual([]);
    expect(await slotsOf(await operatorOf(redis), 'ada')).toBe(0);
    // The two of the test.
    await vi.waitFor(async () => expect(await operator.clientList()).toHaveLength(2), 2_000);
  });

  it('says why it cannot be used', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'secret'] });
    const { mooring } = node(makeClient(redis.url));
    await vi.waitFor(() => expect(mooring.ledgerStatus?.reason).toMatch(/user or the password/), 10_000);
    expect((await inspectRedis(makeClient(redis.url))).problems).toMatchObject([{ isFatal: true }]);
    const right = makeClient(redis.url.replace('//', '//:secret@'));
    expect(await inspectRedis(right)).toMatchObject({ runsScripts: true, problems: [], evictionPolicy: 'noeviction' });
  });

  it('is tried with every script, and leaves no slot', async () => {
    const redis = await startRedis();
    await inspectRedis(makeClient(redis.url));
    const operator = await operatorOf(redis);
    expect(await operator.keys('mooring:check:*:u:*')).toEqual([]);
    const [log = ''] = await operator.keys('mooring:check:*:log');
    // Only an exchange tells that.
    const entries = (await operator.xRange(log, '-', '+')) ?? [];
    expect(entries.map(({ message }) => message['t'])).toContain('granted');
  });

  it('needs no more than the permissions that the guide lists', async () => {
    const redis = await startRedis();
    const operator = await operatorOf(redis);
    const rules = `on >secret ~mooring:* -@all ${permissions}`;
    await operator.sendCommand(['ACL', 'SETUSER', 'mooring', ...rules.split(' ')]);
    const url = redis.url.replace('//', '//mooring:secret@');
    const { mooring } = node(makeClient(url));
    await isUp(mooring);
    expect((await mooring.admit({ userId: 'ada', threadId: 'thread_1' })).refusal).toBeNull();
    expect(await slotsOf(await operatorOf(redis), 'ada')).toBe(1);
    expect(await inspectRedis(makeClient(url))).toMatchObject({ runsScripts: true, problems: [] });
  });
});

const permissions =
  '+evalsha +eval +script|load +info +ping +time +hset +hget +hmget +hgetall +hdel +hlen +zadd +zrem +zscore +zrange +zrangebyscore +pexpire +xadd +xrange +xrevrange';

describe.skipIf(!hasRedis)('redisLedger', () => {
  it('takes no client that puts a prefix before keys', () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: 'app:' });
    expect(() => redisLedger(client)).toThrow(/keyPrefix "app:".*option prefix/);
  });

  it.each([[undefined], [{}], ['redis://localhost']])('takes no %j', (client) => {
    expect(() => redisLedger(client as never)).toThrow(/wanted a client of the package redis or ioredis/);
  });

  it('is for one Mooring', () => {
    const ledger = redisLedger(createClient({ url: 'redis://127.0.0.1:1' }));
    const mooring = createMooring({ ledger, env: {} });
    afterThisTest(() => mooring.stop());
    expect(() => createMooring({ ledger, env: {} })).toThrow('make one for each');
    expect(() => redisLedger(createClient()).acquire({ userId: 'a', threadId: 'b', claimId: 1 }, 1)).toThrow(
      'give it to createMooring',
    );
  });
});
