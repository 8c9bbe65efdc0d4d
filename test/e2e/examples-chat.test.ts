import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hasChromium } from '../support/chromium.js';
import { connected, countSockets, expectReadable, person, picture, timeout, told } from '../support/example-pages.js';
import { startExample, type ExampleProcess } from '../support/example-process.js';
import { afterThisTest } from '../support/setup.js';

/** Longer than the first wait of a page that connects again by itself. */
const longerThanAWaitMs = 2_000;

/** What the browser itself says of a request without a session. */
const refusedRequest = /status of 401/;

/** How many chats the user of the page has open, as the server sees it now. */
const openChats = (page: Page): Promise<number> =>
  page.evaluate<number>(`fetch('/chats').then((answer) => answer.json()).then(({ chats }) => chats.length)`);

describe.runIf(hasChromium)('a page of the chat', { timeout }, () => {
  it('tells a free account of its limit, and what helps', async () => {
    const chat = await startExample('ws-chat');
    const ada = await person(chat);
    const first = await ada.logIn('ada');
    await connected(first);
    const second = await ada.open();
    await connected(second);
    const sockets = countSockets(first);
    const third = await ada.open();
    await told(third, /Your plan allows 2 open chats\. Close one below, .* Connecting again at \d/);
    expect(await third.locator('#plan').innerText()).toBe('2 of 2, plan free');
    await expect.poll(() => third.getByRole('button', { name: 'Close this one' }).count()).toBe(2);
    await picture(third, 'limit');
    await expectReadable(third);

    // The oldest is the first of the list.
    await third.getByRole('button', { name: 'Close this one' }).first().click();
    await told(first, 'You closed this chat from another tab.');
    await connected(third);
    await sleep(longerThanAWaitMs);
    expect(sockets()).toBe(0);

    await second.close();
    await expect.poll(() => openChats(third)).toBe(1);
    await first.getByRole('button', { name: 'Connect again' }).click();
    await connected(first);
    expect(await third.locator('#status').isVisible()).toBe(false);
  });

  it('of a pro account is one of many', async () => {
    const chat = await startExample('ws-chat');
    const grace = await person(chat);
    const pages = [await grace.logIn('grace'), await grace.open(), await grace.open()];
    for (const page of pages) await connected(page);
    await expect.poll(() => pages[2]?.locator('#plan').innerText()).toBe('3 of 20, plan pro');
  });

  it('tells that its chat goes on in another tab, and can have it back', async () => {
    const chat = await startExample('ws-chat');
    const ada = await person(chat);
    const page = await ada.logIn('ada');
    await connected(page);
    const sockets = countSockets(page);
    const copy = await ada.duplicate(page);
    await connected(copy);
    await told(page, 'This chat goes on in another tab.');
    await expect.poll(() => page.locator('#chats').innerText()).not.toContain('this tab');
    await expect.poll(() => copy.locator('#chats').innerText()).toContain('(this tab)');
    expect(await copy.locator('#thread').innerText()).toBe(await page.locator('#thread').innerText());
    await picture(page, 'replaced');
    await expectReadable(page);
    await sleep(longerThanAWaitMs);
    expect(sockets()).toBe(0);

    await page.getByRole('button', { name: 'Use it here' }).click();
    await connected(page);
    await told(copy, 'This chat goes on in another tab.');
  });

  it('keeps its thread when it is reloaded, and another conversation is another thread', async () => {
    const chat = await startExample('ws-chat');
    const page = await (await person(chat)).logIn('ada');
    await connected(page);
    const thread = await page.locator('#thread').innerText();
    await page.reload();
    await connected(page);
    expect(await page.locator('#thread').innerText()).toBe(thread);
    await page.getByRole('link', { name: 'Help' }).click();
    await connected(page);
    expect(await page.locator('#thread').innerText()).toBe(thread.replace('lobby', 'help'));
    await expect.poll(() => page.locator('#plan').innerText()).toBe('1 of 2, plan free');
  });

  it('shows what others write, as text', async () => {
    const chat = await startExample('ws-chat');
    const ada = await (await person(chat)).logIn('ada');
    const bob = await (await person(chat)).logIn('bob');
    for (const page of [ada, bob]) await connected(page);
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    await ada.getByLabel('Message', { exact: true }).fill(hostile);
    await ada.getByRole('button', { name: 'Send' }).click();
    for (const page of [ada, bob]) await page.getByText(`ada ${hostile}`).waitFor();
    await bob.reload();
    await bob.getByText(`ada ${hostile}`).waitFor();
    expect(await bob.locator('#messages img, #messages script').count()).toBe(0);
    await bob.getByRole('link', { name: 'Help' }).click();
    await connected(bob);
    expect(await bob.locator('#messages li').count()).toBe(0);
  });

  it('says that somebody logged out everywhere, and stays closed', async () => {
    const chat = await startExample('ws-chat');
    const [desk, phone] = [await person(chat, refusedRequest), await person(chat, refusedRequest)];
    const pages = [await desk.logIn('grace'), await desk.open()];
    const other = await (await person(chat)).logIn('bob');
    const atHand = await phone.logIn('grace');
    for (const page of [...pages, other, atHand]) await connected(page);
    const counts = pages.map(countSockets);
    await atHand.getByRole('button', { name: 'Log out everywhere' }).click();
    await atHand.waitForURL('**/login');
    for (const page of pages) {
      await told(page, 'You are logged out. Log in');
      await expect.poll(() => page.locator('#chats li').count()).toBe(0);
    }
    await sleep(longerThanAWaitMs);
    expect(counts.map((count) => count())).toEqual([0, 0]);
    expect(await other.locator('#status').isVisible()).toBe(false);
    await pages[0]?.reload();
    expect(pages[0]?.url()).toMatch(/\/login$/);
  });

  it('says so too if only its own browser logged out', async () => {
    const chat = await startExample('ws-chat');
    const [desk, phone] = [await person(chat, refusedRequest), await person(chat)];
    const page = await desk.logIn('grace');
    const second = await desk.open();
    const elsewhere = await phone.logIn('grace');
    for (const each of [page, second, elsewhere]) await connected(each);
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await told(second, 'You are logged out. Log in');
    await expect.poll(() => openChats(elsewhere)).toBe(1);
    expect(await elsewhere.locator('#status').isVisible()).toBe(false);
  });

  it('lets nobody in without the right password', async () => {
    const chat = await startExample('ws-chat');
    const page = await (await person(chat)).open();
    expect(page.url()).toMatch(/\/login$/);
    expect(await page.locator('#failed').isVisible()).toBe(false);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('bob');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('do not belong together').waitFor();
    await expectReadable(page);
  });
});

