import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EmergencyCleanupResult } from '../../src/index.js';
import { startCrowd, type CrowdClient } from '../support/crowd.js';
import { endedOf, recordFault } from '../support/faults.js';
import { relayTo, type Link } from '../support/relay.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

const stillOpen = (clients: readonly CrowdClient[]): number => clients.filter(({ isOpen }) => isOpen).length;

describe('20 connections in use', () => {
  it('are left alone: the 21st is told when to come back, and why', async () => {
    const server = await wsServer();
    const crowd = await startCrowd();
    const clients = await crowd.settleAll(server.urls('ada', 20), { chatterEveryMs: 300 });
    const refused = await crowd.settle(server.url('ada', 'thread_21'));
    expect(await refused.end()).toEqual({
      code: 1013,
      reason: expect.stringMatching(/^quota;retry=[1-9]\d*\.\d\d;max=20$/) as string,
    });
    expect(stillOpen(clients)).toBe(20);
    expect(server.releases).toEqual({});
  });

  it('of which 8 are past the floor make room from those only, one for each newcomer', async () => {
    // The floor is a tenth of this, 1 s.
    const server = await wsServer({ config: { idleManagerTimeoutMs: 10_000, emergencyCleanupSpacingMs: 100 } });
    const crowd = await startCrowd();
    const quiet = await crowd.settleAll(server.urls('ada', 8, 'quiet'));
    const used = await crowd.settleAll(server.urls('ada', 12, 'used'), { chatterEveryMs: 100 });
    await sleep(1_200);
    for (let n = 1; n <= 8; n++) {
      await crowd.settle(server.url('ada', `thread_new${n}`), { chatterEveryMs: 100 });
      await server.admits(`thread_new${n}`);
      expect(server.releases).toEqual({ evicted: n });
    }
    const ends = await Promise.all(quiet.map((client) => client.end()));
    expect(ends).toEqual(Array.from({ length: 8 }, () => ({ code: 4410, reason: 'evicted' })));
    const refused = await crowd.settle(server.url('ada', 'thread_new9'));
    expect((await refused.end()).code).toBe(1013);
    expect([stillOpen(used), server.countOf('ada')]).toEqual([12, 20]);
  });

  it('that are all held refuse the newcomer, however long ago anything was said', async () => {
    const server = await wsServer({ config: { idleManagerTimeoutMs: 5_000, drainHoldTimeoutMs: 0 } });
    const crowd = await startCrowd();
    const clients = await crowd.settleAll(server.urls('ada', 20));
    for (const manager of server.managers) manager?.hold();
    await sleep(1_000);
    const refused = await crowd.settle(server.url('ada', 'thread_21'));
    expect((await refused.end()).code).toBe(1013);
    expect([stillOpen(clients), server.releases]).toEqual([20, {}]);
  });
});

/** A server that asks often, and one client of it behind a slow network. */
async function behind(link: Link, serve?: Parameters<typeof wsServer>[0]) {
  const server = await wsServer({ ...serve, config: { heartbeatIntervalMs: 3_000, ...serve?.config } });
  const relay = await relayTo(server.port, link);
  const crowd = await startCrowd();
  const url = server.url('ada', 'thread_slow').replace(`:${server.port}/`, `:${relay.port}/`);
  return { server, client: await crowd.settle(url), crowd };
}

/** Asks everybody of the user over and over, until told to stop. */
async function probeOften(server: WsServer, isOver: () => boolean): Promise<EmergencyCleanupResult[]> {
  const results: EmergencyCleanupResult[] = [];
  while (!isOver()) {
    results.push(await server.mooring.emergencyCleanup('ada'));
    await sleep(300);
  }
  return results;
}

describe('a healthy connection', () => {
  it('that receives 16 MB over a slow link is not taken for dead, whatever is asked of it meanwhile', async () => {
    const bytes = 16 * 1024 * 1024;
    const { server, client } = await behind(
      { bytesPerSecond: bytes / 6 },
      {
        config: { heartbeatIntervalMs: 1_000 },
        serve: (socket) => {
          socket.on('message', () => {
            socket.send(Buffer.alloc(bytes));
          });
        },
      },
    );
    client.send('all of it, please');
    let isDone = false;
    const probed = probeOften(server, () => isDone);
    await client.received(bytes);
    isDone = true;
    expect((await probed).length).toBeGreaterThanOrEqual(3);
    expect([client.bytes, client.ended, server.releases]).toEqual([bytes, null, {}]);
    const scenario = '16 MB over 2.7 MB/s (relay), probed all the time';
    const saw = { peersSaw: `${client.bytes} bytes`, newcomersSaw: null };
    recordFault({ scenario, ...saw, freedMs: null, healthyClosed: endedOf([client]) });
  });

  it('with a round trip of 2 s is not taken for dead once that is known', async () => {
    const { server, client } = await behind({ delayMs: 1_000 });
    // Its first heartbeat is answered, and its round trip known.
    while (client.pings === 0) await sleep(100);
    await sleep(1_500);
    const results: EmergencyCleanupResult[] = [];
    for (let i = 0; i < 2; i++) {
      results.push(await server.mooring.emergencyCleanup('ada'));
      await sleep(1_000);
    }
    expect(results.map(({ cleaned }) => cleaned)).toEqual([0, 0]);
    expect([client.ended, server.releases]).toEqual([null, {}]);
  });

  it('with a round trip of 2 s is not taken for dead before that is known either', async () => {
    const { server, client } = await behind({ delayMs: 1_000 });
    expect(await server.mooring.emergencyCleanup('ada')).toMatchObject({ cleaned: 0 });
    expect([client.ended, server.releases]).toEqual([null, {}]);
    const scenario = 'a round trip of 2 s (relay), probed as it opens';
    const saw = { peersSaw: `${client.pings} pings`, newcomersSaw: null };
    recordFault({ scenario, ...saw, freedMs: null, healthyClosed: endedOf([client]) });
  });

  it('that misses a single ping of the heartbeat lives on', async () => {
    const server = await wsServer({ config: { heartbeatIntervalMs: 400 } });
    const crowd = await startCrowd();
    const client = await crowd.settle(server.url('ada', 'thread_1'), { pongsToSkip: 1 });
    await server.hears('heartbeat.missed', ({ misses }) => misses === 1);
    while (client.pings < 4) await sleep(50);
    expect([client.ended, server.releases]).toEqual([null, {}]);
  });

  it('that misses every ping of the heartbeat does not', async () => {
    const server = await wsServer({ config: { heartbeatIntervalMs: 400 } });
    const crowd = await startCrowd();
    const client = await crowd.settle(server.url('ada', 'thread_1'), { pongsToSkip: 1_000_000 });
    expect(await client.end()).toEqual({ code: 1013, reason: 'silent' });
    expect(server.releases).toEqual({ disconnected: 1 });
  });
});
