import { describe, expect, it } from 'vitest';
import type { WebSocketConfig } from '../../src/index.js';
import { startCrowd } from '../support/crowd.js';
import { bystanders, endedOf, endsOf, recordFault } from '../support/faults.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

/** Three seconds without an answer, and what a loaded machine may need besides. */
const soonMs = 3_800;

/** How long the first newcomer who got in by cleanup waited, on the server's clock. */
const waitedMs = (server: WsServer): number | undefined =>
  server.said('manager.admitted').find((admitted) => admitted.waitedMs > 0)?.waitedMs;

/** A user whose quota is full of connections whose process was stopped, after each had been heard of. */
async function lockedOut(environment: string | undefined, config: Partial<WebSocketConfig> = {}) {
  const server = await wsServer({ environment: environment ?? '', config });
  const limit = server.mooring.config.maxManagersPerUser;
  const [frozen, awake] = [await startCrowd(), await startCrowd()];
  await frozen.settleAll(server.urls('ada', limit));
  expect(server.countOf('ada')).toBe(limit);
  for (const client of frozen.clients) {
    client.send('hello');
    await client.reply();
  }
  frozen.freeze();
  return { server, limit, frozen, awake };
}

describe.each(['production', 'staging', 'development', undefined])('in environment %s', (environment) => {
  it('a user whose 20 connections were stopped gets a new thread in, for one of them', async () => {
    const { server, limit, awake } = await lockedOut(environment);
    expect(limit).toBe(20);
    const newcomer = await awake.settle(server.url('ada', 'thread_new'));
    await server.admits('thread_new');
    expect(newcomer.ended).toBeNull();
    expect(waitedMs(server)).toBeLessThan(soonMs);
    await server.hears('cleanup.completed');
    expect(server.releases).toEqual({ disconnected: 1 });
    newcomer.send('here I am');
    expect(await newcomer.reply()).toBe('here I am');
    const scenario = `20 clients stopped (SIGSTOP); environment ${environment ?? 'not set'}`;
    const saw = { peersSaw: null, newcomersSaw: endsOf([newcomer], 'in') };
    recordFault({ scenario, ...saw, freedMs: waitedMs(server) ?? null, healthyClosed: endedOf(awake.clients) });
  });
});

describe('the dead', () => {
  it('are told so, should they wake up in time to hear it', async () => {
    const { server, frozen, awake } = await lockedOut('production');
    const { key } = await awake
      .settle(server.url('ada', 'thread_new'))
      .then(() => server.hears('manager.released', ({ by }) => by === 'admission'));
    frozen.thaw();
    const gone = frozen.clients.find(({ url }) => key === `ada:${new URL(url).searchParams.get('threadId')}`);
    expect([1013, 1006]).toContain((await gone!.end()).code);
    expect(frozen.clients.filter(({ isOpen }) => isOpen)).toHaveLength(19);
  });

  it('of a user with a limit of 1 make room for the one who comes back (citrineos#190)', async () => {
    const { server, awake } = await lockedOut('production', { maxManagersPerUser: 1 });
    const back = await awake.settle(server.url('ada', 'thread_2'));
    await server.admits('thread_2');
    expect(back.ended).toBeNull();
    expect(waitedMs(server)).toBeLessThan(soonMs);
  });

  it('that were stopped the moment they opened make room within a cleanup', async () => {
    const server = await wsServer({ environment: 'production', config: { maxManagersPerUser: 1 } });
    const [frozen, awake] = [await startCrowd(), await startCrowd()];
    await frozen.settleAll(server.urls('ada', 1));
    frozen.freeze();
    const back = await awake.settle(server.url('ada', 'thread_2'));
    await server.admits('thread_2');
    expect(back.ended).toBeNull();
    expect(waitedMs(server)).toBeLessThan(server.mooring.config.emergencyCleanupTimeoutMs);
  });

  it('of a user with a limit of 1 are replaced at once by the same thread (citrineos#190)', async () => {
    const { server, awake } = await lockedOut('production', { maxManagersPerUser: 1 });
    const back = await awake.settle(server.url('ada', 'thread_1'));
    expect(back.ended).toBeNull();
    expect(waitedMs(server)).toBeUndefined();
    expect(server.said('connection.replaced')).toHaveLength(1);
  });

  it('whose process is killed are gone without anybody asking', async () => {
    const { server, frozen } = await lockedOut('production');
    const healthy = await bystanders(server);
    const killedAtMs = performance.now();
    frozen.kill();
    for (let i = 1; i <= 20; i++) await server.hears('manager.released', (event) => event.threadId === `thread_${i}`);
    expect(server.releases).toEqual({ closed: 20 });
    const freedMs = performance.now() - killedAtMs;
    const saw = { peersSaw: null, newcomersSaw: null };
    const scenario = '20 clients killed (SIGKILL)';
    recordFault({ scenario, ...saw, freedMs, healthyClosed: healthy.closed() });
  });

  it('go without a newcomer too, by heartbeat', async () => {
    const { server } = await lockedOut('production', { heartbeatIntervalMs: 500 });
    for (let i = 1; i <= 20; i++) await server.hears('manager.released', (event) => event.threadId === `thread_${i}`);
    expect(server.releases).toEqual({ disconnected: 20 });
  });
});

describe('20 untouched tabs that only send keepalives', () => {
  it('make room for a new thread: the one left alone longest goes, and is told why', async () => {
    // The floor is a tenth of this, 1 s.
    const server = await wsServer({ config: { idleManagerTimeoutMs: 10_000 } });
    const [tabs, awake] = [await startCrowd(), await startCrowd()];
    const clients = await tabs.settleAll(server.urls('ada', 20), { keepaliveEveryMs: 200 });
    clients[0]?.send('the oldest is still used');
    await clients[0]?.reply();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const newcomer = await awake.settle(server.url('ada', 'thread_new'));
    await server.admits('thread_new');
    expect(newcomer.ended).toBeNull();
    expect(waitedMs(server)).toBeLessThan(soonMs);
    expect(await clients[1]?.end()).toEqual({ code: 4410, reason: 'evicted' });
    expect(clients.filter(({ isOpen }) => isOpen)).toHaveLength(19);
    expect(server.releases).toEqual({ evicted: 1 });
  });
});
