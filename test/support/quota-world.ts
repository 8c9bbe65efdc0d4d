import type { Violation } from './quota-world/judges.js';
import { historyOf } from './quota-world/scenes.js';
import { lineOf, type Schedule, type Step, type StepKind } from './quota-world/steps.js';
import { World } from './quota-world/world.js';
import { shortest } from './shortest.js';

/** How long everything is left alone at the end, so that it mends itself, in milliseconds. */
const quietMs = 15_000;
/** What an operator deletes is put back by the next rotation of each process. */
const untilRotationMs = 740_000;

/**
 * Plays a schedule with real ledgers on a simulated Redis.
 * @param tell gets each thing that happens, in words
 * @returns the promise that is broken first; `null` if none is
 */
async function play(schedule: Schedule, tell?: (line: string) => void): Promise<Violation | null> {
  const world = new World(schedule, tell);
  const onRejection = (reason: unknown): void => {
    world.judges.report('nothing fails', String(reason));
  };
  process.on('unhandledRejection', onRejection);
  try {
    await playIn(world, schedule.steps, tell);
  } catch (error) {
    world.judges.report('nothing fails', error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return world.judges.violation;
}

async function playIn(world: World, steps: readonly Step[], tell?: (line: string) => void): Promise<void> {
  const isBroken = (): boolean => world.judges.violation !== null;
  await world.advance(100);
  for (const step of steps) {
    await world.advance(step.afterMs);
    if (isBroken()) return;
    if (step.kind !== 'arrive') tell?.(`          - ${lineOf(step)}`);
    world.perform(step);
  }
  world.heal();
  await world.advance(steps.some(({ kind }) => kind === 'delete user') ? untilRotationMs : quietMs);
  if (isBroken()) return;
  world.checkQuiet();
  world.judges.checkQuiet();
  world.endAll();
  await world.advance(400);
  if (isBroken()) return;
  world.checkNothingHeld();
  await world.stopAll();
  await world.advance(600);
  if (!isBroken()) world.checkStopped();
}

/** What was found with a seed. */
export interface Finding {
  readonly seed: number;
  readonly violation: Violation;
  readonly schedule: Schedule;
}

/** How much was played. */
export interface Tally {
  seeds: number;
  steps: number;
  readonly kinds: Map<StepKind, number>;
}

/** Plays the schedules of some seeds. @returns the first that breaks a promise; `null` if none does */
export async function firstBad(first: number, last: number, tally?: Tally): Promise<Finding | null> {
  for (let seed = first; seed <= last; seed += 1) {
    const schedule = historyOf(seed);
    const violation = await play(schedule);
    if (tally !== undefined) add(tally, schedule);
    if (violation !== null) return { seed, violation, schedule };
  }
  return null;
}

export function newTally(): Tally {
  return { seeds: 0, steps: 0, kinds: new Map() };
}

function add(tally: Tally, { steps }: Schedule): void {
  tally.seeds += 1;
  tally.steps += steps.length;
  for (const { kind } of steps) tally.kinds.set(kind, (tally.kinds.get(kind) ?? 0) + 1);
}

/** The shortest part found of a schedule that breaks the same promise, and what happens in it. */
export async function shortestOf({ schedule, violation }: Finding, maxRuns?: number): Promise<Schedule> {
  const isBad = async (steps: readonly Step[]): Promise<boolean> =>
    (await play({ ...schedule, steps }))?.promise === violation.promise;
  return { ...schedule, steps: await shortest(schedule.steps, isBad, maxRuns) };
}

/** What happens in a schedule, a line each, with the times in seconds. */
export async function traceOf(schedule: Schedule): Promise<string[]> {
  const { seed, limit, users } = schedule;
  const lines = [`seed ${seed}, limit ${limit}, users ${users.join(' and ')}`];
  await play(schedule, (line) => lines.push(line));
  return lines;
}
