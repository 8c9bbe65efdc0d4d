import { Chance } from '../../../src/simulation/chance.js';
import { scheduleOf, type Schedule, type Step } from './steps.js';

/** One of so many seeds plays a scene. */
const oneOf = 7;
const user = 'ada';
/** Every process that was there from the beginning beats at whole seconds. */
const beatMs = 1_000;
/** When the first step is waited for. */
const beginsAtMs = 100;

/** What happens when, in the time of the world. */
type Timed = Step & { readonly atMs: number };
type Happening = Step extends infer Each ? (Each extends Step ? Omit<Each, 'afterMs'> : never) : never;

/** Puts steps at instants, that may be relative to a beat. */
class Scene {
  readonly chance: Chance;
  readonly #all: Timed[] = [];

  constructor(chance: Chance) {
    this.chance = chance;
  }

  at(atMs: number, step: Happening): void {
    this.#all.push({ ...step, afterMs: 0, atMs });
  }

  arrive(atMs: number, process: number, how: { thread?: string; opensAfterMs?: number } = {}): void {
    this.at(atMs, { kind: 'arrive', process, user, thread: 't1', opensAfterMs: 0, vanishes: false, ...how });
  }

  end(atMs: number, process: number): void {
    this.at(atMs, { kind: 'end', process, user, thread: 't1' });
  }

  /** A whole number of milliseconds, from `min` to `max`. */
  ms(min: number, max: number): number {
    return this.chance.integer(min, max);
  }

  /** In the order in which they happen. */
  get steps(): Step[] {
    let lastMs = beginsAtMs;
    return this.#all
      .sort((one, other) => one.atMs - other.atMs)
      .map(({ atMs, ...step }) => {
        const afterMs = Math.max(atMs - lastMs, 0);
        lastMs += afterMs;
        return { ...step, afterMs };
      });
  }
}

/**
 * Histories that need several things within milliseconds, in this order, so that chance alone hardly plays them. Process 0 has
 * the thread first, process 1 takes it over, and process 2 wants the place of another. How far apart it all is stays random.
 */
const scenes: readonly ((scene: Scene) => void)[] = [
  // Between the beat of a process and what it sends next, a thread of it moves elsewhere and ends there.
  (scene) => {
    scene.arrive(200, 0);
    scene.at(700, { kind: 'delete log', user });
    const heldAtMs = beatMs + scene.ms(0, 5);
    scene.at(heldAtMs, {
      kind: 'stall',
      process: 0,
      forMs: scene.chance.is(0.5) ? scene.ms(120, 230) : scene.ms(300, 2_500),
    });
    const movedAtMs = heldAtMs + scene.ms(5, 40);
    scene.arrive(movedAtMs, 1);
    const endedAtMs = movedAtMs + scene.ms(5, 60);
    scene.end(endedAtMs, 1);
    scene.arrive(endedAtMs + scene.ms(3, 20), 2, { thread: 't2' });
  },
  // A process is told that its thread moved, and cannot verify it; the thread ends elsewhere.
  (scene) => {
    scene.arrive(200, 0);
    scene.arrive(700, 1);
    scene.at(750, { kind: 'fate', process: 0, script: 'verify', fate: 'no reply', byMs: 50, count: scene.ms(2, 6) });
    const kind = scene.chance.pick(['cut', 'stall'] as const);
    scene.at(beatMs + scene.ms(1, 5), { kind, process: 0, forMs: scene.ms(2_100, 3_200) });
    const endedAtMs = scene.ms(1_200, 2_900);
    scene.end(endedAtMs, 1);
    scene.arrive(endedAtMs + scene.ms(3, 300), 2, { thread: 't2' });
  },
  // A takeover is lost before it is open, and another thread has the place.
  (scene) => {
    scene.at(1_030, { kind: 'save' });
    scene.arrive(1_040, 0);
    const takenAtMs = scene.ms(1_420, 1_480);
    scene.arrive(takenAtMs, 1, { opensAfterMs: 400 });
    const lostAtMs = takenAtMs + scene.ms(5, 300);
    scene.at(lostAtMs, { kind: 'fail over', byMs: 0, isProxied: true });
    scene.arrive(lostAtMs + scene.ms(2, 60), 2, { thread: 't2' });
  },
  // A client sends an acquire again when the thread has a successor already.
  (scene) => {
    scene.at(1_100, {
      kind: 'fate',
      process: 0,
      script: 'acquire',
      fate: 'late reply',
      byMs: scene.ms(60, 200),
      count: 1,
    });
    scene.arrive(1_150, 0);
    const takenAtMs = 1_150 + scene.ms(3, 30);
    scene.arrive(takenAtMs, 1, { opensAfterMs: scene.chance.pick([400, 1_500]) });
    const brokenAtMs = takenAtMs + scene.ms(2, 20);
    scene.at(brokenAtMs, { kind: 'break', process: 0, isLost: false, isResent: true });
    scene.end(brokenAtMs + scene.ms(8, 100), 0);
    scene.arrive(brokenAtMs + scene.ms(110, 250), 2, { thread: 't2' });
  },
  // A rotation cannot be finished for longer than a process may be silent.
  (scene) => {
    scene.arrive(200, 0);
    scene.at(600, { kind: 'delete log', user });
    scene.at(650, { kind: 'fate', process: 0, script: 'assert', fate: 'lost', byMs: 50, count: scene.ms(3, 5) });
    scene.arrive(scene.ms(4_000, 11_000), 2, { thread: 't2' });
  },
  // A connection goes before its process has an epoch.
  (scene) => {
    scene.at(1_200, { kind: 'replace', process: 0 });
    const cameAtMs = 1_200 + scene.ms(0, 5);
    scene.arrive(cameAtMs, 0);
    scene.end(cameAtMs + scene.ms(1, 6), 0);
  },
  // A rotation begins with a call that has no answer, and Redis has lost a slot, but no epoch.
  (scene) => {
    scene.at(1_100, { kind: 'save' });
    scene.arrive(1_110, 0);
    scene.at(1_200, {
      kind: 'fate',
      process: 0,
      script: 'register',
      fate: 'no reply',
      byMs: 50,
      count: scene.ms(1, 2),
    });
    scene.at(1_300, { kind: 'fail over', byMs: 0, isProxied: true });
  },
];

/** The history that follows from a seed: a random one, or a scene and what comes after it. */
export function historyOf(seed: number): Schedule {
  const ordinary = scheduleOf(seed);
  if (seed % oneOf !== 0) return ordinary;
  const chance = new Chance(seed);
  const scene = new Scene(chance);
  chance.pick(scenes)(scene);
  const after = chance.is(0.3) ? ordinary.steps.filter((step) => !('user' in step) || step.user === user) : [];
  return { ...ordinary, users: [user], limit: chance.pick([1, 1, 2]), steps: [...scene.steps, ...after] };
}
