import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { createWatchdog, keepConnected } from '../../src/client/index.js';
import { chromiumPage, hasChromium } from '../support/chromium.js';
import { pageScript } from '../support/page-script.js';
import { afterThisTest } from '../support/setup.js';
import { silentRelayTo } from '../support/silent-relay.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

const watchdog = { message: '{"type":"ping"}', intervalMs: 500, answerWithinMs: 1_000 };

/** A server that lets a user have one connection, and the link to it. */
async function behindALink() {
  const server = await wsServer({ maxManagersPerUser: 1 });
  const link = await silentRelayTo(server.port);
  return { server, link, url: server.url('ada', 'thread_1').replace(String(server.port), String(link.port)) };
}

/** The place was taken over, as one thread has one connection: nobody was refused. */
async function expectTakeover(server: WsServer): Promise<void> {
  await server.hears('connection.replaced');
  expect([server.countOf('ada'), server.said('admission.refused')]).toEqual([1, []]);
}

describe('a watchdog over a link that breaks silently', () => {
  it('has a client of ws come back at once', async () => {
    const { server, link, url } = await behindALink();
    const causes: string[] = [];
    const open = () => new WebSocket(url).on('error', () => undefined);
    const connection = keepConnected(open, { watchdog, onClosed: ({ cause }) => causes.push(cause) });
    afterThisTest(() => {
      connection.stop();
    });
    await server.admits('thread_1');
    await sleep(4_000);
    expect(causes).toEqual([]);
    link.silence();
    await expectTakeover(server);
    expect(causes).toEqual(['lost']);
  });

  it('has a client come back whose handshake is never answered', async () => {
    const { server, link, url } = await behindALink();
    const open = () => new WebSocket(url).on('error', () => undefined);
    server.server.once('headers', link.silence);
    const connection = keepConnected(open, { watchdog });
    afterThisTest(() => {
      connection.stop();
    });
    await expectTakeover(server);
  });

  it('ends a client of ws, and tells before its close event', async () => {
    const { link, url } = await behindALink();
    const socket = new WebSocket(url);
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      createWatchdog(socket, { ...watchdog, onLost: ({ code }) => told.push(`lost ${String(code)}`) });
      socket.on('close', (code) => {
        told.push(`close ${String(code)}`);
        resolve();
      });
      socket.on('open', link.silence);
    });
    expect(told).toEqual(['lost 1006', 'close 1006']);
  });
});

const script = `
  import { createWatchdog, keepConnected } from 'mooring/client';
  Object.assign(globalThis, { createWatchdog, keepConnected, watchdog: ${JSON.stringify(watchdog)} });
`;

/** What the page has noted so far. */
const notes = (page: Page) => page.evaluate<string[]>('notes');

describe.runIf(hasChromium)('a watchdog of a page in Chromium', () => {
  it('has it come back long before the browser gives the socket up', async () => {
    const { server, link, url } = await behindALink();
    const page = await chromiumPage();
    await page.evaluate(await pageScript({ page: script }));
    await page.evaluate(`
      globalThis.notes = [];
      globalThis.connection = keepConnected(() => {
        const socket = new WebSocket(${JSON.stringify(url)});
        notes.push('connects');
        globalThis.first ??= socket;
        socket.addEventListener('close', ({ code }) => notes.push('close ' + code));
        return socket;
      }, { watchdog, onClosed: ({ cause }) => notes.push('told ' + cause) });`);
    await page.waitForFunction('connection.socket.readyState === 1');
    link.silence();
    await expectTakeover(server);
    expect(await notes(page)).toEqual(['connects', 'told lost', 'connects']);
    // Chromium still waits for the other side to close the lost one. When it is told at last, that changes nothing.
    await page.evaluate("connection.socket.addEventListener('message', () => notes.push('message'), { once: true })");
    await page.waitForFunction("notes.includes('message')"); // the answer to a question on the new one
    expect(await page.evaluate('first.readyState')).toBe(2);
    link.cut();
    await page.waitForFunction("notes.includes('close 1006')");
    await sleep(1_500);
    expect(await notes(page)).toEqual(['connects', 'told lost', 'connects', 'message', 'close 1006']);
    await page.evaluate('connection.stop()');
  });

  it('leaves the connection of a page that was frozen with a question under way', async () => {
    const { server, url } = await behindALink();
    const page = await chromiumPage();
    await page.evaluate(await pageScript({ page: script }));
    await page.evaluate(`
      globalThis.notes = [];
      globalThis.socket = new WebSocket(${JSON.stringify(url)});
      const { send } = WebSocket.prototype;
      socket.send = (message) => { notes.push('asks'); send.call(socket, message); };
      createWatchdog(socket, { ...watchdog, onLost: () => notes.push('lost') });`);
    await page.waitForFunction('notes.length > 0');
    const session = await page.context().newCDPSession(page);
    for (let i = 0; i < 3; i++) {
      await session.send('Page.setWebLifecycleState', { state: 'frozen' });
      await sleep(4_000);
      await session.send('Page.setWebLifecycleState', { state: 'active' });
      await sleep(Math.random() * 600);
    }
    await sleep(2_000);
    expect(await notes(page)).not.toContain('lost');
    expect(await page.evaluate('socket.readyState')).toBe(1);
    expect(server.countOf('ada')).toBe(1);
  });
});
