import { once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hasCloseFrameOf, isClosed, receiverOf } from '../../src/adapters/ws-internals.js';
import { wsServer } from '../support/ws-server.js';

describe('what is read of ws that ws does not document', () => {
  it('is still there', async () => {
    const server = await wsServer();
    const client = new WebSocket(server.url('ada', 'thread_1'));
    await once(client, 'open');
    const [socket] = server.server.clients;
    expect([receiverOf(socket!), hasCloseFrameOf(socket!), isClosed(server.server)]).toEqual([
      expect.any(Writable),
      false,
      false,
    ]);
    const hasCome = new Promise((resolve) => {
      socket!.on('close', () => {
        resolve(hasCloseFrameOf(socket!));
      });
    });
    client.close();
    const hasClosed = await hasCome;
    await server.stop();
    expect([hasClosed, isClosed(server.server)]).toEqual([true, true]);
  });
});
