import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { capConnections } from '../../../src/cli/connection-cap.js';
import { afterThisTest } from '../../support/setup.js';

/** A server that takes two connections, and answers `/now` at once. */
async function capped() {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/now') response.end('here');
    else waiting.push(response);
  });
  capConnections(server, 2);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  afterThisTest(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const open = async (path: string | null = null): Promise<Socket> => {
    const accepted = once(server, path === null ? 'connection' : 'request');
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    if (path !== null) socket.write(`GET ${path} HTTP/1.1\r\nhost: here\r\n\r\n`);
    await accepted;
    return socket;
  };
  return { open, waiting };
}

const answerOf = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

describe('with all connections taken', () => {
  it('the one that has been silent for longest goes', async () => {
    const { open } = await capped();
    const [first, second] = [await open(), await open()];
    const gone = once(first, 'close');
    expect(await answerOf(await open('/now'))).toContain('here');
    await gone;
    expect(second.destroyed).toBe(false);
  });

  it('one that was answered counts as silent from then on', async () => {
    const { open } = await capped();
    const answered = await open('/now');
    await answerOf(answered);
    const silent = await open();
    const gone = once(answered, 'close');
    await open();
    await gone;
    expect(silent.destroyed).toBe(false);
  });

  it('none that is being answered goes: the newcomer does', async () => {
    const { open, waiting } = await capped();
    const busy = [await open('/later'), await open('/later')];
    await once(await open(), 'close');
    expect(busy.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    waiting[0]?.end('at last');
    expect(await answerOf(busy[0]!)).toContain('at last');
  });
});
