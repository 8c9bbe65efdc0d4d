/** What is true of a manager, noted by whoever made it so. */
export interface Fact {
  readonly key: string;
  readonly isOpen: boolean;
  readonly lastActivityAtMs: number;
  readonly hasFailed: boolean;
  readonly reportedAtMs: number | null;
}

/** Why somebody must go. */
export type Verdict = 'not open' | 'idle' | 'errored';

/** Looks at everybody, by the plain words of the rule. @returns who must go, and why */
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
