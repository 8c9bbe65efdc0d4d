import {
  strategyNames,
  type Finding,
  type ReleaseReason,
  type StrategyName,
  type StrategyTally,
} from '../vocabulary.js';
import type { Victim } from './strategies/victim.js';

/** A manager that a cleanup released, or would release, and the figures that decided it. */
export interface Chosen {
  readonly userId: string;
  readonly threadId: string;
  readonly key: string;
  readonly strategy: StrategyName;
  readonly reason: ReleaseReason;
  /** Since the last activity. */
  readonly idleMs: number;
  /** Since the last byte from the peer. */
  readonly silentMs: number;
  /** The limit that `idleMs`, or the age of an error, exceeded; `null` if there was none. */
  readonly limitMs: number | null;
  /** What showed that the connection is dead; `null` if another strategy chose the manager. */
  readonly finding: Finding | null;
}

/** A victim with its figures. Call it before the release. @param nowMs on the clock of all ages */
export function chosenOf({ manager, strategy, reason, limitMs, finding }: Victim, nowMs: number): Chosen {
  const { userId, threadId, key, lastActivityAtMs, lastByteAtMs } = manager;
  return {
    userId,
    threadId,
    key,
    strategy,
    reason,
    idleMs: nowMs - lastActivityAtMs,
    silentMs: nowMs - lastByteAtMs,
    limitMs: limitMs ?? null,
    finding: finding ?? null,
  };
}

/** How many managers the result of a cleanup lists at most. */
export const maxListed = 1_000;

/** Counts the managers that a cleanup releases or chooses, and lists the first of them. */
export class Tally {
  readonly #counts = Object.fromEntries(strategyNames.map((name) => [name, 0])) as Record<StrategyName, number>;
  readonly #chosen: Chosen[] = [];
  readonly #maxChosen: number;

  /** @param maxChosen how many managers {@link chosen} lists at most; all are counted */
  constructor(maxChosen = maxListed) {
    this.#maxChosen = maxChosen;
  }

  add(chosen: Chosen): void {
    this.#counts[chosen.strategy] += 1;
    if (this.#chosen.length < this.#maxChosen) this.#chosen.push(chosen);
  }

  /** How many there are, of all strategies. */
  get count(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  get byStrategy(): StrategyTally {
    return { ...this.#counts };
  }

  /** The first of them, in the order in which they were added. */
  get chosen(): readonly Chosen[] {
    return [...this.#chosen];
  }
}
