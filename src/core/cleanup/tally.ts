import { strategyNames, type StrategyName, type StrategyTally } from '../vocabulary.js';
import type { Chosen } from './chosen.js';

/** What a cleanup has released so far. It survives passes that throw. */
export class Tally {
  readonly #released = Object.fromEntries(strategyNames.map((name) => [name, 0])) as Record<StrategyName, number>;
  readonly #chosen: Chosen[] = [];
  readonly #maxListed: number;

  /** @param maxListed how many managers {@link chosen} lists; all are counted */
  constructor(maxListed = Infinity) {
    this.#maxListed = maxListed;
  }

  add(chosen: Chosen): void {
    this.#released[chosen.strategy] += 1;
    if (this.#chosen.length < this.#maxListed) this.#chosen.push(chosen);
  }

  get cleaned(): number {
    return Object.values(this.#released).reduce((sum, released) => sum + released, 0);
  }

  get byStrategy(): StrategyTally {
    return { ...this.#released };
  }

  /** The managers in the order of their release. */
  get chosen(): readonly Chosen[] {
    return [...this.#chosen];
  }
}
