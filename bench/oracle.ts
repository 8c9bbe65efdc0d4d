/** The truth about a manager, known to the benchmark that made it so. */
export interface Fact {
  readonly key: string;
  readonly isOpen: boolean;
  readonly lastActivityAtMs: number;
  readonly hasFailed: boolean;
  readonly reportedAtMs: number | null;
}

/** Why a manager must be released. */
export type Verdict = 'not open' | 'idle' | 'errored';

/** Applies the rules to every manager in the simplest way. @returns the keys to release, and why */
export function whoMustGo(facts: Iterable<Fact>, nowMs: number): Map<string, Verdict> {
  const victims = new Map<string, Verdict>();
  for (const fact of facts) {
    if (!fact.isOpen) victims.set(fact.key, 'not open');
    else if (nowMs - fact.lastActivityAtMs >= 600_000) victims.set(fact.key, 'idle');
    else if (fact.hasFailed || (fact.reportedAtMs !== null && nowMs - fact.reportedAtMs >= 300_000))
      victims.set(fact.key, 'errored');
  }
  return victims;
}
