import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCrowd } from '../support/crowd.js';
import { wsServer } from '../support/ws-server.js';

/** Nothing runs in this process meanwhile, as under a long collection. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Three who answer, and one dead. */
async function threeAndOne(config: NonNullable<Parameters<typeof wsServer>[0]>['config'] = {}) {
  const server = await wsServer({ config: { ...config } });
  const [crowd, dead] = [await startCrowd(), await startCrowd()];
  const clients = await crowd.settleAll(server.urls('ada', 3));
  await dead.settle(server.url('ada', 'thread_dead'));
  dead.freeze();
  return { server, clients };
}

describe('a process that was blocked (openclaw#105698)', () => {
  it('for 1.2 s while probes are out closes nobody healthy, and the dead one still goes', async () => {
    const { server, clients } = await threeAndOne();
    const cleanup = server.mooring.emergencyCleanup('ada');
    await sleep(20);
    blockFor(1_200);
    expect(await cleanup).toMatchObject({ cleaned: 1, byStrategy: { disconnected: 1 }, remaining: 3 });
    expect(clients.map(({ ended }) => ended)).toEqual([null, null, null]);
    expect(server.said('process.stalled').length).toBeGreaterThanOrEqual(1);
  });

  it('for three heartbeat intervals closes nobody healthy, and the dead one still goes', async () => {
    const { server, clients } = await threeAndOne({ heartbeatIntervalMs: 500 });
    for (let i = 0; i < 3; i++) {
      await sleep(150);
      blockFor(1_500);
    }
    await server.hears('manager.released', ({ threadId }) => threadId === 'thread_dead');
    expect(server.releases).toEqual({ disconnected: 1 });
    await sleep(1_500);
    expect(server.releases).toEqual({ disconnected: 1 });
    expect(clients.map(({ ended }) => ended)).toEqual([null, null, null]);
  });

  it('for longer than the idle timeout takes nobody for idle', async () => {
    const { server, clients } = await threeAndOne({
      heartbeatIntervalMs: 500,
      idleManagerTimeoutMs: 3_000,
      backgroundCleanupIntervalMs: 500,
    });
    blockFor(6_000);
    await server.hears('manager.released', ({ threadId }) => threadId === 'thread_dead');
    expect(server.releases).toEqual({ disconnected: 1 });
    expect(clients.map(({ ended }) => ended)).toEqual([null, null, null]);
    // What was not stalled counts: the others become idle by and by.
    await server.hears('manager.released', ({ reason }) => reason === 'idle');
  });
});
