import { strategyNames, type StrategyName, type StrategyTally } from '../../src/core/vocabulary.js';

/** How many managers each strategy released: as given, and 0 for the others. */
export function tallyOf(counts: Partial<StrategyTally> = {}): StrategyTally {
  const zeros = Object.fromEntries(strategyNames.map((name) => [name, 0])) as Record<StrategyName, number>;
  return { ...zeros, ...counts };
}
