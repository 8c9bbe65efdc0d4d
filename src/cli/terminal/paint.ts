import type { AlertLevel } from '../../core/vocabulary.js';
import { inert } from '../../presentation/inert.js';

/** The colours there are, as terminals number them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** A colour, or a weight. */
export type Colour = keyof typeof codes;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** For whatever is no terminal. */
export const plain: Paint = (_, text) => text;

const colourful: Paint = (colour, text) => `\u001b[${String(codes[colour])}m${text}\u001b[0m`;

/** What {@link colourful} writes, and nothing else that a terminal would obey. */
const painted = new RegExp(String.raw`(\u001b\[(?:0|${Object.values(codes).join('|')})m|\n)`);

/**
 * A whole answer, colours and line ends apart made inert.
 *
 * Why, where each text from elsewhere is made so: a hostile server sends texts where numbers are expected, and fields that
 * nobody knows.
 */
export function inertExceptColours(text: string): string {
  return text
    .split(painted)
    .map((part, index) => (index % 2 === 1 ? part : inert(part)))
    .join('');
}

/** What says whether colours are welcome. */
interface Surroundings {
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colours on a terminal only, and never with `NO_COLOR` or on a dumb one. @see https://no-color.org */
export function paintFor({ isTerminal, env }: Surroundings): Paint {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' ? colourful : plain;
}

/** The colour of each alert level. */
export const levelColours = Object.freeze({
  normal: 'green',
  info: 'cyan',
  warning: 'yellow',
  critical: 'red',
  emergency: 'red',
}) satisfies Readonly<Record<AlertLevel, Colour>>;
