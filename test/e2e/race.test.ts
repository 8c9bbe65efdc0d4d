import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCrowd, type Crowd, type CrowdClient } from '../support/crowd.js';
import { userOfQuery, wsServer, type WsServer } from '../support/ws-server.js';

/** A user at 20 of 20, 5 of whom are dead, and the threads that ask to come in, in the order they asked. */
async function fullWithFiveDead() {
  const order: string[] = [];
  const server = await wsServer({
    attach: {
      authenticate: (request) => {
        const fields = userOfQuery(request);
        order.push(fields.threadId);
        return fields;
      },
    },
  });
  const [alive, frozen, newcomers] = [await startCrowd(), await startCrowd(), await startCrowd()];
  await alive.settleAll(server.urls('ada', 15, 'alive'), { chatterEveryMs: 200 });
  await frozen.settleAll(server.urls('ada', 5, 'dead'));
  frozen.freeze();
  order.length = 0;
  return { server, alive, newcomers, order };
}

const arriveAll = (server: WsServer, crowd: Crowd, count: number): CrowdClient[] =>
  server.urls('ada', count, 'new').map((url) => crowd.connect(url));

/** Admitted, or told why not, once nobody waits: close frames of a user that is refused often leave a second later. */
async function outcomes(server: WsServer, clients: readonly CrowdClient[]) {
  await Promise.all(clients.map((client) => client.settled()));
  while (server.mooring.waitingCount > 0) await sleep(50);
  await sleep(2_000);
  return { admitted: clients.filter(({ isOpen }) => isOpen), refused: clients.filter(({ ended }) => ended !== null) };
}

const threadOf = ({ url }: CrowdClient): string | null => new URL(url).searchParams.get('threadId');

describe('200 newcomers at once, at 20 of 20 with 5 dead', () => {
  it.each([1, 2, 3])('get 5 places between them, those who asked first (time %i)', async () => {
    const { server, alive, newcomers, order } = await fullWithFiveDead();
    const { admitted, refused } = await outcomes(server, arriveAll(server, newcomers, 200));
    expect(admitted.map(threadOf).sort()).toEqual(order.slice(0, 5).sort());
    expect(
      server
        .said('manager.admitted')
        .slice(20)
        .map((event) => event.threadId),
    ).toEqual(order.slice(0, 5));
    expect(refused).toHaveLength(195);
    expect(refused.filter(({ ended }) => ended?.code !== 1013)).toEqual([]);
    expect([server.countOf('ada'), server.releases]).toEqual([20, { disconnected: 5 }]);
    expect(alive.clients.filter(({ isOpen }) => isOpen)).toHaveLength(15);
  });

  it('of whom half vanish leave no place, slot or timer', async () => {
    const { server, newcomers, order } = await fullWithFiveDead();
    const clients = arriveAll(server, newcomers, 40);
    await server.hears('admission.queued', ({ position }) => position === 20);
    for (const client of clients.filter((_, i) => i % 2 === 0)) client.terminate();
    const patient = clients.filter((_, i) => i % 2 === 1);
    const { admitted } = await outcomes(server, patient);
    const inOrder = order.filter((threadId) => patient.map(threadOf).includes(threadId));
    expect(admitted.map(threadOf).sort()).toEqual(inOrder.slice(0, 5).sort());
    expect(server.countOf('ada')).toBe(20);
    expect(server.said('admission.cancelled').length).toBeGreaterThanOrEqual(10);
  });
});

describe('a burst of 300 newcomers in one moment', () => {
  it('does not walk through the limit (soketi)', async () => {
    const server = await wsServer();
    const crowd = await startCrowd();
    const { admitted } = await outcomes(server, arriveAll(server, crowd, 300));
    expect([admitted.length, server.countOf('ada')]).toEqual([20, 20]);
    expect(server.releases).toEqual({});
  });
});
