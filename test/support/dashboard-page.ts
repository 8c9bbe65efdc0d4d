import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { AdminServer } from './admin-server.js';
import { lightPage } from './chromium.js';
import { afterThisTest } from './setup.js';

/** Tokens of servers that want one. */
export const token = 'a-token-for-operators';
export const reader = 'a-token-for-lookers-on';
export const access = [
  { token, scope: 'act' },
  { token: reader, scope: 'read' },
] as const;

/** An id nobody in their right mind has. */
export const hostile = '<img src=x onerror=alert(1)>/../\u202Ebidi';

/** How a page is visited. */
export interface Visit {
  readonly hash?: string;
  readonly size?: { readonly width: number; readonly height: number };
  /** What its console may say. @default nothing */
  readonly expected?: RegExp;
}

/** Tells the console of what the policy forbids. It is text, as this file does not know the DOM. */
const watchPolicy = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('forbidden by policy: ' + event.violatedDirective + ' ' + event.blockedURI))`;

/** A page that must say nothing on its console, and ask nobody else. */
export async function visit(server: Pick<AdminServer, 'url'>, options: Visit = {}): Promise<Page> {
  const { hash = '#/', size = { width: 1180, height: 900 }, expected = /^$/ } = options;
  const page = await lightPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('dialog', (dialog) => troubles.push(`a dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !expected.test(message.text())) troubles.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400 && expected.source === '^$') troubles.push(`${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) troubles.push(`asked ${request.url()}`);
  });
  afterThisTest(() => {
    expect(troubles).toEqual([]);
  });
  page.setDefaultTimeout(10_000);
  await page.setViewportSize(size);
  await page.addInitScript(watchPolicy);
  await page.goto(server.url + hash);
  return page;
}

/** How far the page reaches beyond the window. */
export const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;

/** What a server answers whom it refuses is told by the browser itself. */
export const refusedOnce = /status of 40[13]/;

/** A small town: most with a few connections, some near their limit, one at it. */
export function settle(server: AdminServer): void {
  for (let i = 1; i <= 115; i++) server.open(`user-${i}`, 1 + (i % 5));
  for (const [i, name] of ['ada', 'edsger', 'barbara', 'alan', 'linus', 'margaret'].entries())
    server.open(name, 9 + i, 1);
  server.open('grace', 19, 4);
}