/** The cookie of a session, as a browser would send it. */
async function logIn({ url }: ExampleProcess, name: string): Promise<string> {
  const answer = await post(url, 'login', { body: new URLSearchParams({ name, password: name }) });
  expect(answer.headers.get('location')).toBe('/');
  const cookie = answer.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/);
  return cookie.split(';', 1)[0] ?? '';
}

/** As a page of the server posts, unless the headers say something else. */
function post(url: string, path: string, request: Posted): Promise<Response> {
  const headers = { origin: new URL(url).origin, ...request.headers };
  return fetch(url + path, { ...request, method: 'POST', redirect: 'manual', headers });
}

interface Posted {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
}

function connect({ url }: ExampleProcess, query: string, headers: Record<string, string>): WebSocket {
  const socket = new WebSocket(`${url.replace('http', 'ws')}chat?${query}`, { headers });
  afterThisTest(() => {
    socket.terminate();
  });
  return socket.on('error', () => undefined);
}

/** Code and reason of its close. */
async function closeOf(socket: WebSocket): Promise<string> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return `${code} ${String(reason)}`.trim();
}

describe('the server of the chat', () => {
  it('lets in no page of another site, and nobody without a session', async () => {
    const chat = await startExample('ws-chat');
    const cookie = await logIn(chat, 'ada');
    const query = 'conversation=lobby&tab=1';
    const foreign = connect(chat, query, { cookie, origin: 'https://evil.example' });
    const [, response] = (await once(foreign, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(403);
    expect(await closeOf(connect(chat, query, {}))).toBe('4401 missing');
    expect(await closeOf(connect(chat, query, { cookie: 'chat_session=made-up' }))).toBe('4401 missing');
    for (const headers of [
      { cookie, origin: 'https://evil.example' },
      { cookie, origin: 'null' },
    ])
      for (const path of ['login', 'logout', 'logout-everywhere', 'chats/close'])
        expect((await post(chat.url, path, { headers })).status).toBe(403);
    expect((await fetch(`${chat.url}chats`, { headers: { cookie } })).status).toBe(200);
  });

  it('closes only chats of the user who asks', async () => {
    const chat = await startExample('ws-chat');
    const [ada, bob] = [await logIn(chat, 'ada'), await logIn(chat, 'bob')];
    const socket = connect(chat, 'conversation=lobby&tab=1', { cookie: ada });
    await once(socket, 'message');
    const close = async (cookie: string): Promise<unknown> => {
      const headers = { cookie, 'content-type': 'application/json' };
      const body = JSON.stringify({ thread: 'thread_lobby_1' });
      return (await post(chat.url, 'chats/close', { headers, body })).json();
    };
    expect(await close(bob)).toEqual({ closed: false });
    const closed = closeOf(socket);
    expect(await close(ada)).toEqual({ closed: true });
    expect(await closed).toBe('4412 requested');
  });

  it('goes on after messages and requests that make no sense', async () => {
    const chat = await startExample('ws-chat', {
      complaints: /^ada: Max payload size exceeded\nPayloadTooLargeError: /,
    });
    const cookie = await logIn(chat, 'ada');
    expect(await closeOf(connect(chat, 'conversation=nowhere&tab=1', { cookie }))).toMatch(/^1008 There is no such/);
    expect(await closeOf(connect(chat, `conversation=lobby&tab=${'x'.repeat(300)}`, { cookie }))).toMatch(
      /^1008 threadId/,
    );
    expect(await closeOf(connect(chat, '', { cookie }))).toMatch(/^1008 /);
    const big = connect(chat, 'conversation=lobby&tab=1', { cookie });
    await once(big, 'message');
    big.send('x'.repeat(5_000));
    expect(await closeOf(big)).toMatch(/^1009/);
    const long = new URLSearchParams({ name: 'x'.repeat(5_000), password: 'x' });
    expect((await post(chat.url, 'login', { body: long })).status).toBe(413);
    expect((await post(chat.url, 'login', {})).headers.get('location')).toBe('/login#failed');
    const socket = connect(chat, 'conversation=lobby&tab=1', { cookie });
    const [history] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(String(history))).toEqual({ messages: [] });
    socket.send('   ');
    socket.send(Buffer.from('hello'));
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(String(message))).toEqual({ message: { user: 'ada', text: 'hello' } });
  });

  it('stops when it is told to', async () => {
    const chat = await startExample('ws-chat');
    const socket = connect(chat, 'conversation=lobby&tab=1', { cookie: await logIn(chat, 'ada') });
    await once(socket, 'message');
    const closed = closeOf(socket);
    chat.terminate();
    expect(await closed).toMatch(/^1012 drain;retry=/);
    expect(await chat.exited).toEqual({ code: 0, signal: null });
  });
});
