import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCrowd, type Crowd, type CrowdClient } from '../support/crowd.js';
import { startRedis } from '../support/redis-server.js';
import { startShared, temporaryFolder } from '../support/shared-process.js';
import { readHistory } from '../support/slot-history.js';

const users = 20;
const limit = 20;

/** Those of production, and how long after the death of a process everybody has to be in again. */
const nodeTimeoutMs = 5_000;
const soonMs = nodeTimeoutMs + 1_500;

/** Two servers that share a quota, and how many connections each user has on the first. */
async function twoServers(perUser: number) {
  const redis = await startRedis();
  const folder = temporaryFolder();
  const start = async (name: string) => {
    const logFile = join(folder, `${name}.log`);
    const settings = { environment: 'production', maxManagersPerUser: limit };
    const server = await startShared('shared-server', { redisUrl: redis.url, settings, logFile }, { port: 0 });
    const { port } = await server.hears('ready');
    const urlOf = (user: number, thread: string): string =>
      `ws://127.0.0.1:${port}/?userId=user-${user}&threadId=thread_${thread}`;
    return { server, urlOf, refusals: () => readHistory(name, logFile).filter(({ what }) => what === 'refuse') };
  };
  const [first, second] = [await start('first'), await start('second')];
  const [before, after] = [await startCrowd(), await startCrowd()];
  const urls = Array.from({ length: users * perUser }, (_, index) =>
    first.urlOf(index % users, String(Math.floor(index / users))),
  );
  await Promise.all((await before.settleTogether(urls.map((url) => ({ url })))).map((client) => isIn(client)));
  return { first, second, after };
}

async function isIn(client: CrowdClient): Promise<void> {
  await client.received(2);
  if (client.ended !== null) throw new Error(`ended ${JSON.stringify(client.ended)} before it was in`);
}

/** How long each of them took until it was in, in milliseconds, sorted. */
async function comeBack(crowd: Crowd, urls: readonly string[]): Promise<number[]> {
  const sinceMs = performance.now();
  const times = urls.map(async (url) => {
    await isIn(crowd.connect(url));
    return performance.now() - sinceMs;
  });
  return (await Promise.all(times)).toSorted((one, other) => one - other);
}

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('20 users at their limit, on a process that is killed', () => {
  it('are let in by another process when the first has been silent for long enough, and none is refused', async () => {
    const { first, second, after } = await twoServers(limit);
    const killedAtMs = performance.now();
    await first.server.kill();
    const takenMs = performance.now() - killedAtMs;
    const times = await comeBack(
      after,
      Array.from({ length: users }, (_, user) => second.urlOf(user, 'new')),
    );
    report('a new thread of each', times);
    expect(second.refusals()).toEqual([]);
    expect(times).toHaveLength(users);
    expect(Math.max(...times) + takenMs).toBeLessThan(soonMs);
  });

  it('have all their 20 connections back as soon as that', async () => {
    const { first, second, after } = await twoServers(limit);
    await first.server.kill();
    const urls = Array.from({ length: users * limit }, (_, index) =>
      second.urlOf(index % users, `new-${Math.floor(index / users)}`),
    );
    const times = await comeBack(after, urls);
    report('20 new threads of each', times);
    expect(second.refusals()).toEqual([]);
    expect(Math.max(...times)).toBeLessThan(soonMs);
  });

  it('do not wait for a thread that they had: it is taken over at once', async () => {
    const { first, second, after } = await twoServers(limit);
    await first.server.kill();
    const times: number[] = [];
    for (let user = 0; user < users; user += 1) times.push(...(await comeBack(after, [second.urlOf(user, '0')])));
    report('the same thread, one user after the other', times);
    expect(second.refusals()).toEqual([]);
    expect(Math.max(...times)).toBeLessThan(100);
  });
});

function report(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((one, other) => one - other);
  const [median = 0, most = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  console.log(
    `${what}: ${sorted.length} in again, p50 ${median.toFixed(0)} ms, at most ${most.toFixed(0)} ms, 0 refused`,
  );
}
