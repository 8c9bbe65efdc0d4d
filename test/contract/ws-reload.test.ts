import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import { serveDemo } from '../../src/cli/server/demo-backend.js';
import { chromiumPage, hasChromium } from '../support/chromium.js';
import { afterThisTest } from '../support/setup.js';
import { wsServer } from '../support/ws-server.js';

/** A client with what it was told. */
async function page(url: string) {
  const socket = new WebSocket(url);
  const heard: { type: string; index?: number }[] = [];
  socket.on('error', () => undefined);
  socket.on('message', (content: Buffer) => heard.push(JSON.parse(content.toString()) as { type: string }));
  afterThisTest(() => {
    socket.terminate();
  });
  await once(socket, 'open');
  return { socket, heard };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isSo(); i++) await sleep(20);
  expect(isSo()).toBe(true);
}

const run = (tokens: number): string => JSON.stringify({ type: 'run', tokens, everyMs: 20 });

describe('a page that is reloaded while something runs for it', () => {
  it.each<[string, (socket: WebSocket) => void]>([
    ['says goodbye', (socket) => socket.close(1001)],
    ['breaks off', (socket) => socket.terminate()],
  ])('%s, comes back, and gets the rest', async (_, end) => {
    const server = await wsServer({ serve: serveDemo });
    const before = await page(server.url('ada', 'thread_1'));
    before.socket.send(run(60));
    await until(() => before.heard.length > 3);
    end(before.socket);
    await server.hears('connection.left');
    const after = await page(server.url('ada', 'thread_1'));
    await until(() => after.heard.at(-1)?.type === 'done');
    expect(after.heard[0]?.index).toBeGreaterThan(3);
    expect(server.said('connection.resumed')).toHaveLength(1);
    expect([server.said('connection.replaced').length, server.releases]).toEqual([0, {}]);
  });

  it('does not come back: the run ends with the grace', async () => {
    const server = await wsServer({ serve: serveDemo, config: { resumeGraceMs: 300 } });
    const { socket, heard } = await page(server.url('ada', 'thread_1'));
    socket.send(run(100_000));
    await until(() => heard.length > 0);
    socket.close();
    await server.hears('manager.released');
    expect(server.releases).toEqual({ closed: 1 });
  });

  it('comes back before its former connection has ended: then that is replaced, and the run goes on', async () => {
    const server = await wsServer({ serve: serveDemo });
    const before = await page(server.url('ada', 'thread_1'));
    before.socket.send(run(60));
    await until(() => before.heard.length > 3);
    const after = await page(server.url('ada', 'thread_1'));
    await until(() => after.heard.at(-1)?.type === 'done');
    expect(server.said('connection.resumed')).toEqual([]);
    expect(server.releases).toEqual({});
  });

  it('finds its socket by the manager, and none while it is away', async () => {
    const sockets: WebSocket[] = [];
    const server = await wsServer({ serve: (socket) => sockets.push(socket) });
    const { socket } = await page(server.url('ada', 'thread_1'));
    const manager = managerOf(sockets[0]!);
    const hold = manager.hold();
    const present: WebSocket | null = manager.socket();
    expect(present).toBe(sockets[0]);
    socket.close();
    await server.hears('connection.left');
    expect(manager.socket()).toBeNull();
    await page(server.url('ada', 'thread_1'));
    expect(managerOf(sockets[1]!)).toBe(manager);
    expect(manager.socket()).toBe(sockets[1]);
    hold();
  });

  it.skipIf(!hasChromium)(
    'is a real one, in Chromium',
    async () => {
      const server = await wsServer({ serve: serveDemo });
      const pages = await pageServer(server.url('ada', 'thread_1'));
      const tab = await chromiumPage();
      await tab.goto(pages);
      await tab.waitForFunction('window.heard > 3');
      await tab.reload();
      await tab.waitForFunction('window.last === "done"');
      expect(server.said('connection.resumed').length + server.said('connection.replaced').length).toBe(1);
      expect(server.releases).toEqual({});
    },
    30_000,
  );
});

/** A page that asks for a run the first time, and only listens after it was reloaded. */
async function pageServer(url: string): Promise<string> {
  const script = `
    window.heard = 0;
    const socket = new WebSocket(${JSON.stringify(url)});
    socket.onopen = () => { if (!sessionStorage.asked) socket.send(${JSON.stringify(run(100))}); sessionStorage.asked = 1; };
    socket.onmessage = ({ data }) => { window.heard += 1; window.last = JSON.parse(data).type; };`;
  const http: Server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>page</title><script>${script}</script>`);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  afterThisTest(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${String((http.address() as AddressInfo).port)}/`;
}
