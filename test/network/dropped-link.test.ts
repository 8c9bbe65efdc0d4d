import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { WebSocketConfig } from '../../src/index.js';
import { startCrowd } from '../support/crowd.js';
import { hasNamespaces, remoteNetwork, type Loss, type RemoteNetwork } from '../support/network.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

/** Two probes of half a second, and what a loaded machine may need besides. */
const soonMs = 1_500;

/** A user whose whole quota is on the other side of a link. */
async function fullOverLink(config: Partial<WebSocketConfig> = {}) {
  const network = await remoteNetwork();
  const server = await wsServer({ host: network.address, config });
  const [far, near] = [await startCrowd(network.wrap), await startCrowd()];
  const clients = await far.settleAll(server.urls('ada', server.mooring.config.maxManagersPerUser));
  return { network, server, clients, near };
}

/** A new thread of the user gets in, from a place that still has a network. */
async function expectLetIn({ server, near }: { server: WsServer; near: Awaited<ReturnType<typeof startCrowd>> }) {
  const newcomer = await near.settle(server.url('ada', 'thread_new'));
  newcomer.send('here I am');
  expect(await newcomer.reply()).toBe('here I am');
  const waited = server.said('manager.admitted').at(-1)?.waitedMs;
  expect(waited).toBeLessThan(soonMs);
}

describe.runIf(hasNamespaces)('a user all of whose connections are behind a link', () => {
  it.each<Loss>(['both ways', 'from the client', 'to the client'])(
    'that loses packets %s gets a new thread in, and all 20 are freed',
    async (loss) => {
      const { network, server, near } = await fullOverLink();
      await network.lose(loss);
      await expectLetIn({ server, near });
      await server.hears('cleanup.completed');
      expect(server.releases).toEqual({ disconnected: 20 });
    },
  );

  it('that is unplugged gets a new thread in', async () => {
    const { network, server, near } = await fullOverLink();
    await network.unplug();
    await expectLetIn({ server, near });
    expect(server.countOf('ada')).toBe(1);
  });

  it('with a limit of 1 gets a new thread in (citrineos#190)', async () => {
    const { network, server, near } = await fullOverLink({ maxManagersPerUser: 1 });
    await network.lose('both ways');
    await expectLetIn({ server, near });
  });

  it('whose kernel resets them is free at once', async () => {
    const { network, server } = await fullOverLink();
    await network.killSockets();
    for (let i = 1; i <= 20; i++) await server.hears('manager.released', (event) => event.threadId === `thread_${i}`);
    expect([server.countOf('ada'), server.releases]).toEqual([0, { closed: 20 }]);
  });

  it('loses them within three heartbeats, when nobody asks', async () => {
    const { network, server } = await fullOverLink({ heartbeatIntervalMs: 500 });
    await network.lose('both ways');
    for (let i = 1; i <= 20; i++) await server.hears('manager.released', (event) => event.threadId === `thread_${i}`);
    expect(server.releases).toEqual({ disconnected: 20 });
  });
});

describe.runIf(hasNamespaces)('a connection over a link that heals', () => {
  it.each([
    [3, 'both ways'],
    [3, 'to the client'],
    [8, 'both ways'],
  ] as const)('after %i s of losing packets %s is not closed', async (seconds, loss) => {
    const network: RemoteNetwork = await remoteNetwork();
    // Two beats fit into neither gap, as with 25 s they do not.
    const server = await wsServer({ host: network.address, config: { heartbeatIntervalMs: 10_000 } });
    const client = await (await startCrowd(network.wrap)).settle(server.url('ada', 'thread_1'));
    await network.lose(loss);
    client.send('while it is away');
    await sleep(seconds * 1_000);
    await network.heal();
    expect(await client.reply()).toBe('while it is away');
    expect([client.ended, server.releases]).toEqual([null, {}]);
  });
});
