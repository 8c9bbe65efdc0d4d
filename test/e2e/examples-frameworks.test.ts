import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hasChromium, laptop } from '../support/chromium.js';
import { connected, countSockets, expectReadable, letIn, person, timeout, told } from '../support/example-pages.js';
import { startExample } from '../support/example-process.js';

/** What the browser itself says of connections that end, and of requests of a session that has ended. */
const cutOff = /ERR_|WebSocket connection to|status of (400|50\d)/;

/** Each with something that only a page whose connection works can do. */
interface Example {
  readonly name: string;
  readonly use: (page: Page, count: number) => Promise<void>;
  /** How its process ends when it is told to stop. */
  readonly end: { readonly code: number | null; readonly signal: string | null };
}

const endsItself = { code: 0, signal: null };

const examples: readonly Example[] = [
  {
    name: 'fastify',
    end: endsItself,
    use: async (page, count) => {
      await page.getByLabel('Item', { exact: true }).fill(`bread ${count}`);
      await page.getByRole('button', { name: 'Add' }).click();
      await page.getByText(`bread ${count}`).waitFor();
    },
  },
  {
    name: 'nest',
    end: { code: null, signal: 'SIGTERM' }, // Nest ends itself with the signal that it got
    use: async (page, count) => {
      await page.getByRole('button', { name: `Bid ${count}00` }).click();
      await page.getByText(`${count}00 by ada`).waitFor();
    },
  },
  {
    name: 'socket-io-react',
    end: endsItself,
    use: async (page, count) => {
      const answer = count % 2 === 0 ? 'No' : 'Yes';
      await page.getByRole('button', { name: answer }).click();
      await page.getByRole('listitem').filter({ hasText: answer }).filter({ hasText: '1' }).waitFor();
    },
  },
];

describe.runIf(hasChromium).each(examples)('the example $name', { timeout }, ({ name, use, end }) => {
  it('tells of the limit and when it tries again, and lets the page in once another is closed', async () => {
    const app = await startExample(name);
    const ada = await person(app, cutOff);
    const [first, second] = [await ada.logIn('ada'), await ada.open()];
    for (const page of [first, second]) await connected(page);
    await use(first, 1);
    await use(second, 2);
    const third = await ada.open();
    await told(third, /You may have .*\b2\b.* Connecting again (at|in) \d/);
    await expectReadable(third);
    await second.close();
    await letIn(third);
    await use(third, 3);
    expect(await first.locator('#status').isVisible()).toBe(false);
  });

  it('goes on in the other tab if a tab is duplicated, and can be had back', async () => {
    const app = await startExample(name);
    const ada = await person(app, cutOff);
    const page = await ada.logIn('ada');
    await connected(page);
    await use(page, 1);
    const sockets = countSockets(page);
    const copy = await ada.duplicate(page);
    await connected(copy);
    await told(page, /in another tab\. Use it here/);
    await expectReadable(page);
    expect(sockets()).toBe(0);
    await page.getByRole('button', { name: 'Use it here' }).click();
    await connected(page);
    await told(copy, /in another tab\. Use it here/);
  });

  it('gives the place of a laptop with a closed lid to another computer, and tells it when it is opened', async () => {
    const app = await startExample(name);
    const [mobile, desk] = [await laptop(), await person(app, cutOff)];
    const away = await person(app, cutOff, mobile);
    const pages = [await away.logIn('ada'), await away.open()];
    for (const page of pages) await connected(page);
    await use(pages[0]!, 1);
    mobile.closeLid();
    const atDesk = await desk.logIn('ada');
    await connected(atDesk);
    await use(atDesk, 2);
    mobile.openLid();
    // One of them has its place still. The other comes back, and finds the quota full with connections in use.
    const isTold = (page: Page): Promise<boolean> =>
      page
        .locator('#status:visible')
        .filter({ hasText: /You may have .*\b2\b/ })
        .isVisible();
    await expect
      .poll(async () => (await Promise.all(pages.map(isTold))).filter(Boolean).length, { timeout: 20_000 })
      .toBe(1);
    const refused = (await isTold(pages[0]!)) ? pages[0]! : pages[1]!;
    await atDesk.close();
    await letIn(refused);
    for (const page of pages) await connected(page);
  });

  it('asks for a login again if its user logs out, and ends within seconds when it is told to', async () => {
    const app = await startExample(name);
    const ada = await person(app, cutOff);
    const [page, second] = [await ada.logIn('ada'), await ada.open()];
    for (const each of [page, second]) await connected(each);
    await page.getByRole('button', { name: 'Log out' }).click();
    await told(second, /You are logged out\. Log in/);
    const bob = await (await person(app, cutOff)).logIn('bob');
    await connected(bob);
    const startedAtMs = Date.now();
    app.terminate();
    expect(await app.exited).toEqual(end);
    expect(Date.now() - startedAtMs).toBeLessThan(10_000);
    await bob.locator('#status:visible').waitFor();
  });
});
