import { InvalidArgumentError } from 'commander';
import { readDuration, writeDuration } from '../../core/durations.js';

/** Text in single quotes, for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Reads a whole number within these bounds. @param hint follows the error message @throws InvalidArgumentError */
export function wholeNumber(least: number, most: number, hint = ''): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Wanted a whole number from ${String(least)} to ${String(most)}${hint}.`);
  };
}

/** Reads a port; 0 takes any that is free. @throws InvalidArgumentError */
export const portNumber = wholeNumber(0, 65_535);

/** Reads a duration with its unit, such as 90s or 2h. @returns milliseconds @throws InvalidArgumentError */
export function durationMs(text: string): number {
  const read = readDuration(text);
  if ('value' in read) return read.value;
  throw new InvalidArgumentError('Wanted a duration with its unit, such as 90s, 10m or 2h.');
}

/** Reads a duration with its unit within these bounds, in milliseconds. @throws InvalidArgumentError */
export function durationWithin(leastMs: number, mostMs: number): (text: string) => number {
  return (text) => {
    const read = readDuration(text);
    if ('value' in read && read.value >= leastMs && read.value <= mostMs) return read.value;
    const bounds = `from ${writeDuration(leastMs)} to ${writeDuration(mostMs)}`;
    throw new InvalidArgumentError(`Wanted a duration with its unit, ${bounds}, such as 2s.`);
  };
}

const units = Object.freeze({ B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 });

/** Reads the size of a message with its unit, from 1KiB to 1GiB. @returns bytes @throws InvalidArgumentError */
export function messageSize(text: string): number {
  const [, number, unit] = /^(\d{1,10}(?:\.\d{1,3})?) ?(B|KiB|MiB|GiB)$/.exec(text.trim()) ?? [];
  const bytes = number === undefined ? NaN : Math.floor(Number(number) * units[unit as keyof typeof units]);
  if (bytes >= units.KiB && bytes <= units.GiB) return bytes;
  throw new InvalidArgumentError('Wanted a size with its unit, from 1KiB to 1GiB, such as 64KiB or 1MiB.');
}
