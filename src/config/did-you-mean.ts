/** `; did you mean ticket?` for the candidate at most three edits away; empty if there is none. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editsBetween(name, candidate) }));
  const best = ranked.sort((a, b) => a.edits - b.edits)[0];
  return best !== undefined && best.edits <= 3 ? `; did you mean ${best.candidate}?` : '';
}

/** The number of single-character edits between two names, case apart (Levenshtein). */
function editsBetween(a: string, b: string): number {
  const source = a.toLowerCase();
  const target = b.toLowerCase();
  let row = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let i = 0; i < source.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < target.length; j++) {
      const substitution = (row[j] ?? 0) + (source[i] === target[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[target.length] ?? Infinity;
}
