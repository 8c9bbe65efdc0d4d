import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { AccessFunction } from '../../src/admin/admin.js';
import { describe, expect, it } from 'vitest';
import { startAdmin } from '../support/admin-server.js';
import { hasChromium } from '../support/chromium.js';
import { pretendQuarter } from '../support/pretended-quarter.js';
import { relayTo } from '../support/relay.js';
import { access, hostile, overflow, reader, refusedOnce, settle, token, visit } from '../support/dashboard-page.js';

/** As it must be shown: with what nobody can see made visible. */
const shownHostile = hostile.replace('\u202E', String.raw`\u202e`);

/** With `MOORING_PICTURES=1` the pictures of the guide are made anew. */
const hasPictures = process.env['MOORING_PICTURES'] === '1';

async function picture(page: Page, name: string, { fullPage = false } = {}): Promise<void> {
  if (!hasPictures) return;
  await page.screenshot({ fullPage, path: join(import.meta.dirname, `../../docs/images/dashboard-${name}.png`) });
}

async function rowsOf(page: Page): Promise<string[]> {
  await page.locator('table.users tbody tr').first().waitFor();
  return page.locator('table.users tbody th').allInnerTexts();
}

/** On the page of a user. The button opens a question, since the action may release managers. */
async function checkAndAct(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Check and act …' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Check and act' }).click();
}

describe('what is served', () => {
  it('has a strict policy, and no place for anything else', async () => {
    const { url } = await startAdmin();
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(await page.text()).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=|https?:/);
  });

  it('is kept by browsers: for good where the name has a hash, else until it changes', async () => {
    const { url } = await startAdmin();
    const page = await fetch(url);
    const again = await fetch(url, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
    const script = / src="\.\/(assets\/[^"]+\.js)"/.exec(await page.text())?.[1] ?? '';
    const served = await fetch(url + script);
    expect(served.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(served.headers.get('content-encoding')).toBe('gzip');
    const plain = await fetch(url + script, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBe(null);
    expect(await plain.text()).toBe(await served.text());
  });

  it.each(['..%2fadmin%2fadmin.js', 'assets/..%2f..%2fadmin/admin.js', 'assets', 'assets/', 'index.html', '%00'])(
    'is not found at /%s',
    async (path) => {
      const { url } = await startAdmin();
      expect((await fetch(url + path)).status).toBe(404);
    },
  );
});

