import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
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

const whole = '/usr/bin/chromium';
const shell = '/usr/bin/chromium-headless-shell';

/** One of each kind for all tests of a file: to start one takes longer than most of them. */
const browsers = new Map<string, Promise<Browser>>();

afterAll(async () => {
  for (const browser of browsers.values()) await (await browser).close();
});

/** A page that shares nothing with those of other tests, and ends with this one. */
export function chromiumPage(): Promise<Page> {
  return pageOf(whole);
}

/**
 * The same, for tests of a page and not of what a browser does around it: if the machine has it, in Chromium without tabs
 * and windows, which needs half the CPU time.
 */
export function lightPage(): Promise<Page> {
  return pageOf(existsSync(shell) ? shell : whole);
}

async function pageOf(executablePath: string): Promise<Page> {
  const browser = browsers.get(executablePath) ?? chromium.launch({ executablePath, headless: true, args: quiet });
  browsers.set(executablePath, browser);
  const context = await (await browser).newContext();
  afterThisTest(() => context.close());
  return context.newPage();
}

/** A computer of its own, whose lid can be closed: then all processes of its browser stand still. */
export interface Laptop {
  readonly context: BrowserContext;
  closeLid(): void;
  openLid(): void;
}

/** Ends with the test. */
export async function laptop(): Promise<Laptop> {
  const executablePath = existsSync(shell) ? shell : whole;
  const server = await chromium.launchServer({ executablePath, headless: true, args: quiet });
  const { pid } = server.process();
  if (pid === undefined) throw new Error('Chromium has no process.');
  // The browser leads a group of processes of its own.
  const signal = (name: NodeJS.Signals): void => void process.kill(-pid, name);
  const browser = await chromium.connect(server.wsEndpoint());
  afterThisTest(async () => {
    signal('SIGCONT');
    await server.close();
  });
  return {
    context: await browser.newContext(),
    closeLid: () => {
      signal('SIGSTOP');
    },
    openLid: () => {
      signal('SIGCONT');
    },
  };
}
