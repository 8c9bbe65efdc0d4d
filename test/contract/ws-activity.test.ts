import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import { afterThisTest } from '../support/setup.js';
import { wsServer } from '../support/ws-server.js';

/** A connection, at both ends. */
async function pair() {
  const server = await wsServer();
  const arrived = once(server.server, 'connection');
  const client = new WebSocket(server.url('ada', 'thread_1'));
  afterThisTest(() => {
    client.terminate();
  });
  await once(client, 'open');
  const [socket] = (await arrived) as [WebSocket];
  return { client, socket, manager: managerOf(socket) };
}

describe('a message that follows activity at once', () => {
  it('unsets an error that was told between the two', async () => {
    const { client, socket, manager } = await pair();
    client.send('one');
    await once(socket, 'message');
    manager.fail(new Error('broken'));
    expect(manager.hasFailed).toBe(true);
    client.send('two');
    await once(socket, 'message');
    expect(manager.hasFailed).toBe(false);
  });

  it('reaches the application, whatever it is', async () => {
    const { client, socket } = await pair();
    const heard: string[] = [];
    socket.on('message', (content: Buffer) => heard.push(content.toString('latin1')));
    for (const text of ['one', '{"type":"ping"}', 'two']) client.send(text);
    while (heard.length < 3) await once(socket, 'message');
    expect(heard).toEqual(['one', '{"type":"ping"}', 'two']);
  });
});
