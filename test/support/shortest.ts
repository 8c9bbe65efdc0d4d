/**
 * The shortest part found of some steps that is still bad: leaves out halves, then quarters, at last single steps, as long
 * as the rest is still bad.
 * @param maxRuns how many parts are tried
 */
export async function shortest<T>(
  all: readonly T[],
  isBad: (steps: readonly T[]) => Promise<boolean>,
  maxRuns = 1_000,
): Promise<readonly T[]> {
  let steps = all;
  let runs = 0;
  for (let size = Math.ceil(steps.length / 2); size >= 1;) {
    const before = steps.length;
    for (let from = steps.length - size; from > -size && runs < maxRuns; from -= size) {
      const kept = [...steps.slice(0, Math.max(0, from)), ...steps.slice(Math.max(0, from + size))];
      runs += 1;
      if (await isBad(kept)) steps = kept;
    }
    if (runs >= maxRuns) return steps;
    if (size > 1) size = Math.ceil(size / 2);
    else if (steps.length === before) return steps;
  }
  return steps;
}
