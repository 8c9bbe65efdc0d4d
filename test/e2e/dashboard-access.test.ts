import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { faultsOf } from '../support/accessibility.js';
import { startAdmin } from '../support/admin-server.js';
import { hasChromium } from '../support/chromium.js';
import { access, hostile, settle, token, visit } from '../support/dashboard-page.js';

/** Each way the page can look: where it is, and what is done there first. */
const states: readonly (readonly [name: string, hash: string, reach: (page: Page) => Promise<void>])[] = [
  ['the overview', '#/', async (page) => page.getByText('7. False kills').waitFor()],
  ['users', '#/users', async (page) => page.getByRole('link', { name: 'grace' }).waitFor()],
  ['no users', '#/users?search=nobody-at-all', async (page) => page.getByText('No user matches.').waitFor()],
  ['a user', '#/users/grace', async (page) => page.getByText('19 managers').waitFor()],
  ['a hostile user', `#/users/${encodeURIComponent(hostile)}`, async (page) => page.getByText('1 manager').waitFor()],
  ['a user nobody knows', '#/users/nobody', async (page) => page.getByText('This user holds no manager').waitFor()],
  ['a dry run', '#/users/grace', dryRun],
  ['the question before a check', '#/users/grace', async (page) => ask(page, 'Check and act …')],
  ['the question before a cleanup', '#/users/grace', async (page) => ask(page, 'Clean up …')],
  ['the question before an emergency', '#/users/grace', async (page) => ask(page, 'Emergency cleanup …')],
  ['the question before releasing all', '#/users/grace', async (page) => ask(page, 'Release all …')],
  ['the question before releasing one', '#/users/grace', async (page) => ask(page, 'Release thread_5')],
  ['events', '#/events', async (page) => page.getByText('live', { exact: true }).waitFor()],
  ['types of events', '#/events', async (page) => page.locator('summary').click()],
  ['no such page', '#/nowhere', async (page) => page.getByRole('heading', { name: 'Not found' }).waitFor()],
];

async function dryRun(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Dry run', exact: true }).click();
  await page.getByText('4 managers would be released, 15 left').waitFor();
}

async function ask(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByRole('dialog').waitFor();
}

/** Where the focus is while a dialog asks, with what tells why where it is elsewhere. */
const focusOfDialog = `(() => {
  const dialog = document.querySelector('dialog');
  if (dialog?.contains(document.activeElement)) return 'within';
  const { outerHTML } = document.activeElement;
  return 'dialog open: ' + dialog?.open + ', window in focus: ' + document.hasFocus() + ', focus: ' + outerHTML.slice(0, 80);
})()`;

describe.runIf(hasChromium).each(['light', 'dark'] as const)('axe finds nothing in the %s', (colorScheme) => {
  it('in any state of any page', { timeout: 180_000 }, async () => {
    // The silent managers must still be there when a slow machine comes to them.
    const server = await startAdmin({ config: { heartbeatIntervalMs: 600_000 } });
    settle(server);
    server.open(hostile, 1);
    const page = await visit(server, { expected: /status of 404/ });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [name, hash, reach] of states) {
      await page.goto(`${server.url}#/another`); // within the page: what was open there is closed
      expect(await page.getByRole('dialog').count()).toBe(0);
      await page.goto(server.url + hash);
      await reach(page);
      expect([name, await faultsOf(page, colorScheme)]).toEqual([name, []]);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    for (const hash of ['#/', '#/users', '#/users/grace', '#/events']) {
      await page.goto(server.url + hash);
      await page.locator('.card').first().waitFor();
      expect([hash, await faultsOf(page, colorScheme)]).toEqual([hash, []]);
    }
  });

  it('where one signs in, and where the server has gone', async () => {
    const server = await startAdmin({ access });
    const page = await visit(server, { expected: /status of 401|ERR_/ });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.getByLabel('Token').fill('not-the-token-at-all');
    await page.keyboard.press('Enter');
    await page.getByText('The server does not know this token.').waitFor();
    expect(await faultsOf(page, colorScheme)).toEqual([]);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('7. False kills').waitFor();
    await page.evaluate(`sessionStorage.setItem('mooring.token', 'one-that-was-replaced')`);
    await page.getByText('no longer accepts your token').waitFor();
    expect(await faultsOf(page, colorScheme)).toEqual([]);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('7. False kills').waitFor();
    await server.vanish();
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor();
    expect(await faultsOf(page, colorScheme)).toEqual([]);
  });
});

/** The element that has the focus, as axe or a reader of the test would name it, and whether one sees that it does. */
const focused = `(() => {
  const { activeElement: it } = document;
  const name = (it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText ?? it.innerText ?? '').trim().split('\\n')[0];
  const { outlineStyle, outlineWidth } = getComputedStyle(it);
  return { tag: it.tagName, name, isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
})()`;

interface Focused {
  readonly tag: string;
  readonly name: string;
  readonly isSeen: boolean;
}

const focusIn = (page: Page): Promise<Focused> => page.evaluate<Focused>(focused);

/** How many things one can do something with, of those shown. */
const usable = `[...document.querySelectorAll('a[href], button, input, select, summary')]
  .filter((one) => one.checkVisibility() && !one.disabled).length`;

