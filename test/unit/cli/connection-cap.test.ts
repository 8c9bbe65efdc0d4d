import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { capConnections } from '../../../src/cli/server/connection-cap.js';
import { afterThisTest } from '../../support/setup.js';

/** More than the kernel takes for a peer that does not read. */
const much = 'x'.repeat(32 * 1024 * 1024);

/** A server that takes two connections, and answers `/now` at once, and `/much` with what not everybody reads. */
async function capped() {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/now') response.end('here');
    else if (request.url === '/much') response.end(much);
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
  /** Asks for all of it at once. */
  const open = async (...paths: string[]): Promise<Socket> => {
    const accepted = once(server, paths.length === 0 ? 'connection' : 'request');
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    if (paths.length > 0) socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: here\r\n\r\n`).join(''));
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

  it('one that does not take its answer goes before the newcomer', async () => {
    const { open } = await capped();
    const [busy, stuck] = [await open('/later'), await open('/much')];
    const gone = once(stuck.pause(), 'close');
    expect(await answerOf(await open('/now'))).toContain('here');
    stuck.resume();
    await gone;
    expect(busy.destroyed).toBe(false);
  });

  it('one that asked twice at once is being answered until both are', async () => {
    const { open, waiting } = await capped();
    const twice = await open('/now', '/later');
    await answerOf(twice);
    const gone = once(await open(), 'close');
    await open();
    await gone;
    waiting[0]?.end('at last');
    expect(await answerOf(twice)).toContain('at last');
  });
});

describe('with all connections taken, before others', () => {
  it('one whose body does not arrive goes, when nobody is without a request', async () => {
    const { open, waiting } = await capped();
    const slow = await open('/later');
    await open('/later');
    expect(waiting).toHaveLength(2);
    waiting.shift()?.end();
    await answerOf(slow);
    const asked = once(slow, 'close');
    slow.write('POST /later HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nhalf');
    await expect.poll(() => waiting.length).toBe(2);
    expect(await answerOf(await open('/now'))).toContain('here');
    await asked;
  });
});
