import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll } from 'vitest';
import { afterThisTest } from './setup.js';

/** Whether this machine has Chromium, as `npm test` found out. */
export const hasChromium = process.env['TEST_HAS_CHROMIUM'] !== '0';

/** Chromium calls home unless told not to; a machine without a way out would refuse it many times over. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-sandbox',
];

/** One for all tests of a file: to start one takes longer than most of them. */
let browser: Promise<Browser> | null = null;

afterAll(async () => {
  await (await browser)?.close();
});

/** A page that shares nothing with those of other tests, and ends with this one. */
export async function chromiumPage(): Promise<Page> {
  browser ??= chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: quiet });
  const context = await (await browser).newContext();
  afterThisTest(() => context.close());
  return context.newPage();
}
