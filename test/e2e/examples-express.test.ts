import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hasChromium } from '../support/chromium.js';
import { connected, expectReadable, person, timeout, told } from '../support/example-pages.js';
import { startExample } from '../support/example-process.js';

const token = 'a-token-for-prometheus';

/** What the browser itself says of requests that the server refuses, or cannot take. */
const refusedRequest = /status of 40[134]/; // 404: the icon of an answer that is no page
const cutOff = /ERR_|WebSocket connection to|status of 503/;

/** The status of a request that the page makes, with the cookies of its browser. */
const statusOf = (page: Page, path: string, method = 'GET'): Promise<number> =>
  page.evaluate<number>(`fetch('${path}', { method: '${method}' }).then(({ status }) => status)`);

const totalOn = (page: Page): Promise<string> => page.locator('#total').innerText();

describe.runIf(hasChromium)('the dashboard behind the login of an Express application', { timeout }, () => {
  it('sends a stranger to the login, and refuses users who are no operators', async () => {
    const app = await startExample('express');
    const stranger = await (await person(app, refusedRequest)).open('ops/');
    expect(stranger.url()).toBe(`${app.url}login`);
    const page = await (await person(app, refusedRequest)).logIn('ada');
    await connected(page);
    expect(await statusOf(stranger, '/ops/')).toBe(200); // of the login, where the request was led to
    expect(await statusOf(page, '/ops/')).toBe(403);
    for (const [each, refused] of [
      [stranger, 401],
      [page, 403],
    ] as const) {
      expect(await statusOf(each, '/ops/api/v1/overview')).toBe(refused);
      expect(await statusOf(each, '/ops/api/v1/events')).toBe(refused);
      expect(await statusOf(each, '/ops/api/v1/users/ada/managers', 'DELETE')).toBe(refused);
      expect(await statusOf(each, '/metrics')).toBe(refused);
    }
    await page.goto(`${app.url}ops`);
    await page.getByText('Only operators may see this page.').waitFor();
  });

  it('lets an operator watch live and end a connection, and its page is told', async () => {
    const app = await startExample('express');
    const operator = await (await person(app)).logIn('olga');
    expect(operator.url()).toBe(`${app.url}ops/`);
    await operator.getByText('7. False kills').waitFor();
    await operator.goto(`${app.url}ops/#/events`);
    await operator.getByText('live', { exact: true }).waitFor();
    const page = await (await person(app)).logIn('ada');
    await connected(page);
    await operator.getByText(/ada thread_\S+ was admitted/).waitFor();

    await operator.goto(`${app.url}ops/#/users/ada`);
    await operator.getByRole('button', { name: /^Release thread_/ }).click();
    await operator.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await operator.getByText(/thread_\S+ is released\./).waitFor();
    await told(page, 'An operator has ended this connection. Connect again');
    await page.getByRole('button', { name: 'Connect again' }).click();
    await connected(page);
  });

  it('cannot be used by pages of another site', async () => {
    const app = await startExample('express');
    const page = await (await person(app)).logIn('ada');
    await connected(page);
    const operator = await (await person(app)).logIn('olga');
    const cookies = await operator.context().cookies();
    const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
    expect(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax')).toBe(true);
    const url = `${app.url}ops/api/v1/users/ada/managers`;
    const act = async (origin: string): Promise<number> =>
      (await fetch(url, { method: 'DELETE', headers: { ...headers, origin } })).status;
    expect(await act('https://evil.example')).toBe(403);
    expect(await page.locator('#status').isVisible()).toBe(false);
    expect(await act(new URL(app.url).origin)).toBe(200);
    await told(page, 'An operator has ended this connection.');
  });

  it('logging out ends the connections of the browser, with a reason', async () => {
    const app = await startExample('express');
    const ada = await person(app);
    const page = await ada.logIn('ada');
    const second = await ada.open();
    for (const each of [page, second]) await connected(each);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL('**/login');
    await told(second, 'You are logged out. Log in');
    await expectReadable(second);
  });
});

describe.runIf(hasChromium)('the metrics of the application', { timeout }, () => {
  it('have its own and those of Mooring on one page', async () => {
    const app = await startExample('express', { env: { METRICS_TOKEN: token } });
    const page = await (await person(app)).logIn('ada');
    await connected(page);
    for (const total of ['1', '2']) {
      await page.getByRole('button', { name: 'Add one' }).click();
      await expect.poll(() => totalOn(page)).toBe(total);
    }
    const answer = await fetch(`${app.url}metrics`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await answer.text();
    expect(text).toMatch(/^app_clicks_total 2$/m);
    expect(text).toMatch(/^mooring_managers 1$/m);
    for (const authorization of ['', 'Bearer a-wrong-token-of-somebody'])
      expect((await fetch(`${app.url}metrics`, { headers: { authorization } })).status).toBe(401);
    const operator = await (await person(app)).logIn('olga');
    expect(await statusOf(operator, '/metrics')).toBe(200);
  });
});

describe.runIf(hasChromium)('the application that is told to stop', { timeout }, () => {
  it('ends within seconds, with its pages and the dashboard open, and they go on with the next process', async () => {
    const env = { SESSION_SECRET: 'kept-by-whoever-starts-it', MOORING_DRAIN_RETRY: '1s' };
    const app = await startExample('express', { env });
    const ada = await person(app, cutOff);
    const pages = [await ada.logIn('ada'), await ada.open()];
    for (const page of pages) await connected(page);
    await pages[0]?.getByRole('button', { name: 'Add one' }).click();
    await expect.poll(() => Promise.all(pages.map(totalOn))).toEqual(['1', '1']);
    const operator = await (await person(app, cutOff)).logIn('olga');
    await operator.goto(`${app.url}ops/#/events`);
    await operator.getByText('live', { exact: true }).waitFor();

    const startedAtMs = Date.now();
    app.terminate();
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - startedAtMs).toBeLessThan(10_000);
    for (const page of pages) await page.locator('#status:visible').waitFor();

    await startExample('express', { env, port: Number(new URL(app.url).port) });
    for (const page of pages) await connected(page);
    expect(await Promise.all(pages.map(totalOn))).toEqual(['0', '0']);
    await operator.reload();
    await operator.getByText('live', { exact: true }).waitFor();
    await connected(await ada.open());
    await operator.getByText(/ada thread_\S+ was admitted/).waitFor();
  });
});
