import type { AlertLevel } from '../core/pressure/level.js';

/** The colours there are, as terminals number them. */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** A colour, or a weight. */
export type Colour = keyof typeof codes;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** For whatever is no terminal. */
export const plain: Paint = (_, text) => text;

const colourful: Paint = (colour, text) => `\u001b[${String(codes[colour])}m${text}\u001b[0m`;

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