/** Tabs until the focus leaves the page or comes round. */
async function tabThrough(page: Page): Promise<Focused[]> {
  const seen: Focused[] = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const now = await focusIn(page);
    if (now.tag === 'BODY' || seen.length > 500) return seen;
    seen.push(now);
  }
}

describe.runIf(hasChromium)('with the keyboard alone', () => {
  it('everything is reached, in sight', async () => {
    const server = await startAdmin();
    settle(server);
    for (const hash of ['#/', '#/users', '#/users/grace', '#/events']) {
      const page = await visit(server, { hash });
      await page.locator('.card').first().waitFor();
      if (hash === '#/events') await page.evaluate(`document.querySelector('details').open = true`);
      const seen = await tabThrough(page);
      expect([hash, seen.length]).toEqual([hash, await page.evaluate(usable)]);
      expect(seen.filter(({ isSeen, name }) => !isSeen || name === '')).toEqual([]);
    }
  });

  it('a question keeps the focus, Escape takes it back, and Enter answers', async () => {
    const server = await startAdmin();
    server.open('grace', 6, 2);
    const page = await visit(server, { hash: '#/users/grace' });
    for (const name of ['Clean up …', 'Emergency cleanup …', 'Release all …', 'Release thread_5']) {
      const button = page.getByRole('button', { name, exact: true });
      await button.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      await expect.poll(() => page.evaluate(focusOfDialog)).toBe('within');
      for (let i = 0; i < 6; i++) {
        await page.keyboard.press('Tab');
        const where = `document.querySelector('dialog').contains(document.activeElement) || document.activeElement.tagName`;
        expect([true, 'BODY']).toContain(await page.evaluate(where)); // BODY: on its way through the browser's own bars
      }
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect((await focusIn(page)).name).toBe(name);
    }
    expect(server.mooring.managerCountOf('grace')).toBe(6);
    await page.getByRole('button', { name: 'Clean up …' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Clean up' }).press('Enter');
    await page.getByText('2 managers released, 4 left').waitFor();
    expect((await focusIn(page)).name).toBe('Clean up …');
    await page.getByRole('button', { name: 'Release thread_5' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).press('Enter');
    await page.getByText('thread_5 is released.').waitFor();
    await expect.poll(() => page.locator('table.managers tbody tr').count()).toBe(3);
    expect((await focusIn(page)).name).toContain('Release: thread_5');
    await page.getByRole('button', { name: 'Release all …' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Release all' }).press('Enter');
    await page.getByText('3 managers released.').waitFor();
  });

  it('a question takes the focus back if the browser clears it, or if the element that has it goes', async () => {
    const server = await startAdmin();
    server.open('grace', 6, 2);
    const page = await visit(server, { hash: '#/users/grace' });
    for (const lose of ['document.activeElement.blur()', 'document.activeElement.remove()']) {
      await page.getByRole('button', { name: 'Emergency cleanup …', exact: true }).press('Enter');
      await expect.poll(() => page.evaluate(focusOfDialog)).toBe('within');
      await page.evaluate(lose);
      await expect.poll(() => page.evaluate(focusOfDialog)).toBe('within');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
  });

  it('one signs in without looking for the field', async () => {
    const server = await startAdmin({ access });
    const page = await visit(server);
    await page.getByLabel('Token').waitFor();
    await page.keyboard.type(token);
    await page.keyboard.press('Enter');
    await page.getByText('7. False kills').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).press('Enter');
    await page.getByLabel('Token').waitFor();
    await expect.poll(async () => (await focusIn(page)).name).toBe('Token');
    expect(await page.getByText('no longer accepts').count()).toBe(0);
  });
});

/** Counts what a screen reader would read out from now on. */
const listen = `window.said = 0; new MutationObserver((changes) => {
  said += changes.filter(({ target }) => (target.closest ? target : target.parentElement)
    ?.closest('[role=status], [role=alert], [aria-live]')).length;
}).observe(document, { subtree: true, childList: true, characterData: true })`;

describe.runIf(hasChromium)('whoever listens or is made dizzy', () => {
  it('hears nothing of figures that change all the time', async () => {
    const server = await startAdmin();
    settle(server);
    const page = await visit(server, { hash: '#/events' });
    await page.getByText('live', { exact: true }).waitFor();
    await page.evaluate(listen);
    server.open('zoe', 3);
    await page.getByText('zoe thread_3 was admitted').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    server.open('yves', 2);
    await page.getByText(/paused, \d+ new events/).waitFor();
    expect(await page.evaluate('said')).toBe(0);
    await page.goto(`${server.url}#/users`);
    await page.getByText('124 users', { exact: true }).waitFor();
    expect(await page.getByRole('status').allInnerTexts()).toContain('124 users found');
    await page.evaluate('said = 0');
    server.open('xenia', 1);
    await page.getByText('125 users', { exact: true }).waitFor();
    expect(await page.evaluate('said')).toBe(0);
  });

  it('sees nothing move where the system says so', async () => {
    const server = await startAdmin();
    server.open('grace', 1);
    const page = await visit(server, { hash: '#/users/grace' });
    await page.getByRole('button', { name: 'Check and act …' }).waitFor();
    const transition = (): Promise<unknown> =>
      page.evaluate(`getComputedStyle(document.querySelector('.buttons button')).transitionDuration`);
    expect(await transition()).not.toBe('0s');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await transition()).toBe('0s');
  });
});
