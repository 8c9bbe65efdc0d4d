import { Chance } from '../../../src/simulation/chance.js';
import { callFates, type CallFate } from './link.js';
import { serverErrors, type ServerError } from './server.js';

/** What happens in a world. Processes are counted from 0; each has a place that its successors take. */
type Happening =
  | {
      readonly kind: 'arrive';
      readonly process: number;
      readonly user: string;
      readonly thread: string;
      /** When its socket is open after it was admitted; or when it vanishes, if it `vanishes`. */
      readonly opensAfterMs: number;
      readonly vanishes: boolean;
    }
  | { readonly kind: 'end'; readonly process: number; readonly user: string; readonly thread: string }
  | { readonly kind: 'kill'; readonly process: number; readonly backAfterMs: number }
  | { readonly kind: 'replace'; readonly process: number }
  | { readonly kind: 'pause'; readonly process: number; readonly forMs: number }
  | { readonly kind: 'cut'; readonly process: number; readonly forMs: number }
  | { readonly kind: 'stall'; readonly process: number; readonly forMs: number }
  | { readonly kind: 'break'; readonly process: number; readonly isLost: boolean; readonly isResent: boolean }
  | {
      readonly kind: 'fate';
      readonly process: number;
      readonly script: string;
      readonly fate: CallFate;
      readonly byMs: number;
      readonly count: number;
    }
  | { readonly kind: 'stand still'; readonly forMs: number }
  | { readonly kind: 'leap'; readonly byMs: number }
  | { readonly kind: 'save' }
  | { readonly kind: 'fail over'; readonly byMs: number; readonly isProxied: boolean }
  | { readonly kind: 'empty'; readonly isProxied: boolean }
  | { readonly kind: 'delete user'; readonly user: string }
  | { readonly kind: 'delete log'; readonly user: string }
  | { readonly kind: 'errors'; readonly said: ServerError; readonly forMs: number };

export type StepKind = Happening['kind'];

/** It happens `afterMs` after the step before. */
export type Step = Happening & { readonly afterMs: number };

/** A random history of a quota, and what it is about. */
export interface Schedule {
  readonly seed: number;
  readonly limit: number;
  readonly users: readonly string[];
  /** By process: whether its client tells of calls that were lost with their connection. */
  readonly isToldOfLoss: readonly boolean[];
  readonly steps: readonly Step[];
}

export const processCount = 3;
const threads = ['t1', 't2', 't3', 't4'];
const scripts = ['register', 'beat', 'leave', 'acquire', 'commit', 'release', 'assert', 'verify', 'any'];

/** Faults are drawn from some of these only, so that each seed has others together. */
const faults: Readonly<Partial<Record<StepKind, (chance: Chance, users: readonly string[]) => Happening>>> = {
  kill: (chance) => ({ kind: 'kill', process: process(chance), backAfterMs: duration(chance, 10, 9_000) }),
  replace: (chance) => ({ kind: 'replace', process: process(chance) }),
  pause: (chance) => ({ kind: 'pause', process: process(chance), forMs: duration(chance, 20, 9_000) }),
  cut: (chance) => ({ kind: 'cut', process: process(chance), forMs: duration(chance, 20, 12_000) }),
  stall: (chance) => ({ kind: 'stall', process: process(chance), forMs: duration(chance, 20, 3_000) }),
  break: (chance) => ({ kind: 'break', process: process(chance), isLost: chance.is(0.3), isResent: chance.is(0.5) }),
  fate: (chance) => ({
    kind: 'fate',
    process: process(chance),
    script: chance.pick(scripts),
    fate: chance.pick(callFates),
    byMs: duration(chance, 50, 1_500),
    count: chance.integer(1, 4),
  }),
  'stand still': (chance) => ({ kind: 'stand still', forMs: duration(chance, 50, 12_000) }),
  leap: (chance) => ({ kind: 'leap', byMs: leap(chance) }),
  'fail over': (chance) => ({ kind: 'fail over', byMs: leap(chance), isProxied: chance.is(0.4) }),
  empty: (chance) => ({ kind: 'empty', isProxied: chance.is(0.4) }),
  'delete log': (chance, users) => ({ kind: 'delete log', user: chance.pick(users) }),
  errors: (chance) => ({
    kind: 'errors',
    said: chance.pick(Object.keys(serverErrors) as ServerError[]),
    forMs: duration(chance, 20, 6_000),
  }),
};

