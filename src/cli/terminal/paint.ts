import type { Variables } from '../../config/environment.js';
import type { AlertLevel } from '../../core/vocabulary.js';
import { inert } from '../../presentation/inert.js';

/** Colours and weights by their numbers in escape sequences. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** A colour, or a weight. */
export type Colour = keyof typeof codes;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** For everything but a terminal. */
export const plain: Paint = (_, text) => text;

const colourful: Paint = (colour, text) => `\u001b[${String(codes[colour])}m${text}\u001b[0m`;

/** What {@link colourful} writes, and line ends. */
const painted = new RegExp(String.raw`(\u001b\[(?:0|${Object.values(codes).join('|')})m|\n)`);

/**
 * Makes a whole answer inert except for its colours and line ends.
 *
 * Why, although each text from elsewhere is made inert already: a hostile server sends texts where numbers are
 * expected, and unknown fields.
 */
export function inertExceptColours(text: string): string {
  return text
    .split(painted)
    .map((part, index) => (index % 2 === 1 ? part : inert(part)))
    .join('');
}

/** Colours on a terminal only, and never with `NO_COLOR` or on a dumb one. @see https://no-color.org */
export function paintFor({ isTerminal, env }: { isTerminal: boolean; env: Variables }): Paint {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' ? colourful : plain;
}

/** Colours if stdout takes them. */
export function stdoutPaint(): Paint {
  return paintFor({ isTerminal: process.stdout.isTTY, env: process.env });
}

/** The size of a terminal that does not report its own, such as one over a serial line. */
export const usualSize = { rows: 24, columns: 80 };

/** The columns of stdout; Infinity if it is no terminal. */
export function stdoutColumns(): number {
  return process.stdout.isTTY ? process.stdout.columns || usualSize.columns : Infinity;
}

/** The colour of each alert level. */
export const levelColours = Object.freeze({
  normal: 'green',
  info: 'cyan',
  warning: 'yellow',
  critical: 'red',
  emergency: 'red',
}) satisfies Readonly<Record<AlertLevel, Colour>>;
