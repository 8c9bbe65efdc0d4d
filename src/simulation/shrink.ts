import type { Violation } from './promises.js';
import { runScript, type Script, type Step } from './script.js';

/** How many scripts may be run to find the shortest. */
const maxRuns = 2_000;

/**
 * The shortest script found that still breaks this promise, in whatever way. By delta debugging (Zeller 1999): it
 * leaves out halves, then quarters, at last single steps, as long as the rest still breaks the promise.
 */
export async function shortestBreaking(invariant: Violation['invariant'], script: Script): Promise<Script> {
  let { steps } = script;
  let runs = 0;
  const isBroken = async (kept: readonly Step[]): Promise<boolean> => {
    runs += 1;
    return (await runScript({ ...script, steps: kept }))?.invariant === invariant;
  };
  let size = Math.ceil(steps.length / 2);
  while (size >= 1 && runs < maxRuns) {
    const before = steps.length;
    steps = await withoutParts(steps, size, isBroken);
    if (size > 1) size = Math.ceil(size / 2);
    else if (steps.length === before) break;
  }
  return { ...script, steps };
}

/** Leaves out each part of that size that is not needed, from the end. */
async function withoutParts(
  all: readonly Step[],
  size: number,
  isBroken: (kept: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let steps = all;
  for (let from = steps.length - size; from > -size; from -= size) {
    const kept = [...steps.slice(0, Math.max(0, from)), ...steps.slice(Math.max(0, from + size))];
    if (kept.length < steps.length && (await isBroken(kept))) steps = kept;
  }
  return steps;
}
