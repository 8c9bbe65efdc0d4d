const maxSeed = 2 ** 32 - 1;

/** The first and the last seed that `MOORING_SEEDS` asks for: `N` is 1 to N, `A..B` is A to B. */
export function seedsOf(text: string): [first: number, last: number] {
  const match = /^(?:(\d+)\.\.)?(\d+)$/.exec(text);
  const [first, last] = [Number(match?.[1] ?? 1), Number(match?.[2] ?? NaN)];
  if (first <= last && last <= maxSeed) return [first, last];
  throw new Error(
    `MOORING_SEEDS: got "${text}", wanted whole numbers up to ${maxSeed}: N of at least 1, or A..B with A at most B`,
  );
}