/** Users whose ids are in two partitions. */
const userIds = ['ada', 'bob'];

/** The schedule that follows from a seed. It does not depend on what happens, so that any part of it can be played. */
export function scheduleOf(seed: number): Schedule {
  const chance = new Chance(seed);
  const users = userIds.slice(0, chance.is(0.8) ? 1 : 2);
  const kinds = (Object.keys(faults) as StepKind[]).filter(() => chance.is(0.35));
  // What an operator deletes is found by the next rotation only, which makes such a schedule ten times as long.
  const isUserDeleted = chance.is(0.03);
  const share = chance.pick([0.05, 0.15, 0.35, 0.5]);
  const count = chance.integer(20, 70);
  const steps = Array.from({ length: count }, (): Step => {
    const afterMs = Math.round(chance.is(0.5) ? chance.logUniform(1, 60) : chance.logUniform(60, 2_500));
    if (isUserDeleted && chance.is(0.05)) return { afterMs, kind: 'delete user', user: chance.pick(users) };
    const kind = kinds.length > 0 && chance.is(share) ? chance.pick(kinds) : null;
    const fault = kind === null ? undefined : faults[kind];
    return { afterMs, ...(fault?.(chance, users) ?? traffic(chance, users, kinds.includes('fail over'))) };
  });
  const isToldOfLoss = Array.from({ length: processCount }, () => chance.is(0.5));
  return { seed, limit: chance.pick([1, 2]), users, isToldOfLoss, steps };
}

function traffic(chance: Chance, users: readonly string[], isSaved: boolean): Happening {
  if (isSaved && chance.is(0.15)) return { kind: 'save' };
  const who = { process: process(chance), user: chance.pick(users), thread: chance.pick(threads) };
  if (chance.is(0.3)) return { kind: 'end', ...who };
  const opensAfterMs = chance.pick([0, 0, 1, 3, 40, 400, 1_500]);
  return { kind: 'arrive', ...who, opensAfterMs, vanishes: chance.is(0.2) };
}

const process = (chance: Chance): number => chance.integer(0, processCount - 1);
const duration = (chance: Chance, min: number, max: number): number => Math.round(chance.logUniform(min, max));
const leap = (chance: Chance): number => chance.pick([-300_000, -4_000, 0, 4_000, 300_000]);

/** A step in words. */
export function lineOf(step: Step): string {
  switch (step.kind) {
    case 'arrive': {
      const then = step.vanishes ? 'vanishes' : 'opens';
      return `${step.user} ${step.thread} comes to process ${step.process}; once admitted, it ${then} after ${step.opensAfterMs} ms`;
    }
    case 'end':
      return `${step.user} ${step.thread} leaves process ${step.process}`;
    case 'kill':
      return `process ${step.process} is killed; another takes its place after ${step.backAfterMs} ms`;
    case 'replace':
      return `process ${step.process} is stopped, and another takes its place`;
    case 'pause':
      return `process ${step.process} stands still for ${step.forMs} ms`;
    case 'cut':
      return `process ${step.process} is cut off from Redis for ${step.forMs} ms`;
    case 'stall':
      return `what process ${step.process} sends to Redis is held up for ${step.forMs} ms`;
    case 'break':
      return `the connection of process ${step.process} breaks: what is on its way ${step.isLost ? 'is lost' : 'arrives'}, and is ${step.isResent ? '' : 'not '}sent again`;
    case 'fate':
      return `process ${step.process}, the next ${step.count} calls (${step.script}): ${step.fate}${step.fate === 'late reply' ? ` by ${step.byMs} ms` : ''}`;
    case 'stand still':
      return `Redis stands still for ${step.forMs} ms`;
    case 'leap':
      return `the clock of Redis leaps by ${step.byMs} ms`;
    case 'save':
      return 'a replica of Redis has everything up to here';
    case 'fail over':
      return `the replica takes over, with a clock ${step.byMs} ms ahead${step.isProxied ? ', behind a proxy' : ''}`;
    case 'empty':
      return `Redis starts empty${step.isProxied ? ', behind a proxy' : ''}`;
    case 'delete user':
      return `an operator deletes the slots of ${step.user}`;
    case 'delete log':
      return `an operator deletes the log of the partition of ${step.user}`;
    case 'errors':
      return `for ${step.forMs} ms Redis says: ${step.said}`;
  }
}
