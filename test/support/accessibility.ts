import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

export type ColorScheme = 'light' | 'dark';

/**
 * The rules of WCAG 2.2 up to AA that a program can check, contrast of colours among them, and the best practices of axe.
 * In the dark only the colours are others.
 */
const rules: Readonly<Record<ColorScheme, axe.RunOnly>> = {
  light: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  dark: { type: 'rule', values: ['color-contrast'] },
};

/** What axe finds in the page as it is now, one line for each kind of fault. */
export async function faultsOf(page: Page, colorScheme: ColorScheme): Promise<string[]> {
  if (!(await page.evaluate(`'axe' in window`))) await page.evaluate(axe.source);
  let results = await runAxe(page, colorScheme);
  // The text of a dialog counts as covered until the dialog is painted, which a busy machine may do late.
  await expect
    .poll(async () => {
      if (!isContrastKnown(results)) results = await runAxe(page, colorScheme);
      return isContrastKnown(results) ? 'known' : results.incomplete;
    }, patience)
    .toBe('known');
  return results.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join('\n')}`);
}

const patience = { timeout: 20_000, interval: 500 };

const runAxe = (page: Page, colorScheme: ColorScheme): Promise<axe.AxeResults> =>
  page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(rules[colorScheme])} })`);

/** Whether the contrast of anything was looked at. */
const isContrastKnown = ({ passes }: axe.AxeResults): boolean => passes.some(({ id }) => id === 'color-contrast');
