import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startAdmin, type AdminServer } from '../support/admin-server.js';
import { hasChromium } from '../support/chromium.js';
import { access, token, visit } from '../support/dashboard-page.js';
import { relayTo, type Relay } from '../support/relay.js';
import { afterThisTest } from '../support/setup.js';

/** What a browser has to say where a connection is cut. */
const cutOff = /ERR_|status of 401/;

const portOf = ({ url }: AdminServer): number => Number(new URL(url).port);
const urlOf = ({ port }: Relay): string => `http://127.0.0.1:${String(port)}/`;

/** Events that can be told apart: the number is said in their row. */
function emit(server: AdminServer, from: number, to: number): void {
  for (let number = from; number <= to; number++) server.mooring.events.emit('server.draining', { managers: number });
}

/** The numbers on the page, the first event first. */
async function numbersOn(page: Page): Promise<number[]> {
  const texts = await page.locator('.events .said').allTextContents();
  return texts
    .flatMap((text) => /: ([\d,]+) managers? to close/.exec(text)?.[1]?.replace(',', '') ?? [])
    .map(Number)
    .toReversed();
}

const through = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The page of events, by way of something that can be cut. */
async function watching(server: AdminServer, hash = '#/events'): Promise<{ page: Page; relay: Relay }> {
  const relay = await relayTo(portOf(server));
  const page = await visit({ url: urlOf(relay) }, { hash, expected: cutOff });
  await page.getByText('live', { exact: true }).waitFor();
  return { page, relay };
}

/** The same, of a server that wants a token: signed in. */
async function signedIn(): Promise<{ before: AdminServer; page: Page; relay: Relay }> {
  const before = await startAdmin({ access });
  const relay = await relayTo(portOf(before));
  const page = await visit({ url: urlOf(relay) }, { hash: '#/events', expected: cutOff });
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByText('live', { exact: true }).waitFor();
  return { before, page, relay };
}

describe.runIf(hasChromium)('a stream that is cut, or left', () => {
  it('goes on where it was: each event is there, once, in order', async () => {
    const server = await startAdmin();
    const { page, relay } = await watching(server);
    emit(server, 1, 20);
    await page.getByText(': 20 managers to close').waitFor();
    for (let round = 1; round <= 3; round++) {
      relay.cut();
      await page.getByText('cut off, coming back').waitFor();
      emit(server, 100 * round, 100 * round + 99);
      relay.cut(portOf(server));
      await page.getByText(`: ${String(100 * round + 99)} managers to close`).waitFor();
    }
    expect(await numbersOn(page)).toEqual([...through(1, 20), ...through(100, 399)]);
    expect(await page.getByText('Events are missing').count()).toBe(0);
  });

  it('before anything came loses nothing either', async () => {
    const server = await startAdmin();
    const { page, relay } = await watching(server);
    relay.cut();
    await page.getByText('cut off, coming back').waitFor();
    emit(server, 1, 5);
    relay.cut(portOf(server));
    await page.getByText(': 5 managers to close').waitFor();
    expect(await numbersOn(page)).toEqual(through(1, 5));
  });

  it('as one looks at a user is there again on the way back, with what happened meanwhile, and paused if it was', async () => {
    const server = await startAdmin();
    const { page } = await watching(server);
    server.open('ada', 1);
    emit(server, 1, 3);
    await page.getByText(': 3 managers to close').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('link', { name: 'ada' }).first().click();
    await page.getByRole('heading', { name: 'ada' }).waitFor();
    emit(server, 4, 6);
    await page.goBack();
    await page.getByText('paused, 3 new events').waitFor();
    expect(await numbersOn(page)).toEqual(through(1, 3));
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText(': 6 managers to close').waitFor();
    expect(await numbersOn(page)).toEqual(through(1, 6));
    expect(await page.getByText('Events are missing').count()).toBe(0);
  });

  it('for so long that the server does not remember says so, once', async () => {
    const server = await startAdmin();
    const { page, relay } = await watching(server);
    emit(server, 1, 2);
    await page.getByText(': 2 managers to close').waitFor();
    relay.cut();
    await page.getByText('cut off, coming back').waitFor();
    emit(server, 3, 1_500);
    relay.cut(portOf(server));
    await page.getByText('Events are missing: what happened').waitFor();
    relay.cut();
    await page.getByText('cut off, coming back').waitFor();
    relay.cut(portOf(server));
    await page.getByText('live', { exact: true }).waitFor();
    emit(server, 2_000, 2_000);
    await page.getByText(': 2,000 managers to close').waitFor();
    expect(await page.getByText('Events are missing').count()).toBe(1);
    expect(await numbersOn(page)).toEqual([1, 2, 2_000]);
  });

  it('by a restart of the server: the token is good still, nothing comes twice, and the gap is told', async () => {
    const { before, relay, page } = await signedIn();
    emit(before, 1, 3);
    await page.getByText(': 3 managers to close').waitFor();
    await before.vanish();
    relay.cut();
    await page.getByText('The server cannot be reached.').waitFor();
    const after = await startAdmin({ access });
    relay.cut(portOf(after));
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('Events are missing: what happened').waitFor();
    emit(after, 4, 6);
    await page.getByText(': 6 managers to close').waitFor();
    expect(await numbersOn(page)).toEqual(through(1, 6));
    await page.getByText('The server cannot be reached.').waitFor({ state: 'detached' });
    expect(await page.getByRole('heading', { name: 'Sign in' }).count()).toBe(0);
  });

  it('by a server that has another token by now asks for it', async () => {
    const { before, relay, page } = await signedIn();
    await before.vanish();
    const after = await startAdmin({ access: [{ token: 'quite-another-token', scope: 'act' }] });
    relay.cut(portOf(after));
    await page.getByText('The server no longer accepts your token.').waitFor();
    await page.getByLabel('Token').fill('quite-another-token');
    await page.keyboard.press('Enter');
    await page.getByText('live', { exact: true }).waitFor();
    emit(after, 1, 1);
    await page.getByText(': 1 manager to close').waitFor();
  });
});

