/** Dates and texts from elsewhere, as the page shows them. */

import { timeOf } from '../../src/presentation/figures.js';
import { inert } from '../../src/presentation/inert.js';

const calendar = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `25 Nov 2026, 14:03:07`. */
export function dateOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? '–' : `${calendar.format(at)}, ${timeOf(at)}`;
}

/** Characters of scripts that are written from right to left, such as Hebrew and Arabic. */
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** As {@link shown}, for the middle of a sentence, whose direction it must not change. */
export function shownWithin(text: string): string {
  const visible = shown(text);
  return rightToLeft.test(visible) ? `\u2068${visible}\u2069` : visible;
}

/** Text from elsewhere, with control and direction characters made visible. */
export const shown = inert;
