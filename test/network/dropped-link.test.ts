import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { WebSocketConfig } from '../../src/index.js';
import { startCrowd, type Crowd, type CrowdClient } from '../support/crowd.js';
import { bystanders, endsOf, recordFault } from '../support/faults.js';
import { hasNamespaces, remoteNetwork, type Loss } from '../support/network.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

/** How long connections are asked whose round trip may not be known, and what a loaded machine needs besides. */
const soonMs = 5_000;

/** What another process has seen has been told by then. */
const tellMs = 200;

interface Scene {
  readonly server: WsServer;
  readonly clients: readonly CrowdClient[];
  readonly near: Crowd;
  readonly healthy: { readonly closed: () => number };
}

/** A user whose whole quota is on the other side of a link. All have been heard of. */
async function fullOverLink(config: Partial<WebSocketConfig> = {}) {
  const network = await remoteNetwork();
  const server = await wsServer({ host: network.address, config });
  const [far, near] = [await startCrowd(network.wrap), await startCrowd()];
  const clients = await far.settleAll(server.urls('ada', server.mooring.config.maxManagersPerUser));
  for (const client of clients) {
    client.send('hello');
    await client.reply();
  }
  return { network, server, clients, near, healthy: await bystanders(server, Math.min(5, clients.length)) };
}

/** A new thread of the user gets in, from a place that still has a network. */
async function expectLetIn(scenario: string, { server, clients, near, healthy }: Scene): Promise<void> {
  const newcomer = await near.settle(server.url('ada', 'thread_new'));
  newcomer.send('here I am');
  expect(await newcomer.reply()).toBe('here I am');
  const waited = server.said('manager.admitted').at(-1)?.waitedMs ?? NaN;
  expect(waited).toBeLessThan(soonMs);
  expect(healthy.closed()).toBe(0);
  recordFault({
    scenario,
    peersSaw: endsOf(clients, 'nothing'),
    newcomersSaw: endsOf([newcomer], 'in'),
    freedMs: waited,
    healthyClosed: healthy.closed(),
  });
}

/** Everybody of the user is released after the fault, in one way or another. */
async function expectAllGone(scenario: string, fault: () => Promise<void>, scene: Scene): Promise<void> {
  const { server, clients, healthy } = scene;
  const atMs = performance.now();
  await fault();
  for (let i = 1; i <= 20; i++)
    await server.hears('manager.released', ({ userId, threadId }) => userId === 'ada' && threadId === `thread_${i}`);
  const freedMs = performance.now() - atMs;
  expect([server.countOf('ada'), healthy.closed()]).toEqual([0, 0]);
  await sleep(tellMs);
  const [peersSaw, newcomersSaw] = [endsOf(clients, 'nothing'), null];
  recordFault({ scenario, peersSaw, newcomersSaw, freedMs, healthyClosed: healthy.closed() });
}

describe.runIf(hasNamespaces)('a user all of whose connections are behind a link', () => {
  it.each<Loss>(['both ways', 'from the client', 'to the client'])(
    'that loses packets %s gets a new thread in, for one of them',
    async (loss) => {
      const scene = await fullOverLink();
      await scene.network.lose(loss);
      await expectLetIn(`all packets of 20 connections lost, ${loss}`, scene);
      await scene.server.hears('cleanup.completed');
      expect(scene.server.releases).toEqual({ disconnected: 1 });
    },
  );

  it('that is unplugged gets a new thread in', async () => {
    const scene = await fullOverLink();
    await scene.network.unplug();
    await expectLetIn('cable pulled', scene);
    expect(scene.server.countOf('ada')).toBe(20);
  });

  it('with a limit of 1 gets a new thread in (citrineos#190)', async () => {
    const scene = await fullOverLink({ maxManagersPerUser: 1 });
    await scene.network.lose('both ways');
    await expectLetIn('all packets lost, limit of 1', scene);
  });

  it('whose kernel resets them is free at once', async () => {
    const scene = await fullOverLink();
    await expectAllGone('reset by the kernel (`ss -K`)', () => scene.network.killSockets(), scene);
    expect(scene.server.releases).toEqual({ closed: 20 });
    expect(scene.clients.map(({ ended }) => ended?.code)).toEqual(Array.from({ length: 20 }, () => 1006));
  });

  it('loses them within three heartbeats, when nobody asks', async () => {
    const scene = await fullOverLink({ heartbeatIntervalMs: 500 });
    const scenario = 'all packets lost, nobody asks; heartbeat of 0.5 s';
    await expectAllGone(scenario, () => scene.network.lose('both ways'), scene);
    expect(scene.server.releases).toEqual({ disconnected: 20 });
    expect(scene.clients.filter(({ ended }) => ended !== null)).toEqual([]);
  });
});

describe.runIf(hasNamespaces)('a connection over a link that heals', () => {
  // Two beats fit into no gap: with 25 s not into 20 s, and with 10 s not into 8.
  it.each([
    [3, 'both ways', 10_000],
    [3, 'to the client', 10_000],
    [8, 'both ways', 10_000],
    [20, 'both ways', 25_000],
    [20, 'from the client', 25_000],
  ] as const)('after %i s of losing packets %s is not closed', async (seconds, loss, heartbeatIntervalMs) => {
    const network = await remoteNetwork();
    const server = await wsServer({ host: network.address, config: { heartbeatIntervalMs } });
    const client = await (await startCrowd(network.wrap)).settle(server.url('ada', 'thread_1'));
    const healthy = await bystanders(server);
    await network.lose(loss);
    const atMs = performance.now();
    client.send('while it is away');
    await sleep(seconds * 1_000);
    await network.heal();
    expect(await client.reply()).toBe('while it is away');
    const peersSaw = `its answer, after ${((performance.now() - atMs) / 1_000).toFixed(1)} s`;
    expect([client.ended, server.releases, healthy.closed()]).toEqual([null, {}, 0]);
    const scenario = `packets lost ${loss} for ${seconds} s, then not`;
    recordFault({ scenario, peersSaw, newcomersSaw: null, freedMs: null, healthyClosed: healthy.closed() });
  });
});
