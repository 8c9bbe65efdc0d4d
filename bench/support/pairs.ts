import { median, quantile, seeded } from './numbers.js';

/**
 * The two sides that are compared, and two more like the first, for the control. Why two: if the first took part in both
 * comparisons, its process would work twice as much as the others, and the engine optimise it sooner.
 */
export interface Sides<Side> {
  readonly plain: Side;
  readonly moored: Side;
  readonly twins: readonly [Side, Side];
}

/** The cost of a fixed amount of work, for each figure that is compared. */
export type Costs<What extends string> = Readonly<Record<What, number>>;

/** The cost on one side. */
export type Sample<Side, What extends string> = (side: Side) => Promise<Costs<What>>;

/** The costs of both sides, measured in turn. */
export interface Pair<What extends string> {
  readonly base: Costs<What>;
  readonly other: Costs<What>;
}

/** Pairs of the two sides, and control pairs of two processes of the same side. */
export interface Generation<What extends string> {
  readonly pairs: readonly Pair<What>[];
  readonly controlPairs: readonly Pair<What>[];
}

/** The median of the pairs' ratios, with its 95 % confidence interval. */
export interface Ratio {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

/** How far from 1 the control may be. Beyond that, this machine cannot compare the sides at this time. */
export const controlTolerance = 0.015;

export function ratioText({ median: middle, from, to }: Ratio): string {
  return `${middle.toFixed(3)} (${from.toFixed(3)} to ${to.toFixed(3)})`;
}

interface PairOptions<Side, What extends string> {
  readonly pairs: number;
  /** Samples of each side in a pair. With many short ones, other load on the machine affects both sides. */
  readonly slices: number;
  readonly sample: Sample<Side, What>;
  /** Called before each pair with the number of pairs so far. */
  readonly onPair?: (index: number) => void;
}

/** Measures pairs of the two sides, and in between control pairs. */
export async function measurePairs<Side, What extends string>(
  { plain, moored, twins }: Sides<Side>,
  options: PairOptions<Side, What>,
): Promise<Generation<What>> {
  const pairs: Pair<What>[] = [];
  const controlPairs: Pair<What>[] = [];
  for (let index = 0; index < options.pairs; index++) {
    options.onPair?.(index);
    const isControlFirst = index % 2 === 1;
    if (isControlFirst) controlPairs.push(await measurePair(...twins, options));
    pairs.push(await measurePair(plain, moored, options));
    if (!isControlFirst) controlPairs.push(await measurePair(...twins, options));
  }
  return { pairs, controlPairs };
}

/** A B, B A, A B… */
async function measurePair<Side, What extends string>(
  baseSide: Side,
  otherSide: Side,
  { slices, sample }: PairOptions<Side, What>,
): Promise<Pair<What>> {
  const base: Costs<What>[] = [];
  const other: Costs<What>[] = [];
  for (let slice = 0; slice < slices; slice++) {
    if (slice % 2 === 0) base.push(await sample(baseSide));
    other.push(await sample(otherSide));
    if (slice % 2 === 1) base.push(await sample(baseSide));
  }
  return { base: meanOf(base), other: meanOf(other) };
}

/** For each figure that is compared. */
function meanOf<What extends string>(all: readonly Costs<What>[]): Costs<What> {
  const whats = Object.keys(all[0] ?? {}) as What[];
  const mean = (what: What): number => all.reduce((sum, costs) => sum + costs[what], 0) / all.length;
  return Object.fromEntries(whats.map((what) => [what, mean(what)])) as Costs<What>;
}

const resamples = 2_000;

/**
 * The ratio over all generations. The interval is bootstrapped: it draws generations, and pairs of each, since two
 * processes of one program can differ by more than the pairs of one process.
 */
export function ratioOf<What extends string>(
  generations: readonly (readonly Pair<What>[])[],
  ratio: (pair: Pair<What>) => number,
): Ratio {
  const ratios = generations.map((pairs) => pairs.map(ratio));
  const random = seeded(1);
  const draw = <T>(from: readonly T[]): T[] => from.map(() => from[Math.floor(random() * from.length)] as T);
  const medians = Array.from({ length: resamples }, () => median(draw(ratios).flatMap(draw)));
  return { median: median(ratios.flat()), from: quantile(medians, 0.025), to: quantile(medians, 0.975) };
}
