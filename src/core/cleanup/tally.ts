import { strategyNames, type StrategyName, type StrategyTally } from '../vocabulary.js';

/** What a cleanup has released so far. It survives passes that throw. */
export class Tally {
  readonly #released = Object.fromEntries(strategyNames.map((name) => [name, 0])) as Record<StrategyName, number>;

  add(strategy: StrategyName): void {
    this.#released[strategy] += 1;
  }

  get cleaned(): number {
    return Object.values(this.#released).reduce((sum, released) => sum + released, 0);
  }

  get byStrategy(): StrategyTally {
    return { ...this.#released };
  }
}