describe.runIf(hasChromium)('a stream that is too much', () => {
  it('says how many events were left out, and goes on saying so', async () => {
    const server = await startAdmin();
    const { page } = await watching(server);
    emit(server, 1, 1_500);
    await page.getByText('500 events missed so far').waitFor();
    await page.getByText(': 1,500 managers to close').waitFor();
    // That this viewer missed some is an event too, and the page has room for 500.
    await page.getByText('missed 500 events').waitFor();
    expect(await numbersOn(page)).toEqual(through(1_002, 1_500));
    emit(server, 2_000, 2_000);
    await page.getByText(': 2,000 managers to close').waitFor();
    expect(await page.getByText('500 events missed so far').count()).toBe(1);
  });

  it('of viewers: one more is told why it sees nothing, and comes in when another leaves', async () => {
    const server = await startAdmin();
    const leaving = new AbortController();
    afterThisTest(() => {
      leaving.abort();
    });
    const others = Array.from({ length: 100 }, () => fetch(`${server.url}api/v1/events`, { signal: leaving.signal }));
    await Promise.all(others);
    const page = await visit(server, { hash: '#/events', expected: /status of 503/ });
    await page.getByText('Close another one and come back.').waitFor();
    leaving.abort();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.getByText('Close another one').count()).toBe(0);
  });
});

/** Says that the page is hidden, or shown again, as a browser does of a tab. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${String(isHidden)}, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`);
}

async function viewersOf({ url }: AdminServer): Promise<number> {
  const { viewers } = (await (await fetch(`${url}api/v1/overview`)).json()) as { viewers: { watching: number } };
  return viewers.watching;
}

describe.runIf(hasChromium)('a hidden page', () => {
  it('gives its stream up, and when it is shown has all that happened meanwhile', async () => {
    const server = await startAdmin();
    const page = await visit(server, { hash: '#/events' });
    await page.getByText('live', { exact: true }).waitFor();
    emit(server, 1, 3);
    await page.getByText(': 3 managers to close').waitFor();
    await setHidden(page, true);
    await expect.poll(() => viewersOf(server)).toBe(0);
    emit(server, 4, 6);
    await setHidden(page, false);
    await page.getByText(': 6 managers to close').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await numbersOn(page)).toEqual(through(1, 6));
  });

  it('leaves the connection to others: six do not stop the seventh', async () => {
    const server = await startAdmin();
    const first = await visit(server, { hash: '#/events' });
    await first.getByText('live', { exact: true }).waitFor();
    await setHidden(first, true);
    for (let i = 2; i <= 6; i++) {
      const page = await first.context().newPage();
      await page.goto(`${server.url}#/events`);
      await page.getByText('live', { exact: true }).waitFor();
      await setHidden(page, true);
    }
    const seventh = await first.context().newPage();
    await seventh.goto(`${server.url}#/events`);
    await seventh.getByText('live', { exact: true }).waitFor();
    expect(await viewersOf(server)).toBe(1);
  });
});
