import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCrowd, type Crowd } from '../support/crowd.js';
import { bystanders, endsOf, recordFault } from '../support/faults.js';
import { hasNamespaces, remoteNetwork } from '../support/network.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

const users = 250;
const perUser = 20;
const everybody = users * perUser;

/** So many handshakes may wait for this process; the kernel may allow fewer, and then asks the rest to come again. */
const backlog = 8_192;

/** A few addresses, as one has not enough ports for crowds that come twice. */
const loopback = Array.from({ length: 8 }, (_, i) => `127.0.0.${i + 2}`);

/** Threads of all users, one thread of each after the other. */
const urlsOf = (server: WsServer, prefix: string): string[] =>
  Array.from({ length: everybody }, (_, i) =>
    server.url(`user-${i % users}`, `thread_${prefix}${Math.floor(i / users)}`),
  );

/** All begin to connect in one moment, before any of them has an answer. */
async function gather(crowd: Crowd, urls: readonly string[], localAddresses: readonly string[] = []): Promise<void> {
  await crowd.settleTogether(
    urls.map((url, i) => {
      const localAddress = localAddresses[i % localAddresses.length];
      return localAddress === undefined ? { url } : { url, localAddress };
    }),
  );
}

/** Nobody but the bystanders is left. */
async function emptied(server: WsServer): Promise<void> {
  while (server.mooring.userCount > 1) await sleep(20);
}

const openOf = (crowd: Crowd): number => crowd.clients.filter(({ isOpen }) => isOpen).length;

describe('5,000 clients', () => {
  it('that are killed at once leave nothing, and all 5,000 that come back at once get in', async () => {
    const server = await wsServer({ host: '0.0.0.0', ws: { backlog } });
    const healthy = await bystanders(server);
    const first = await startCrowd();
    await gather(first, urlsOf(server, 'a'), loopback);
    expect(openOf(first)).toBe(everybody);
    const atMs = performance.now();
    first.kill();
    await emptied(server);
    const freedMs = performance.now() - atMs;
    expect(server.releases).toEqual({ closed: everybody });
    const killed = { scenario: '5,000 clients killed at once', peersSaw: null, newcomersSaw: null };
    recordFault({ ...killed, freedMs, healthyClosed: healthy.closed() });
    const second = await startCrowd();
    await gather(second, urlsOf(server, 'b'), loopback);
    expect([openOf(second), healthy.closed(), server.said('admission.refused')]).toEqual([everybody, 0, []]);
    const back = { scenario: '5,000 return at once', peersSaw: null, newcomersSaw: endsOf(second.clients, 'in') };
    recordFault({ ...back, freedMs: null, healthyClosed: healthy.closed() });
  }, 180_000);

  it('that are stopped at once keep none of the 5,000 out that come instead', async () => {
    const server = await wsServer({ host: '0.0.0.0', ws: { backlog } });
    const healthy = await bystanders(server);
    const [first, second] = [await startCrowd(), await startCrowd()];
    await gather(first, urlsOf(server, 'a'), loopback);
    first.freeze();
    await gather(second, urlsOf(server, 'b'), loopback);
    while (server.mooring.waitingCount > 0) await sleep(50);
    await sleep(500);
    expect([openOf(second), healthy.closed()]).toEqual([everybody, 0]);
    expect(server.said('admission.refused')).toEqual([]);
    const waits = server.said('manager.admitted').map(({ waitedMs }) => waitedMs);
    const freedMs = Math.max(...waits);
    first.thaw();
    await Promise.all(first.clients.map((client) => client.end()));
    const scenario = '5,000 stopped (SIGSTOP), 5,000 others of the same users at once';
    const [peersSaw, newcomersSaw] = [endsOf(first.clients, 'nothing'), endsOf(second.clients, 'in')];
    recordFault({ scenario, peersSaw, newcomersSaw, freedMs, healthyClosed: healthy.closed() });
  }, 180_000);
});

describe.runIf(hasNamespaces)('5,000 clients behind a link that breaks', () => {
  it('are all gone after three heartbeats', async () => {
    const network = await remoteNetwork();
    const server = await wsServer({ host: '0.0.0.0', ws: { backlog }, config: { heartbeatIntervalMs: 3_000 } });
    const healthy = await bystanders(server);
    const far = await startCrowd(network.wrap);
    const urls = urlsOf(server, 'a').map((url) => url.replace('0.0.0.0', network.address));
    await gather(far, urls);
    expect(openOf(far)).toBe(everybody);
    const atMs = performance.now();
    await network.lose('both ways');
    await emptied(server);
    const freedMs = performance.now() - atMs;
    expect([server.releases, healthy.closed()]).toEqual([{ disconnected: everybody }, 0]);
    expect(openOf(far)).toBe(everybody);
    const scenario = '5,000 behind a link that breaks; heartbeat of 3 s';
    const [peersSaw, newcomersSaw] = [endsOf(far.clients, 'nothing'), null];
    recordFault({ scenario, peersSaw, newcomersSaw, freedMs, healthyClosed: healthy.closed() });
  }, 180_000);
});
