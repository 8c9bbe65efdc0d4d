import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCrowd, type Crowd } from '../support/crowd.js';
import { bystanders, recordFault } from '../support/faults.js';
import { hasNamespaces, remoteNetwork } from '../support/network.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

const users = 250;
const perUser = 20;
const everybody = users * perUser;

/** How many handshakes of a crowd are under way at once; the others wait in the crowd, not in the kernel. */
const atOnce = 500;

/** Threads of all users, one thread of each after the other. */
const urlsOf = (server: WsServer, prefix: string): string[] =>
  Array.from({ length: everybody }, (_, i) =>
    server.url(`user-${i % users}`, `thread_${prefix}${Math.floor(i / users)}`),
  );

/** All connect; a few addresses, as one has not enough ports for crowds that come twice. */
async function gather(crowd: Crowd, urls: readonly string[], localAddresses?: readonly string[]): Promise<void> {
  for (let from = 0; from < urls.length; from += atOnce)
    await Promise.all(
      urls.slice(from, from + atOnce).map((url, i) => {
        const localAddress = localAddresses?.[i % localAddresses.length];
        return crowd.settle(url, localAddress === undefined ? {} : { localAddress });
      }),
    );
}

/** Nobody but the bystanders is left. */
async function emptied(server: WsServer): Promise<void> {
  while (server.mooring.factory.userCount > 1) await sleep(20);
}

const loopback = Array.from({ length: 8 }, (_, i) => `127.0.0.${i + 2}`);

const openOf = (crowd: Crowd): number => crowd.clients.filter(({ isOpen }) => isOpen).length;

describe('5,000 clients', () => {
  it('that are killed at once leave nothing, and all 5,000 that come back at once get in', async () => {
    const server = await wsServer({ host: '0.0.0.0' });
    const healthy = await bystanders(server);
    const first = await startCrowd();
    await gather(first, urlsOf(server, 'a'), loopback);
    expect(openOf(first)).toBe(everybody);
    const atMs = performance.now();
    first.kill();
    await emptied(server);
    const freedMs = performance.now() - atMs;
    expect(server.releases).toEqual({ closed: everybody });
    recordFault({ scenario: '5,000 clients killed at once', peerSaw: '-', freedMs, healthyClosed: healthy.closed() });
    const second = await startCrowd();
    await gather(second, urlsOf(server, 'b'), loopback);
    expect([openOf(second), healthy.closed(), server.said('admission.refused')]).toEqual([everybody, 0, []]);
    recordFault({
      scenario: '5,000 return at once',
      peerSaw: 'all: in',
      freedMs: null,
      healthyClosed: healthy.closed(),
    });
  }, 180_000);

  it('that are stopped at once keep none of the 5,000 out that come instead', async () => {
    const server = await wsServer({ host: '0.0.0.0' });
    const healthy = await bystanders(server);
    const [first, second] = [await startCrowd(), await startCrowd()];
    await gather(first, urlsOf(server, 'a'), loopback);
    first.freeze();
    await gather(second, urlsOf(server, 'b'), loopback);
    expect([openOf(second), healthy.closed()]).toEqual([everybody, 0]);
    expect(server.said('admission.refused')).toEqual([]);
    const waits = server.said('manager.admitted').map(({ waitedMs }) => waitedMs);
    const freedMs = Math.max(...waits);
    const scenario = '5,000 stopped (SIGSTOP), 5,000 others of the same users at once';
    recordFault({ scenario, peerSaw: 'all newcomers: in', freedMs, healthyClosed: healthy.closed() });
  }, 180_000);
});

describe.runIf(hasNamespaces)('5,000 clients behind a link that breaks', () => {
  it('are all gone after three heartbeats', async () => {
    const network = await remoteNetwork();
    const server = await wsServer({ host: '0.0.0.0', config: { heartbeatIntervalMs: 3_000 } });
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
    const scenario = '5,000 behind a link that breaks; heartbeat of 3 s';
    recordFault({ scenario, peerSaw: 'nothing', freedMs, healthyClosed: healthy.closed() });
  }, 180_000);
});
