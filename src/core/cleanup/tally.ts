import type { StrategyName, StrategyTally } from '../events.js';

/** What a cleanup has released so far. It survives passes that throw. @source spec section 9.8 */
export class Tally {
  readonly #released: Record<StrategyName, number> = { disconnected: 0, idle: 0, error: 0, oldest: 0 };

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
