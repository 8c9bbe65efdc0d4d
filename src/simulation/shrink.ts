import type { Violation } from './promises.js';
import { runScript, type Script, type Step } from './script.js';

/** How many runs cutting down may take. */
const maxRuns = 2_000;

/**
 * The shortest script found that still fails, by delta debugging (Zeller 1999): it leaves out halves, then quarters, at
 * last single steps, as long as the rest fails.
 * @param fails runs a script and says whether it fails in the same way
 */
async function shrink(script: Script, fails: (script: Script) => Promise<boolean>): Promise<Script> {
  let { steps } = script;
  let runs = 0;
  const failsWith = (kept: readonly Step[]): Promise<boolean> => {
    runs += 1;
    return fails({ ...script, steps: kept });
  };
  let size = Math.ceil(steps.length / 2);
  while (size >= 1 && runs < maxRuns) {
    const before = steps.length;
    steps = await withoutParts(steps, size, failsWith);
    if (size > 1) size = Math.ceil(size / 2);
    else if (steps.length === before) break;
  }
  return { ...script, steps };
}

/** The shortest script found that still breaks this promise, in whatever way. */
export function shortestBreaking(invariant: Violation['invariant'], script: Script): Promise<Script> {
  return shrink(script, async (cut) => (await runScript(cut))?.invariant === invariant);
}

/** Leaves out each part of that size that is not needed, from the end. */
async function withoutParts(
  all: readonly Step[],
  size: number,
  fails: (kept: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let steps = all;
  for (let from = steps.length - size; from > -size; from -= size) {
    const kept = [...steps.slice(0, Math.max(0, from)), ...steps.slice(Math.max(0, from + size))];
    if (kept.length < steps.length && (await fails(kept))) steps = kept;
  }
  return steps;
}
