import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { shouldReconnect } from '../../src/client/should-reconnect.js';
import { startCrowd, type CrowdClient } from '../support/crowd.js';
import { wsServer } from '../support/ws-server.js';

describe('a connection with a key that is taken', () => {
  it('takes over while the quota is full; holds survive, and nothing is released', async () => {
    const server = await wsServer();
    const crowd = await startCrowd();
    const [former] = await crowd.settleAll(server.urls('ada', 20));
    const manager = server.managerOf('ada', 'thread_1');
    const onRelease = vi.fn();
    manager.onRelease(onRelease);
    const done = manager.hold();
    const successor = await crowd.settle(server.url('ada', 'thread_1'));
    expect(await former?.end()).toEqual({ code: 4409, reason: 'replaced' });
    expect(server.managerOf('ada', 'thread_1')).toBe(manager);
    successor.send('still here');
    expect(await successor.reply()).toBe('still here');
    expect([manager.isHeld, server.countOf('ada'), onRelease.mock.calls.length]).toEqual([true, 20, 0]);
    done();
  });

  it('is not hurt by the late close of the one before (ComfyUI#16010)', async () => {
    const server = await wsServer();
    const [dead, crowd] = [await startCrowd(), await startCrowd()];
    await dead.settle(server.url('ada', 'thread_1'));
    dead.freeze();
    const successor = await crowd.settle(server.url('ada', 'thread_1'));
    // The peer never answers the close frame: the socket ends when the grace does, long after the takeover.
    const [old] = [...server.server.clients];
    await new Promise((resolve) => old?.once('close', resolve));
    expect([server.server.clients.size, server.countOf('ada'), server.releases]).toEqual([1, 1, {}]);
    successor.send('still here');
    expect(await successor.reply()).toBe('still here');
  });
});

describe('a phone', () => {
  it('that reconnects 50 times over dead predecessors always gets in, and leaves one manager', async () => {
    const server = await wsServer({ config: { takeoverFightWindowMs: 2_000 } });
    const crowd = await startCrowd();
    for (let i = 0; i < 50; i++) {
      const phone = await crowd.settle(server.url('ada', 'thread_1'), { pongsToSkip: 1_000_000 });
      if (i > 0) await server.hears('connection.replaced', ({ generation }) => generation === i + 1);
      expect(phone.ended, `attempt ${i}`).toBeNull();
    }
    expect([server.countOf('ada'), server.said('manager.admitted').length]).toEqual([1, 1]);
    expect(server.said('connection.replaced')).toHaveLength(49);
  }, 90_000);

  it('that drops off between connects leaves one manager too', async () => {
    const server = await wsServer();
    const crowd = await startCrowd();
    for (let i = 0; i < 50; i++) {
      const phone = crowd.connect(server.url('ada', 'thread_1'));
      if (i % 3 === 0) await phone.settled();
      if (i % 3 === 1) phone.terminate();
    }
    await Promise.all(crowd.clients.map((client) => client.settled()));
    await sleep(1_500);
    expect([crowd.clients.filter(({ isOpen }) => isOpen).length, server.countOf('ada')]).toEqual([1, 1]);
  });
});

describe('two live clients with one key', () => {
  it('settle: one keeps the thread, the other is told to wait (manabrew#600)', async () => {
    const server = await wsServer({ config: { takeoverFightLimit: 5 } });
    const crowd = await startCrowd();
    const url = server.url('ada', 'thread_1');
    let incumbent = await crowd.settle(url);
    let refusal: CrowdClient['ended'] = null;
    for (let round = 0; round < 10 && refusal === null; round++) {
      const challenger = await crowd.settle(url);
      // A client that ignores the advice and comes back at once.
      if (await endsSoon(challenger)) refusal = challenger.ended;
      else incumbent = challenger;
    }
    expect(refusal).toEqual({ code: 1013, reason: expect.stringMatching(/^contested;retry=\d+\.\d\d$/) as string });
    const advice = shouldReconnect(refusal ?? { code: 0 });
    expect(advice.retry).toBe(true);
    expect(advice.delayMs).toBeGreaterThanOrEqual(5_000);
    expect([incumbent.isOpen, server.countOf('ada')]).toEqual([true, 1]);
    expect(server.said('connection.replaced')).toHaveLength(5);
  });
});

describe('reloads that race', () => {
  it('leave one manager, and no stranger in its slot', async () => {
    const server = await wsServer({
      config: { maxManagersPerUser: 2 },
      attach: {
        authenticate: async ({ url }) => {
          await sleep(Math.random() * 20);
          const query = new URLSearchParams(url?.split('?')[1]);
          return { userId: query.get('userId') ?? '', threadId: query.get('threadId') ?? '' };
        },
      },
    });
    const crowd = await startCrowd();
    const other = await crowd.settle(server.url('ada', 'thread_other'));
    const reloads = Array.from({ length: 60 }, (_, i) => {
      const client = crowd.connect(server.url('ada', 'thread_1'));
      if (i % 4 === 0) client.terminate();
      return client;
    });
    await Promise.all(reloads.map((client) => client.settled()));
    await sleep(1_500);
    const open = reloads.filter(({ isOpen }) => isOpen);
    expect([open.length, server.countOf('ada'), other.isOpen]).toEqual([1, 2, true]);
    expect(server.mooring.managersOf('ada').map(({ threadId }) => threadId)).toEqual(['thread_other', 'thread_1']);
  });
});

/** Whether it is closed within a moment, as one is that was accepted only to be told why not. */
async function endsSoon(client: CrowdClient): Promise<boolean> {
  await Promise.race([client.end(), sleep(300)]);
  return client.ended !== null;
}
