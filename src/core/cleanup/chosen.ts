import { silentMsOf } from '../managers/ages.js';
import type { Finding, ReleaseReason, StrategyName } from '../vocabulary.js';
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
  const { userId, threadId, key, lastActivityAtMs } = manager;
  return {
    userId,
    threadId,
    key,
    strategy,
    reason,
    idleMs: nowMs - lastActivityAtMs,
    silentMs: silentMsOf(manager, nowMs),
    limitMs: limitMs ?? null,
    finding: finding ?? null,
  };
}
