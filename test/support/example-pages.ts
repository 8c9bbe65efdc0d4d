import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { faultsOf } from './accessibility.js';
import { chromiumPage, type Laptop } from './chromium.js';
import { overflow } from './dashboard-page.js';
import { afterThisTest } from './setup.js';

/** For tests with several pages, each of which takes its time on a slow machine. Nothing is judged by it. */
export const timeout = 120_000;

/** The browser of one person: its pages share cookies, and nothing with other browsers. */
export interface Person {
  /** A new tab with the first page, or another one. */
  open(path?: string): Promise<Page>;
  /** A copy of the tab, with a copy of its `sessionStorage`. */
  duplicate(page: Page): Promise<Page>;
  /** Logs in, in a new tab. The password of each account of the examples is its name. */
  logIn(name: string): Promise<Page>;
}

/**
 * @param expected what the console may say @default nothing
 * @param at their own computer @default a browser that persons of other tests share
 */
export async function person({ url }: { readonly url: string }, expected = /^$/, at?: Laptop): Promise<Person> {
  const context = at?.context ?? (await chromiumPage()).context();
  const troubles: string[] = [];
  afterThisTest(() => {
    expect(troubles).toEqual([]);
  });
  context.on('weberror', (error) => troubles.push(error.error().message));
  context.on('dialog', (dialog) => troubles.push(`a dialog: ${dialog.message()}`));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !expected.test(message.text())) troubles.push(message.text());
  });
  context.setDefaultTimeout(20_000);
  const open = async (path = ''): Promise<Page> => {
    const page = await context.newPage();
    await page.setViewportSize({ width: 720, height: 600 });
    await page.goto(url + path);
    return page;
  };
  return {
    open,
    duplicate: async (page) => {
      const opened = page.waitForEvent('popup');
      await page.evaluate('void window.open(location.href)');
      return opened;
    },
    logIn: async (name) => {
      const page = await open('login');
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('Password').fill(name);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.waitForURL((now) => now.pathname !== '/login');
      return page;
    },
  };
}

/** How many WebSockets the page has opened, from now on. */
export function countSockets(page: Page): () => number {
  let count = 0;
  page.on('websocket', () => (count += 1));
  return () => count;
}

/** Waits until the line of the page that tells about its connection says so. */
export async function told(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('#status:visible').filter({ hasText: text }).waitFor();
}

/** Waits until the page may stay: then it has nothing to tell. */
export async function connected(page: Page): Promise<void> {
  await page.locator('#status').waitFor({ state: 'hidden' });
}

/** Clicks "Try now" until it is let in: the server may hear of a tab that was closed only after the first click. */
export async function letIn(page: Page): Promise<void> {
  const again = page.getByRole('button', { name: 'Try now' });
  const clickIfThere = async (): Promise<boolean> => {
    if (await again.isVisible()) await again.click({ timeout: 1_000 }).catch(() => undefined);
    return page.locator('#status').isVisible();
  };
  await expect.poll(clickIfThere, { timeout: 20_000, interval: 500 }).toBe(false);
}

/** With `MOORING_PICTURES=1` the pictures of the examples are taken anew. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env['MOORING_PICTURES'] !== '1') return;
  await page.screenshot({ path: join(import.meta.dirname, `../../docs/images/example-${name}.png`) });
}

/** The page can be read, in the light and in the dark, by everybody, and fits a phone. */
export async function expectReadable(page: Page): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    expect([colorScheme, await faultsOf(page, colorScheme)]).toEqual([colorScheme, []]);
  }
  const size = page.viewportSize();
  await page.setViewportSize({ width: 375, height: 667 });
  expect(await page.evaluate(overflow)).toBe(0);
  if (size !== null) await page.setViewportSize(size);
}
