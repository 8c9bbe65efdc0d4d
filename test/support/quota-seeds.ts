import { inspect } from 'node:util';
import { readScripts, type ScriptName } from '../../src/redis/scripts.js';
import { startConformance, type Conformance, type Difference } from './quota-conformance.js';
import { quotaSteps, type QuotaStep } from './quota-steps.js';
import { shortest } from './shortest.js';

export const stepsPerSeed = 500;

/** A seed with which Redis and the model are not the same. */
interface BadSeed {
  readonly seed: number;
  readonly difference: Difference;
}

/**
 * Plays 500 steps for each seed, on a Redis of its own.
 * @returns how often each reply and each entry of the log came
 * @throws Error with the seed and the shortest history, if Redis and the model are not the same
 */
export async function expectConformance(first: number, last: number): Promise<ReadonlyMap<string, number>> {
  const conformance = await startConformance();
  const bad = await firstBadSeed(conformance, first, last);
  if (bad !== null) throw new Error(await reportOf(conformance, bad, (bad.seed - first) * stepsPerSeed));
  return conformance.counts;
}

/** A bug to plant in a script, or in all that have the text. */
export interface PlantedBug {
  readonly name: string;
  readonly in: ScriptName | 'all';
  /** What stands there once. */
  readonly find: string;
  readonly replace: string;
}

/**
 * Plays steps as {@link expectConformance} does, with a bug in what Redis runs.
 * @returns how many steps it took to find it; `null` if none did
 * @throws Error if what is to be replaced is not there, or more than once
 */
export async function stepsUntilFound(bug: PlantedBug, first: number, last: number): Promise<number | null> {
  const sources = readScripts();
  const planted: string[] = [];
  const conformance = await startConformance((name) => {
    const { text } = sources[name];
    const times = text.split(bug.find).length - 1;
    if (bug.in === 'all' ? times === 0 : bug.in !== name) return text;
    planted.push(name);
    if (times !== 1) throw new Error(`${name}: wanted "${bug.find}" once`);
    return text.replace(bug.find, () => bug.replace);
  });
  if (planted.length === 0) throw new Error(`wanted "${bug.find}" in a script`);
  const bad = await firstBadSeed(conformance, first, last);
  return bad && (bad.seed - first) * stepsPerSeed + bad.difference.index + 1;
}

async function firstBadSeed({ play }: Conformance, first: number, last: number): Promise<BadSeed | null> {
  for (let seed = first; seed <= last; seed++) {
    const difference = await play(quotaSteps(seed, stepsPerSeed));
    if (difference !== null) return { seed, difference };
  }
  return null;
}

async function reportOf({ play }: Conformance, { seed, difference }: BadSeed, before: number): Promise<string> {
  const found = quotaSteps(seed, difference.index + 1);
  const steps = await shortest(found, async (some) => (await play(some)) !== null);
  const last = await play(steps);
  const text = (value: unknown): string => inspect(value, { depth: 6, breakLength: 120 });
  return [
    `seed ${seed}, step ${difference.index + 1}, after ${before + difference.index + 1} steps: Redis and the model differ.`,
    `${steps.length} steps are enough (MOORING_SEEDS=${seed}..${seed} plays all):`,
    ...steps.slice(0, (last?.index ?? steps.length) + 1).map(lineOf),
    `Redis: ${text(last?.redis)}`,
    `model: ${text(last?.model)}`,
  ].join('\n');
}

function lineOf(step: QuotaStep): string {
  const at = `  ${step.nowMs}`;
  if (step.kind === 'delete') return `${at} DEL ${step.key}`;
  if (step.kind === 'write')
    return `${at} HSET ${step.key} ${JSON.stringify(step.field)} ${JSON.stringify(step.value)}`;
  return `${at} ${step.name} ${JSON.stringify([...step.keys.slice(3), ...step.arguments])}`;
}
