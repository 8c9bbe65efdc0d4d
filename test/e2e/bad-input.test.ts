import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import { startCrowd } from '../support/crowd.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

/** Nothing of the user is left, and the next one gets in as if nothing had been. */
async function expectAsBefore(server: WsServer): Promise<void> {
  expect([server.countOf('ada'), server.mooring.managerCount]).toEqual([0, 0]);
  const next = await (await startCrowd()).settle(server.url('ada', 'thread_next'));
  expect(next.ended).toBeNull();
}

/** Whether the sockets of this file misbehave; they are made while all is well. */
let isBroken = false;

class ThrowsFromPing extends WebSocket {
  override ping(...args: Parameters<WebSocket['ping']>): void {
    if (isBroken) throw new Error('no ping');
    super.ping(...args);
  }
}

class ThrowsFromClose extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (isBroken) throw new Error('no close');
    super.close(code, reason);
  }
}

class ThrowsFromReadyState extends WebSocket {
  // @types/ws has it as a property.
  declare readonly readyState: WebSocket['readyState'];

  static {
    const inherited = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'readyState');
    Object.defineProperty(this.prototype, 'readyState', {
      get(this: WebSocket) {
        if (isBroken) throw new Error('no state');
        return inherited?.get?.call(this) as number;
      },
    });
  }
}

describe.each([
  ['ping', ThrowsFromPing],
  ['close', ThrowsFromClose],
  ['readyState', ThrowsFromReadyState],
])('a socket that throws from %s', (_, Broken) => {
  it('is released when its peer is silent, and holds nobody up', async () => {
    isBroken = false;
    const server = await wsServer({ ws: { WebSocket: Broken }, config: { maxManagersPerUser: 1 } });
    const [frozen, awake] = [await startCrowd(), await startCrowd()];
    await frozen.settle(server.url('ada', 'thread_1'));
    frozen.freeze();
    isBroken = true;
    const newcomer = await awake.settle(server.url('ada', 'thread_2'));
    newcomer.send('no ping reaches me'); // and only a newcomer that was heard of takes a suspect's place
    await server.hears('manager.released', ({ threadId }) => threadId === 'thread_1');
    isBroken = false;
    newcomer.terminate();
    await server.hears('manager.released', ({ threadId }) => threadId === 'thread_2');
    await expectAsBefore(server);
  });
});

describe('a dead peer with a full send buffer', () => {
  it('goes although the application keeps sending', async () => {
    const moreThanTheKernelKeeps = Buffer.alloc(32_000_000);
    const chunk = 'x'.repeat(64 * 1024);
    const server = await wsServer({
      config: { slowConsumerTimeoutMs: 1_000, heartbeatIntervalMs: 300 },
      serve: (socket) => {
        const sending = setInterval(() => {
          socket.send(chunk);
        }, 10);
        socket.on('close', () => {
          clearInterval(sending);
        });
      },
    });
    const crowd = await startCrowd();
    await crowd.settle(server.url('ada', 'thread_1'));
    crowd.freeze();
    for (const socket of server.server.clients) socket.send(moreThanTheKernelKeeps);
    const { closeCause } = await server.hears('manager.released');
    expect(closeCause).toBe('slow');
    while (server.server.clients.size > 0) await sleep(50);
    await expectAsBefore(server);
  });
});

describe('a message over maxPayload', () => {
  it('ends its connection with 1009 and frees the slot', async () => {
    const server = await wsServer({ ws: { maxPayload: 100 } });
    const client = await (await startCrowd()).settle(server.url('ada', 'thread_1'));
    client.send('x'.repeat(101));
    expect((await client.end()).code).toBe(1009);
    await server.hears('manager.released');
    await expectAsBefore(server);
  });
});

describe('an onRelease hook', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('sync or async, it is the same')), /sync or async/],
    ['hangs', () => new Promise<void>(() => undefined), /100 ms/],
  ])('that %s is reported and holds nothing', async (_, hook, error) => {
    const server = await wsServer({
      config: { hookTimeoutMs: 100 },
      serve: (socket) => managerOf(socket).onRelease(hook),
    });
    const client = await (await startCrowd()).settle(server.url('ada', 'thread_1'));
    client.close();
    await server.hears('manager.released');
    expect(server.countOf('ada')).toBe(0);
    expect((await server.hears('hook.failed')).error).toMatch(error);
    await expectAsBefore(server);
  });

  it('that throws at once does not keep the others from running', async () => {
    const ran: string[] = [];
    const server = await wsServer({
      serve: (socket) => {
        managerOf(socket).onRelease(() => {
          throw new Error('at once');
        });
        managerOf(socket).onRelease(() => {
          ran.push('second');
        });
      },
    });
    const client = await (await startCrowd()).settle(server.url('ada', 'thread_1'));
    client.close();
    await server.hears('hook.failed');
    expect(ran).toEqual(['second']);
  });
});

describe('a limit function', () => {
  it.each([
    ['throws', () => fail()],
    ['gives NaN', () => Number.NaN],
    ['gives a fraction', () => 1.5],
    ['gives a negative number', () => -1],
    ['gives a promise', () => Promise.resolve(3) as unknown as number],
  ])('that %s is reported, and the preset limit holds', async (_, limitOf) => {
    const server = await wsServer({ limitOf, config: { maxManagersPerUser: 2, emergencyCleanupTimeoutMs: 2_000 } });
    const crowd = await startCrowd();
    const clients = await crowd.settleAll(server.urls('ada', 3), { chatterEveryMs: 200 });
    expect((await clients[2]!.end()).reason).toMatch(/^quota;.*max=2$/);
    expect(server.said('limit.rejected').length).toBeGreaterThanOrEqual(1);
    expect(server.countOf('ada')).toBe(2);
  });
});

describe('an application that fails', () => {
  it('in a listener of an event changes nothing for anybody', async () => {
    const server = await wsServer();
    const end = server.mooring.on('manager.admitted', () => fail());
    const client = await (await startCrowd()).settle(server.url('ada', 'thread_1'));
    expect(client.ended).toBeNull();
    expect(server.said('listener.failed')).toHaveLength(1);
    end();
    server.events.length = 0;
    client.terminate();
    await server.hears('manager.released');
    server.events.length = 0;
  });

  it('with a broken ids from its own authentication gets the field and the rule', async () => {
    const server = await wsServer({ attach: { authenticate: () => ({ userId: 7, threadId: 'thread_1' }) as never } });
    const client = await (await startCrowd()).settle(server.url('any', 'any'));
    expect(await client.end()).toEqual({ code: 1008, reason: expect.stringMatching(/^userId /) as string });
    expect(server.mooring.managerCount).toBe(0);
  });
});

describe('a client that says it is gone and is not', () => {
  it('is destroyed with the grace, long after its slot was freed', async () => {
    const server = await wsServer({ config: { closeGraceMs: 200 } });
    const crowd = await startCrowd();
    await crowd.settle(server.url('ada', 'thread_1'));
    crowd.freeze();
    const [socket] = [...server.server.clients];
    server.mooring.releaseAll('ada');
    expect([server.countOf('ada'), server.server.clients.size]).toEqual([0, 1]);
    await once(socket!, 'close');
    expect(server.server.clients.size).toBe(0);
  });
});

function fail(): never {
  throw new Error('broken');
}
