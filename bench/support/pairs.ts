import { median, quantile, seeded } from './numbers.js';

/** What is compared: the two sides, and a second process of the first, for the control. */
export interface Sides<Side> {
  readonly plain: Side;
  readonly moored: Side;
  readonly twin: Side;
}

/** What a fixed amount of work cost on one side. */
export type Sample<Side> = (side: Side) => Promise<number>;

/** What both sides cost, measured in turn. */
export interface Pair {
  readonly base: number;
  readonly other: number;
}

/** Pairs with the difference in them, and pairs with none, of the same processes. */
export interface Generation {
  readonly pairs: readonly Pair[];
  readonly controlPairs: readonly Pair[];
}

/** The median of the pairs' ratios, and between what the true one lies with 95 % confidence. */
export interface Ratio {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

/** How far from 1 the control may be: beyond, this machine cannot tell the sides apart now. */
export const controlTolerance = 0.015;

export function ratioText({ median: middle, from, to }: Ratio): string {
  return `${middle.toFixed(3)} (${from.toFixed(3)} to ${to.toFixed(3)})`;
}

interface PairOptions<Side> {
  readonly pairs: number;
  /** Samples of each side in a pair. Many short ones: then what comes and goes on the machine meets both sides. */
  readonly slices: number;
  readonly sample: Sample<Side>;
}

/** Measures pairs, and in between those of the control: two sides that are the same. */
export async function measurePairs<Side>(
  { plain, moored, twin }: Sides<Side>,
  options: PairOptions<Side>,
): Promise<Generation> {
  const pairs: Pair[] = [];
  const controlPairs: Pair[] = [];
  for (let index = 0; index < options.pairs; index++) {
    const isControlFirst = index % 2 === 1;
    if (isControlFirst) controlPairs.push(await measurePair(plain, twin, options));
    pairs.push(await measurePair(plain, moored, options));
    if (!isControlFirst) controlPairs.push(await measurePair(plain, twin, options));
  }
  return { pairs, controlPairs };
}

/** A B, B A, A B… */
async function measurePair<Side>(
  baseSide: Side,
  otherSide: Side,
  { slices, sample }: PairOptions<Side>,
): Promise<Pair> {
  let base = 0;
  let other = 0;
  for (let slice = 0; slice < slices; slice++) {
    if (slice % 2 === 0) base += await sample(baseSide);
    other += await sample(otherSide);
    if (slice % 2 === 1) base += await sample(baseSide);
  }
  return { base: base / slices, other: other / slices };
}

const resamples = 2_000;

/**
 * The ratio over all generations. The interval is bootstrapped: generations are drawn, and pairs of each, since two
 * processes of the same program can differ by more than their pairs among each other.
 */
export function ratioOf(generations: readonly (readonly Pair[])[], ratio: (pair: Pair) => number): Ratio {
  const ratios = generations.map((pairs) => pairs.map(ratio));
  const random = seeded(1);
  const draw = <T>(from: readonly T[]): T[] => from.map(() => from[Math.floor(random() * from.length)] as T);
  const medians = Array.from({ length: resamples }, () => median(draw(ratios).flatMap(draw)));
  return { median: median(ratios.flat()), from: quantile(medians, 0.025), to: quantile(medians, 0.975) };
}