describe.runIf(hasChromium)('signing in', () => {
  it('is asked for without asking for anything else first, which would be a refusal', async () => {
    const server = await startAdmin({ access });
    const refusals: string[] = [];
    server.mooring.on('admin.refused', ({ reason }) => refusals.push(reason));
    for (const hash of ['#/', '#/users', '#/users/ada', '#/events']) {
      const page = await visit(server, { hash });
      await page.getByLabel('Token').waitFor();
      expect(await page.getByRole('navigation').count()).toBe(0);
    }
    expect(refusals).toEqual([]);
  });

  it('with what no header can carry is told so, and asks nobody', async () => {
    const page = await visit(await startAdmin({ access }));
    await page.getByLabel('Token').fill('ключ');
    await page.keyboard.press('Enter');
    await page.getByText('This cannot be a token: it has characters that no header can carry.').waitFor();
    expect(await page.getByText('cannot be reached').count()).toBe(0);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  it('is asked for by the server, says what is wrong, and lasts until signing out', async () => {
    const page = await visit(await startAdmin({ access }), { expected: refusedOnce });
    await page.getByLabel('Token').fill('not-the-token-at-all');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The server does not know this token.').waitFor();
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(token);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  it("of an application's own login: it says who is shut out and why, links to the login, and goes on after it", async () => {
    let who: 'nobody' | 'eve' | 'olga' = 'nobody';
    const access: AccessFunction = () =>
      who === 'nobody' ? null : { name: who, scope: who === 'olga' ? 'act' : 'none' };
    const server = await startAdmin({ access, loginUrl: '/login' });
    server.open('ada', 2);
    const page = await visit(server, { hash: '#/users/ada', expected: refusedOnce });
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    expect(await page.getByRole('link', { name: 'Sign in to the application' }).getAttribute('href')).toBe('/login');
    who = 'eve';
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'No access' }).waitFor();
    await page.getByText('eve may not use this API.').waitFor();
    who = 'olga';
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('2 managers').waitFor();
    who = 'nobody';
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    expect(await page.getByRole('button', { name: 'Release all …' }).count()).toBe(0);
  });

  it('is not asked for where the server wants no token', async () => {
    const page = await visit(await startAdmin());
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
  });

  it('as somebody who may look only: there is nothing to act with, and it is said why', async () => {
    const server = await startAdmin({ access });
    server.open('ada', 2);
    const page = await visit(server, { hash: '#/users/ada' });
    await page.getByLabel('Token').fill(reader);
    await page.keyboard.press('Enter');
    await page.getByText('Your token may read, and not act.').waitFor();
    await page.getByText('2 managers').waitFor();
    expect(await page.locator('main button').count()).toBe(0);
  });
});

describe.runIf(hasChromium)('the overview', () => {
  it('shows figures, charts, levels and verdicts', async () => {
    const server = await startAdmin();
    settle(server);
    for (const transport of server.open('katherine', 8).slice(0, 5)) transport.vanish();
    server.open('dennis', 4)[1]?.fail();
    await server.mooring.emergencyCleanup('margaret');
    const page = await visit(server, { size: { width: 1280, height: 1000 } });
    await pretendQuarter(page, server.mooring.managerCount);
    await page.reload();
    await page.getByText('Success metrics').waitFor();
    await page.getByRole('img', { name: /Longest emergency.*Latest/ }).waitFor();
    expect(await page.locator('canvas').count()).toBe(4);
    expect(await page.locator('.figure', { hasText: 'Managers' }).innerText()).toContain(
      String(server.mooring.managerCount),
    );
    expect(await page.locator('.tally a', { hasText: 'emergency' }).getAttribute('aria-label')).toBe(
      'emergency: 1 user',
    );
    await page.getByText('7. False kills').waitFor();
    await picture(page, 'overview', { fullPage: true });
    expect(await page.evaluate(overflow)).toBe(0);
  });

  it('says when the server cannot be reached, and since when', async () => {
    const server = await startAdmin();
    const page = await visit(server, { expected: /ERR_CONNECTION_REFUSED|ERR_EMPTY|ERR_CONNECTION_RESET/ });
    await page.getByText('Success metrics').waitFor();
    await server.vanish();
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor();
    expect(await page.getByRole('alert').innerText()).toMatch(/as of its last answer, .*\d\d:\d\d:\d\d/);
  });

  it('says when the server is draining', async () => {
    const server = await startAdmin();
    const page = await visit(server);
    await page.getByText('Success metrics').waitFor();
    await server.mooring.stop();
    await page.getByText('The server is draining.').waitFor();
  });
});

describe.runIf(hasChromium)('users', () => {
  it('come fifty at a time, searched, sorted and filtered by the server', async () => {
    const server = await startAdmin();
    settle(server);
    const page = await visit(server, { hash: '#/users', size: { width: 1180, height: 760 } });
    expect(await rowsOf(page)).toHaveLength(50);
    expect((await rowsOf(page))[0]).toBe('grace');
    await picture(page, 'users');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Page 2 of 3').waitFor();
    await page.getByRole('button', { name: 'User' }).click();
    await page.locator('th[aria-sort=ascending]', { hasText: 'User' }).waitFor();
    await page.getByText('Page 1 of 3').waitFor();
    await page.getByLabel('Search').fill('USER-11');
    await page.getByText('7 users', { exact: true }).waitFor();
    expect((await rowsOf(page))[0]).toBe('user-11');
    await page.getByLabel('Search').fill('');
    await page.getByLabel('Alert level').selectOption('emergency');
    await page.getByText('1 user', { exact: true }).waitFor();
    expect(await rowsOf(page)).toEqual(['grace']);
    await page.getByRole('link', { name: 'grace' }).click();
    await page.getByRole('heading', { name: 'grace' }).waitFor();
    await page.goBack();
    expect(await rowsOf(page)).toEqual(['grace']);
  });
});

/** What a test of pages has on them: users whose order nothing changes. */
async function visitPages(users: number, query = 'sort=id', expected?: RegExp) {
  const server = await startAdmin();
  const connections = Array.from({ length: users }, (_, i) => server.open(`user-${1_000 + i}`, 1)).flat();
  const page = await visit(server, { hash: `#/users?${query}`, ...(expected && { expected }) });
  await rowsOf(page);
  const next = page.getByRole('button', { name: 'Next' });
  return { page, connections, next, previous: page.getByRole('button', { name: 'Previous' }) };
}

describe.runIf(hasChromium)('what is typed', () => {
  it.each([250, 255])('arrives whole, with %i ms between the keys', async (delay) => {
    const server = await startAdmin();
    server.open('user-1042', 1);
    const page = await visit(server, { hash: '#/users?sort=id' });
    await page.getByLabel('Search').pressSequentially('user-1042', { delay });
    await expect.poll(() => page.url()).toContain('search=user-1042');
    expect(await page.getByLabel('Search').inputValue()).toBe('user-1042');
    await page.evaluate(`location.hash = '#/users?search=user'`);
    await expect.poll(() => page.getByLabel('Search').inputValue()).toBe('user');
    await page.goBack();
    await expect.poll(() => page.getByLabel('Search').inputValue()).toBe('user-1042');
  });

  it('leads nobody back who has gone on before it was said', async () => {
    const server = await startAdmin();
    server.open('grace', 1);
    const page = await visit(server, { hash: '#/users' });
    const link = page.getByRole('link', { name: 'grace' });
    await link.waitFor();
    await page.getByLabel('Search').fill('g');
    await page.evaluate(`new Promise((resolve) => setTimeout(() => {
      for (const until = performance.now() + 300; performance.now() < until;); // the pause is over, and nothing has run
      location.hash = '#/users/grace';
      resolve();
    }))`);
    await page.getByRole('heading', { name: 'grace' }).waitFor();
    await page.waitForTimeout(500);
    expect(page.url()).toMatch(/#\/users\/grace$/);
  });

  it('arrives whole among the filters of events', async () => {
    const page = await visit(await startAdmin(), { hash: '#/events' });
    await page.getByLabel('User').pressSequentially('ada-42', { delay: 405 });
    await expect.poll(() => page.url()).toContain('user=ada-42');
    expect(await page.getByLabel('User').inputValue()).toBe('ada-42');
  });
});

describe.runIf(hasChromium)('pages of users', () => {
  it('begin at their top', async () => {
    const { page, next } = await visitPages(120);
    await next.click();
    await page.getByText('Page 2 of 3').waitFor();
    await expect.poll(() => page.evaluate('scrollY')).toBe(0);
  });

  it('are turned one at a time, however fast one clicks', async () => {
    const { page, next } = await visitPages(170);
    let answer = (): void => undefined;
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/api/v1/users?*cursor=*', async (route) => {
      await mayAnswer;
      await route.continue();
    });
    await next.dblclick();
    // The page draws after the click has been answered.
    await expect.poll(() => next.getAttribute('aria-disabled')).toBe('true');
    expect([(await rowsOf(page))[0], await page.getByText(/^Page/).innerText()]).toEqual(['user-1000', 'Page 1 of 4']);
    answer();
    await page.getByText('Page 2 of 4').waitFor();
    expect((await rowsOf(page))[0]).toBe('user-1050');
    await next.click();
    await page.getByText('Page 3 of 4').waitFor();
    expect((await rowsOf(page))[0]).toBe('user-1100');
  });

  it('are in the address: found again on the way back and after a reload', async () => {
    const { page, next, previous } = await visitPages(120);
    await next.click();
    await page.getByText('Page 2 of 3').waitFor();
    await page.getByRole('link', { name: 'user-1060' }).click();
    await page.getByRole('heading', { name: 'user-1060' }).waitFor();
    await page.goBack();
    await page.getByText('Page 2 of 3').waitFor();
    await page.reload();
    await page.getByText('Page 2 of 3').waitFor();
    expect((await rowsOf(page))[0]).toBe('user-1050');
    await previous.click();
    await page.getByText('Page 1 of 3').waitFor();
    await page.goBack();
    await page.getByText('Page 2 of 3').waitFor();
    await page.getByLabel('Search').fill('user-100');
    await page.getByText('Page 1 of 1').waitFor();
  });

  it('keep the focus where there is no further one', async () => {
    const { page, next, previous } = await visitPages(60);
    const focused = (): Promise<unknown> => page.evaluate('document.activeElement.innerText');
    await next.press('Enter');
    await page.getByText('Page 2 of 2').waitFor();
    expect([await focused(), await next.getAttribute('aria-disabled')]).toEqual(['Next', 'true']);
    await next.press('Enter');
    await previous.press('Enter');
    await page.getByText('Page 1 of 2').waitFor();
    expect([await focused(), await previous.getAttribute('aria-disabled')]).toEqual(['Previous', 'true']);
  });

  it('lead back to the first when those on them have gone', async () => {
    const { page, connections, next } = await visitPages(110);
    await next.click();
    await page.getByText('Page 2 of 3').waitFor();
    await next.click();
    await page.getByText('Page 3 of 3').waitFor();
    for (const transport of connections.slice(30)) transport.vanish();
    await page.getByText('Page 1 of 1').waitFor();
    expect(await rowsOf(page)).toHaveLength(30);
    expect(page.url()).not.toContain('after');
  });

  it('lead to the first where the address has one of another list', async () => {
    const { page } = await visitPages(60, 'sort=id&after=nonsense', /status of 400/);
    await page.getByText('Page 1 of 2').waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });
});

describe.runIf(hasChromium)('a user', () => {
  it('is looked at, tried and cleaned up, and the page says who went and why', async () => {
    const server = await startAdmin();
    server.open('grace', 9, 3);
    const page = await visit(server, { hash: '#/users/grace', size: { width: 1180, height: 1160 } });
    await expect.poll(() => page.locator('table.managers tbody tr').count()).toBe(9);
    await page.getByRole('button', { name: 'Dry run', exact: true }).click();
    await page.getByText('3 managers would be released, 6 left').waitFor();
    expect(await page.locator('.chosen').innerText()).toMatch(
      /thread_1 – a suspect: no answer when asked, silent for /,
    );
    expect(server.mooring.managerCountOf('grace')).toBe(9);
    await expect.poll(() => page.locator('.suspects li').count()).toBe(3);
    expect(await page.locator('.suspects').innerText()).toMatch(
      /thread_1 is a suspect: has not answered for .*; gives its place to a newcomer, else the heartbeat ends it in at most .*/,
    );
    expect(await page.locator('table.managers .badge', { hasText: 'suspect' }).count()).toBe(3);
    await picture(page, 'user', { fullPage: true });
    await page.getByRole('button', { name: 'Clean up …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Clean up …' }).click();
    await page.keyboard.press('Escape');
    expect(server.mooring.managerCountOf('grace')).toBe(9);
    await page.getByRole('button', { name: 'Clean up …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Clean up' }).click();
    await page.getByText('3 managers released, 6 left').waitFor();
    await page
      .getByText(
        /thread_1 was released as a suspect: no answer when asked, silent for .*, found by a requested cleanup; it had lasted /,
      )
      .waitFor();
  });

  it('is checked, cleaned up in an emergency, and loses one manager', async () => {
    const server = await startAdmin();
    server.open('grace', 5, 1);
    const page = await visit(server, { hash: '#/users/grace' });
    await checkAndAct(page);
    await page.getByText('Check and act: 5 of 20').waitFor();
    await page.getByRole('button', { name: 'Emergency dry run' }).click();
    await page.getByText('1 manager would be released, 4 left').waitFor();
    await page.getByRole('button', { name: 'Emergency cleanup …' }).click();
    await page.getByRole('button', { name: 'Clean up now' }).click();
    await page.getByText('1 manager released, 4 left').waitFor();
    await page.getByRole('button', { name: 'Release thread_5' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await page.getByText('Release: thread_5 is released.').waitFor();
    expect(server.mooring.managerCountOf('grace')).toBe(3);
  });

  it('is tried for an emergency with those it would evict, and Enter does no more than that', async () => {
    const server = await startAdmin();
    server.open('grace', 5, 1);
    const page = await visit(server, { hash: '#/users/grace' });
    const dialog = page.getByRole('dialog');
    const bodies: unknown[] = [];
    page.on('request', (request) => request.method() === 'POST' && bodies.push(request.postDataJSON()));
    await page.getByRole('button', { name: 'Emergency cleanup …' }).click();
    await dialog.getByLabel('Also evict').fill('3');
    await page.keyboard.press('Enter');
    await page.getByText('Emergency dry run, evicting up to 3: 1 manager would be released, 4 left').waitFor();
    await page.getByRole('button', { name: 'Emergency cleanup …' }).click();
    expect(await dialog.getByLabel('Also evict').inputValue()).toBe('3');
    await dialog.getByLabel('Also evict').fill('2');
    await dialog.getByRole('button', { name: 'Dry run' }).click();
    await page.getByText('Emergency dry run, evicting up to 2: 1 manager would').waitFor();
    expect(server.mooring.managerCountOf('grace')).toBe(5);
    await page.getByRole('button', { name: 'Emergency cleanup …' }).click();
    await dialog.getByRole('button', { name: 'Clean up now' }).click();
    await page.getByText('Emergency cleanup: 1 manager released, 4 left').waitFor();
    expect(bodies).toEqual([{ evict: 3, dryRun: true }, { evict: 2, dryRun: true }, { evict: 2 }]);
    await page.getByRole('button', { name: 'Emergency cleanup …' }).click();
    expect(await dialog.getByLabel('Also evict').inputValue()).toBe('0');
  });

  it('has managers of which it is said what engaged and held mean', async () => {
    const server = await startAdmin();
    server.open('ada', 2);
    server.mooring.managersOf('ada')[0]?.hold();
    const page = await visit(server, { hash: '#/users/ada' });
    await expect.poll(() => page.locator('td[data-label="In use"]').allInnerTexts()).toEqual(['held', 'engaged']);
    const words = await page.getByText('Not to be evicted').innerText();
    expect(words).toMatch(
      / held, the application holds it .*; engaged, heard from within the eviction floor .*streamed to\.$/,
    );
  });

  it('may be acted upon as soon as the server says again who asks', async () => {
    const server = await startAdmin();
    server.open('ada', 1);
    const page = await visit(server, { hash: '#/users', expected: /status of 503/ });
    let isDown = true;
    await page.route('**/api/v1/me', (route) =>
      isDown ? route.fulfill({ status: 503, json: { detail: 'The proxy has nobody to ask.' } }) : route.continue(),
    );
    await page.getByRole('link', { name: 'ada' }).click();
    await page.getByRole('alert').filter({ hasText: 'The proxy has nobody to ask.' }).waitFor();
    isDown = false;
    await page.getByRole('button', { name: 'Check and act …' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('is released from by one action at a time: meanwhile every button is out of order', async () => {
    const server = await startAdmin();
    const connections = server.open('ada', 2);
    const page = await visit(server, { hash: '#/users/ada', expected: /status of 404/ });
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await page.route('**/emergency-cleanup', async (route) => {
      await held;
      await route.continue();
    });
    const release = page.getByRole('button', { name: 'Release thread_1' });
    await page.getByRole('button', { name: 'Emergency dry run' }).click();
    await page.getByText('Emergency dry run is running').waitFor();
    expect(await release.getAttribute('aria-disabled')).toBe('true');
    await release.dispatchEvent('click');
    expect(await page.getByRole('dialog').count()).toBe(0);
    goOn();
    await page.getByText('0 managers would be released').waitFor();
    await release.click();
    for (const transport of connections) transport.vanish();
    await page.getByText('This user holds nothing now.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await page.getByText('Release: thread_1 was gone already.').waitFor();
  });

  it('is asked about evictions anew after a cancel, and with the same number after a failure', async () => {
    const server = await startAdmin();
    server.open('ada', 2);
    const page = await visit(server, { hash: '#/users/ada', expected: /ERR_FAILED/ });
    const dialog = page.getByRole('dialog');
    const evict = dialog.getByLabel('Also evict');
    const open = page.getByRole('button', { name: 'Emergency cleanup …' });
    for (const leave of [
      () => page.keyboard.press('Escape'),
      () => dialog.getByRole('button', { name: 'Cancel' }).click(),
    ]) {
      await open.click();
      await evict.fill('5');
      await leave();
      await open.click();
      expect(await evict.inputValue()).toBe('0');
      await page.keyboard.press('Escape');
    }
    await page.route('**/emergency-cleanup', (route) => route.abort());
    await open.click();
    await evict.fill('5');
    await dialog.getByRole('button', { name: 'Clean up now' }).click();
    await page.getByText('Emergency cleanup failed.').waitFor();
    await open.click();
    expect(await evict.inputValue()).toBe('5');
  });

  it('of before a restart of the server is told of calmly, with what was known', async () => {
    const before = await startAdmin();
    before.open('ada', 2);
    const relay = await relayTo(Number(new URL(before.url).port));
    const url = `http://127.0.0.1:${String(relay.port)}/`;
    const page = await visit({ url }, { hash: '#/users/ada', expected: /ERR_|status of 404/ });
    await page.getByText('thread_2 was admitted').waitFor();
    const after = await startAdmin();
    relay.cut(Number(new URL(after.url).port));
    await page.getByText('The server has no journal of this user any longer.').waitFor();
    expect(await page.getByText('thread_2 was admitted').count()).toBe(1);
    await page.reload();
    await page.getByText('This user holds no manager').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('with an id that looks like HTML and terminal escapes is shown as text', async () => {
    const server = await startAdmin();
    const ids = [hostile, '..', '=a', '%2e', 'x'.repeat(250), '?a#b&c'];
    for (const id of ids) server.open(id, 1);
    const page = await visit(server, { hash: '#/users?sort=id' });
    for (const id of ids) {
      const text = id === hostile ? shownHostile : id;
      await page.getByRole('link', { name: text, exact: true }).click();
      await page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();
      await checkAndAct(page);
      await page.getByText('Check and act: 1 of').waitFor();
      expect(await page.evaluate(overflow)).toBe(0);
      await page.goBack();
    }
    expect(await page.locator('main img[src]').count()).toBe(0);
  });

  it('has threads that look like HTML: text in the table, the journal, questions, outcomes, events and the title', async () => {
    const server = await startAdmin();
    const thread = 'thread_<img src=x onerror=alert(1)><b>\u200B';
    const shownThread = thread.replace('\u200B', String.raw`\u200b`);
    server.openThread(hostile, thread).fallSilent();
    const page = await visit(server, { hash: `#/users/${encodeURIComponent(hostile)}` });
    await page.getByRole('rowheader', { name: shownThread }).waitFor();
    expect(await page.title()).toBe(`${shownHostile} · User · Mooring`);
    await page.getByText(`${shownThread} was admitted as number 1.`).waitFor();
    await page.getByRole('button', { name: 'Dry run', exact: true }).click();
    await page
      .getByRole('listitem')
      .filter({ hasText: `${shownThread} – a suspect: no answer when asked` })
      .waitFor();
    await page.getByRole('button', { name: `Release ${shownThread}` }).click();
    await page.getByRole('dialog').getByText(shownThread).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Watch events' }).click();
    await page.getByText('live', { exact: true }).waitFor();
    server.openThread(hostile, `${thread}2`);
    await page.getByText(`${shownHostile} ${shownThread}2 was admitted`).waitFor();
    expect(await page.getByLabel('User').inputValue()).toBe(hostile);
    await page.goto(`${server.url}#/users?search=${encodeURIComponent(hostile)}`);
    await page.getByRole('link', { name: shownHostile }).waitFor();
    expect(await page.locator('img, iframe, script:not([src]), main b b').count()).toBe(0);
  });

  it('has a journal in which escapes and markup of errors are text', async () => {
    const server = await startAdmin();
    server.open('ada', 1);
    const who = { userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1' };
    server.mooring.events.emit('hook.failed', { ...who, error: '\u001b[2J<img src=x onerror=alert(1)>' });
    const page = await visit(server, { hash: '#/users/ada' });
    await page.getByText(String.raw`thread_1: \u001b[2J<img src=x onerror=alert(1)>.`).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
  });

  it('nobody knows is told of, with what to try', async () => {
    const page = await visit(await startAdmin(), { hash: '#/users/nobody', expected: /status of 404/ });
    await page.getByText('This user holds no manager').first().waitFor();
  });
});

describe.runIf(hasChromium)('events', () => {
  it('appear as they happen, by user and type, and wait while paused', async () => {
    const server = await startAdmin();
    const page = await visit(server, { hash: '#/events', size: { width: 1180, height: 760 } });
    await page.getByText('live', { exact: true }).waitFor();
    const rows = page.locator('.events li');
    settle(server);
    await server.mooring.emergencyCleanup('grace');
    await page.getByText(/grace thread_1 was released as a suspect/).waitFor();
    await picture(page, 'events');
    server.open('a-crowd', 20);
    for (let i = 0; i < 600; i++) server.mooring.events.emit('server.draining', { managers: i });
    await page.getByText('599 managers to close').waitFor();
    expect(await rows.count()).toBe(500);

    await page.getByLabel('User').fill('zoe');
    await page.waitForURL(/user=zoe/);
    await expect.poll(() => rows.count()).toBe(0);
    await page.getByText('live', { exact: true }).waitFor();
    server.open('bob', 1);
    const [first] = server.open('zoe', 1);
    await page.getByText('thread_1 was admitted').waitFor();
    expect(await rows.allInnerTexts()).not.toContainEqual(expect.stringContaining('bob'));

    await page.getByRole('button', { name: 'Pause' }).click();
    const before = await rows.count();
    first?.vanish();
    await page.getByText(/paused, \d new events?/).waitFor();
    expect(await rows.count()).toBe(before);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('thread_1 closed by itself').waitFor();

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('summary').click();
    await page.getByLabel('level.changed').check();
    await page.waitForURL(/types=level.changed/);
    await page.getByText('live', { exact: true }).waitFor();
    server.open('zoe', 20);
    await page.getByText(/paused, \d new events?/).waitFor();
    expect(await rows.count()).toBe(0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('Usage rose to').first().waitFor();
  }, 60_000);
});

describe.runIf(hasChromium)('how it looks', () => {
  it('is dark where the system is, and as the switch says, also next time', async () => {
    const server = await startAdmin();
    settle(server);
    const page = await visit(server, { size: { width: 1180, height: 1000 } });
    const shown = (): Promise<unknown> => page.evaluate('document.documentElement.dataset.theme');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(shown).toBe('dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(shown).toBe('light');
    await pretendQuarter(page, server.mooring.managerCount);
    await page.getByRole('switch', { name: 'Dark' }).click();
    expect(await shown()).toBe('dark');
    await page.reload();
    expect(await shown()).toBe('dark');
    await page.getByText('7. False kills').waitFor();
    await picture(page, 'dark');
  });

  it('fits a phone', async () => {
    const server = await startAdmin();
    settle(server);
    server.open(hostile, 3);
    const page = await visit(server, { hash: '#/users', size: { width: 375, height: 834 } });
    await page.getByRole('link', { name: 'grace' }).waitFor();
    await picture(page, 'phone');
    for (const hash of ['#/', '#/users', '#/users/grace', `#/users/${encodeURIComponent(hostile)}`, '#/events']) {
      await page.goto(server.url + hash);
      await page.locator('.card').first().waitFor();
      expect([hash, await page.evaluate(overflow)]).toEqual([hash, 0]);
    }
  });

  it('can be used with the keyboard alone', async () => {
    const server = await startAdmin();
    settle(server);
    const page = await visit(server, { hash: '#/users' });
    await rowsOf(page);
    const focused = (): Promise<unknown> => page.evaluate('document.activeElement.innerText.trim()');
    for (let i = 0; i < 40 && (await focused()) !== 'grace'; i++) await page.keyboard.press('Tab');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'grace' }).waitFor();
  });
});
