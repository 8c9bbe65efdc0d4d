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
  await page.evaluate(axe.source);
  const { violations, passes, incomplete } = await page.evaluate<axe.AxeResults>(
    `axe.run(document, { runOnly: ${JSON.stringify(rules[colorScheme])} })`,
  );
  // Else the contrast of nothing was looked at: why is in what axe left open.
  if (!passes.some(({ id }) => id === 'color-contrast'))
    expect({ url: page.url(), passes: passes.map(({ id }) => id), incomplete }).toBe('a page whose contrast is known');
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join('\n')}`);
}
