import { InvalidArgumentError } from 'commander';

const units = Object.freeze({ B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 });

/** The least and the most that {@link messageSize} takes, in bytes. */
const [leastBytes, mostBytes] = [units.KiB, units.GiB];

/** The longest message that is taken unless told otherwise, in bytes: 1 MiB. */
export const defaultMaxPayload = units.MiB;

/** Reads the size of a message with its unit, e.g. `64KiB`. @returns bytes. @throws InvalidArgumentError */
export function messageSize(text: string): number {
  const [, number, unit] = /^(\d{1,10}(?:\.\d{1,3})?) ?(B|KiB|MiB|GiB)$/.exec(text.trim()) ?? [];
  const bytes = number === undefined ? NaN : Math.floor(Number(number) * units[unit as keyof typeof units]);
  if (bytes >= leastBytes && bytes <= mostBytes) return bytes;
  throw new InvalidArgumentError('Wanted a size with its unit, from 1KiB to 1GiB, such as 64KiB or 1MiB.');
}
