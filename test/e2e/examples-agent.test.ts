import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { answer } from '../../examples/agent-run/agent.js';
import { hasChromium } from '../support/chromium.js';
import { connected, expectReadable, person, picture, timeout, told } from '../support/example-pages.js';
import { startExample } from '../support/example-process.js';

const question = 'Why is the sea salt, and <b>since when</b>?';

/** All that the agent says, from its beginning to its end. */
async function wholeAnswer(): Promise<string> {
  const tokens: string[] = [];
  for await (const token of answer(question, { signal: new AbortController().signal, delayMs: 0 })) tokens.push(token);
  expect(tokens.length).toBeGreaterThan(150);
  return tokens.join('');
}

async function ask(page: Page): Promise<void> {
  await connected(page);
  await page.getByLabel('Question').fill(question);
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.getByText('The run goes on.').waitFor();
}

const answerOn = async (page: Page): Promise<string> => (await page.locator('#answer').textContent()) ?? '';

async function untilWords(page: Page, count: number): Promise<void> {
  await expect.poll(async () => (await answerOn(page)).split(' ').length, { timeout: 20_000 }).toBeGreaterThan(count);
}

async function untilDone(page: Page): Promise<void> {
  await page.getByText('Done.', { exact: true }).waitFor({ timeout: 40_000 });
}

describe.runIf(hasChromium)('a run of the agent', { timeout }, () => {
  it('goes on while its page is reloaded, and every word is there, once', async () => {
    const agent = await startExample('agent-run');
    const page = await (await person(agent)).open();
    await ask(page);
    await untilWords(page, 20);
    expect(await page.locator('#kept').isVisible()).toBe(false);
    await page.reload();
    await page
      .getByText(/The run went on while this page was away\. The server has kept the first \d+ words\./)
      .waitFor();
    const before = (await answerOn(page)).split(' ').length;
    expect(before).toBeGreaterThan(20);
    await untilWords(page, before + 10);
    await picture(page, 'resumed');
    await expectReadable(page);
    await page.reload();
    await untilDone(page);
    expect(await answerOn(page)).toBe(await wholeAnswer());
    expect(await page.locator('#run b').innerText()).toBe(question);

    await page.reload();
    await untilDone(page);
    expect(await answerOn(page)).toBe(await wholeAnswer());
    expect(agent.lines.filter((line) => line.includes('aborted'))).toEqual([]);
  });

  it('goes on in the tab that opened its conversation last', async () => {
    const agent = await startExample('agent-run');
    const somebody = await person(agent);
    const page = await somebody.open();
    await ask(page);
    await untilWords(page, 10);
    const other = await somebody.duplicate(page);
    await told(page, 'This conversation goes on in another tab.');
    const left = await answerOn(page);
    await untilDone(other);
    expect(await answerOn(other)).toBe(await wholeAnswer());
    expect(await answerOn(page)).toBe(left);
    await page.getByRole('button', { name: 'Use it here' }).click();
    await connected(page);
    expect(await answerOn(page)).toBe(await wholeAnswer());
  });

  it('is aborted if its page is gone for good, and its page can read that later', async () => {
    const agent = await startExample('agent-run', { env: { MOORING_RESUME_GRACE: '1s' } });
    const somebody = await person(agent);
    const page = await somebody.open();
    await ask(page);
    await untilWords(page, 10);
    const path = new URL(page.url()).hash;
    await page.close();
    await agent.hears(/^run aborted: its connection was released \(closed\)$/);
    const again = await somebody.open(path);
    await again.getByText('The run was stopped, because its page was away for too long.').waitFor();
    const kept = await answerOn(again);
    expect(kept.split(' ').length).toBeGreaterThan(10);
    expect((await wholeAnswer()).startsWith(kept)).toBe(true);
    await sleep(500);
    expect(await answerOn(again)).toBe(kept);

    // The next one is not spoilt by the last.
    await ask(again);
    expect(await again.locator('#kept').isVisible()).toBe(false);
    await untilDone(again);
    expect(await answerOn(again)).toBe(await wholeAnswer());
  });

  it('is stopped by its page', async () => {
    const agent = await startExample('agent-run');
    const page = await (await person(agent)).open();
    await ask(page);
    await untilWords(page, 5);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('You stopped the run.').waitFor();
    const stopped = await answerOn(page);
    await sleep(500);
    expect(await answerOn(page)).toBe(stopped);
  });

  it('belongs to one browser: another one with the same address has a conversation of its own', async () => {
    const agent = await startExample('agent-run');
    const page = await (await person(agent)).open();
    await ask(page);
    const stranger = await (await person(agent)).open(new URL(page.url()).hash);
    await connected(stranger);
    expect(await stranger.locator('#run').isVisible()).toBe(false);
    await untilWords(page, 10);
    expect(await page.locator('#status').isVisible()).toBe(false);
  });
});
