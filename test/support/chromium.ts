import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { afterThisTest } from './setup.js';

/** Whether this machine has Chromium; `npm test` finds out, and installs it where it can. */
export const hasChromium = process.env['TEST_HAS_CHROMIUM'] !== '0';

/** Chromium calls home unless told not to; a machine without a way out would refuse it many times over. */
const quiet = [
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--no-sandbox'],
];

/** A page of a browser of its own, which ends with the test. */
export async function chromiumPage(): Promise<Page> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-chromium-'));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: quiet,
  });
  afterThisTest(async () => {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return context.newPage();
}
