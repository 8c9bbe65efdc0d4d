import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attach } from '../../src/adapters/ws.js';
import { createMooring } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

/** Longer than what passes unlooked after an activity, by the clock messages are stamped with. */
const pauseMs = 800;

async function dial(server: WsServer): Promise<WebSocket> {
  const client = new WebSocket(server.url('ada', 'thread_1'));
  afterThisTest(() => {
    client.terminate();
  });
  await once(client, 'open');
  return client;
}

/** The one socket the server has. */
function socketOf({ server }: WsServer): WebSocket {
  return [...server.clients][0]!;
}

/** Whether what the client sends now is activity. */
async function isActivity(server: WsServer, client: WebSocket, message: string | Buffer): Promise<boolean> {
  await sleep(pauseMs);
  const [manager] = server.mooring.managersOf('ada');
  const before = manager!.lastActivityAtMs;
  client.send(message);
  await once(socketOf(server), 'message');
  return manager!.lastActivityAtMs > before;
}

const quiet = { serve: () => undefined };

describe('a keepalive over a ws server', () => {
  it('is no activity, and other messages are, text and bytes', async () => {
    const server = await wsServer(quiet);
    const client = await dial(server);
    expect(await isActivity(server, client, '{"id":12,"type":"ping"}')).toBe(false);
    expect(await isActivity(server, client, Buffer.from([0xc0, 0]))).toBe(false);
    expect(await isActivity(server, client, 'tick')).toBe(true);
    expect(await isActivity(server, client, Buffer.from([0xc0, 1]))).toBe(true);
  });

  it('may be one that the application names, and gets its text as a string', async () => {
    const asked: unknown[] = [];
    const server = await wsServer({
      ...quiet,
      isKeepalive: (message) => asked.push(message) > 0 && message === 'tick',
    });
    const client = await dial(server);
    expect(await isActivity(server, client, 'tick')).toBe(false);
    expect(await isActivity(server, client, 'tock')).toBe(true);
    expect(asked).toEqual(['tick', 'tock']);
  });

  it('is what the function given to attach says, where there is one', async () => {
    const server = await wsServer({
      ...quiet,
      isKeepalive: (message) => message === 'tick',
      attach: { isKeepalive: (message) => message === 'tock' },
    });
    const client = await dial(server);
    expect(await isActivity(server, client, 'tock')).toBe(false);
    expect(await isActivity(server, client, 'tick')).toBe(true);
  });

  it('is sent, too, without being activity', async () => {
    const server = await wsServer({ ...quiet, isKeepalive: (message) => message === 'tick' });
    await dial(server);
    const [manager] = server.mooring.managersOf('ada');
    const before = manager!.lastActivityAtMs;
    await sleep(pauseMs);
    for (const message of ['tick', '{"type":"pong"}']) socketOf(server).send(message);
    expect(manager!.lastActivityAtMs).toBe(before);
    socketOf(server).send('news');
    expect(manager!.lastActivityAtMs).toBeGreaterThan(before);
  });

  it('that keeps coming at once after activity does not make it last', async () => {
    const server = await wsServer(quiet);
    const client = await dial(server);
    const [manager] = server.mooring.managersOf('ada');
    const before = manager!.lastActivityAtMs;
    for (let i = 0; i < 12; i++) {
      client.send('{"type":"ping"}');
      await sleep(100);
    }
    expect(manager!.lastActivityAtMs).toBe(before);
  });
});

describe('a message right after another', () => {
  it('clears an error that was reported in between', async () => {
    const server = await wsServer(quiet);
    const client = await dial(server);
    expect(await isActivity(server, client, 'one')).toBe(true);
    const [manager] = server.mooring.managersOf('ada');
    manager!.fail(new Error('broken'));
    client.send('two');
    await once(socketOf(server), 'message');
    await sleep(5);
    expect(manager!.hasFailed).toBe(false);
  });
});

describe('an isKeepalive of the wrong kind', () => {
  it('is refused by createMooring and attach', () => {
    const wanted = new TypeError('isKeepalive: got tick, wanted a function of a message that gives true or false');
    const isKeepalive = 'tick' as never;
    expect(() => createMooring({ env: {}, isKeepalive })).toThrow(wanted);
    const options = { mooring: createMooring({ env: {} }), authenticate: () => null, isKeepalive };
    const server = new WebSocketServer({ noServer: true });
    expect(() => attach(server, options)).toThrow(wanted);
    expect(() => attach(server, { ...options, isKeepalive: () => false })).not.toThrow();
  });
});
