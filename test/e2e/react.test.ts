import { describe, expect, it, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { lightPage, hasChromium } from '../support/chromium.js';
import { codeBlocksOf } from '../support/code-blocks.js';
import { pageScript } from '../support/page-script.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

const hook = codeBlocksOf('docs/guides/clients.md').find(({ text }) => text.includes('function useMooring'));

/** A component that shows what the hook of the guide gives, in StrictMode. */
const page = `
  import { StrictMode, createElement as h, useState } from 'react';
  import { createRoot } from 'react-dom/client';
  import { useMooring } from 'the block';

  globalThis.notes = [];
  globalThis.connects = new Set();
  const root = createRoot(document.body.appendChild(document.createElement('main')));

  function Chat({ url, thread }) {
    const [count, setCount] = useState(0);
    const { socket, explanation, connect } = useMooring(() => {
      notes.push(count);
      return new WebSocket(url + thread);
    }, thread);
    connects.add(connect);
    return h('div', null,
      h('output', null, socket === null ? 'none ' + (explanation?.cause ?? '') : 'open ' + new URL(socket.url).searchParams.get('threadId')),
      h('button', { onClick: connect }, 'Connect'),
      h('button', { onClick: () => setCount(count + 1) }, 'Count'));
  }

  globalThis.show = (props) => root.render(h(StrictMode, null, h(Chat, props)));
  globalThis.leave = () => root.unmount();
`;

async function startPage(): Promise<{ page: Page; server: WsServer; show: (thread: string) => Promise<void> }> {
  const server = await wsServer();
  const tab = await lightPage();
  await tab.evaluate(await pageScript({ page, 'the block': hook?.text ?? '' }));
  const props = (thread: string) => JSON.stringify({ url: server.url('ada', ''), thread });
  return { page: tab, server, show: (thread) => tab.evaluate(`show(${props(thread)})`) };
}

const shows = (tab: Page, text: string) => tab.locator('output').filter({ hasText: text }).waitFor();

describe.runIf(hasChromium)('the React hook of the guide', () => {
  it('connects once in StrictMode, says why it was closed, and connects when told', async () => {
    const { page: tab, server, show } = await startPage();
    await show('thread_1');
    await shows(tab, 'open thread_1');
    await vi.waitFor(() => {
      expect(server.server.clients.size).toBe(1);
    });
    server.mooring.releaseAll('ada', { closeCause: 'idle' });
    await shows(tab, 'none idle');
    await tab.getByRole('button', { name: 'Count' }).click();
    await tab.getByRole('button', { name: 'Count' }).click();
    await tab.getByRole('button', { name: 'Connect' }).click();
    await shows(tab, 'open thread_1');
    // Two effects of StrictMode, and then the function of the newest render; `connect` is the same in all renders.
    expect(await tab.evaluate('[notes, connects.size]')).toEqual([[0, 0, 2], 1]);
  });

  it('comes back by itself when it may', async () => {
    const { page: tab, server, show } = await startPage();
    await show('thread_1');
    await shows(tab, 'open thread_1');
    for (const client of server.server.clients) client.close(1012, 'drain;retry=0.5');
    await shows(tab, 'none drain');
    await shows(tab, 'open thread_1');
  });

  it('connects anew when the key changes, and leaves nothing when it is unmounted', async () => {
    const { page: tab, server, show } = await startPage();
    await show('thread_1');
    await shows(tab, 'open thread_1');
    await show('thread_2');
    await shows(tab, 'open thread_2');
    await vi.waitFor(() => {
      expect(server.mooring.managersOf('ada').map(({ threadId }) => threadId)).toEqual(['thread_2']);
    });
    await tab.evaluate('leave()');
    await vi.waitFor(() => {
      expect(server.countOf('ada')).toBe(0);
    });
  });
});
