import type { WebSocketConfig } from '../core/settings.js';
import { Chance } from './chance.js';
import type { Script, Step } from './script.js';
import type { Traits } from './traits.js';

/** How long a small world lives. */
const hourMs = 3_600_000;

/** Gaps between steps: none, within a round trip, about a probe, about a ticket, about a heartbeat, minutes. */
const gaps = [
  [0, 0, 6],
  [1, 80, 6],
  [400, 1_600, 5],
  [3_000, 12_000, 4],
  [20_000, 80_000, 2],
  [100_000, 700_000, 1],
] as const;

/** What happens, and how often beside the rest. */
const actions = {
  connect: 30,
  message: 14,
  keepalive: 4,
  send: 3,
  stream: 2,
  leave: 5,
  vanish: 8,
  sleep: 6,
  pause: 8,
  talk: 4,
  wake: 5,
  reset: 2,
  hold: 4,
  reload: 4,
  'let go': 4,
  fail: 2,
  'report error': 2,
  'request release': 2,
  hook: 4,
  'pause reading': 2,
  'resume reading': 4,
  'long message': 2,
  fight: 1,
  'clean up': 3,
  limit: 3,
  stall: 2,
  'leap wall clock': 1,
  'background cleanup': 2,
  ledger: 2,
} as const satisfies Record<Exclude<Step['do'], 'stop'>, number>;

/** How long processes pause: up to what a garbage collection takes, about `minSilenceMs`, and as long as some compute. */
const pausesMs = [500, 1_300, 2_000, 2_800, 3_500, 8_000] as const;

/** How many steps are nightfalls instead. */
const nightfallRatio = 0.01;

const actionBag = Object.entries(actions).flatMap(([name, weight]) =>
  Array.from({ length: weight }, () => name as keyof typeof actions),
);
const gapBag = gaps.flatMap(([min, max, weight]) => Array.from({ length: weight }, () => [min, max] as const));

/** An hour in which a few users, with small limits, live through everything that can happen to them. */
export function smallWorld(seed: number): Script {
  const chance = new Chance(seed);
  const users = Array.from({ length: chance.integer(1, 3) }, (_, index) => `user-${String(index)}`);
  const config = smallConfig(chance);
  const hasLedger = chance.is(0.3);
  const steps: Step[] = [];
  const maker = new StepMaker(chance, users);
  for (let atMs = 0; atMs < hourMs; atMs += gap(chance)) {
    if (chance.is(nightfallRatio)) steps.push(...maker.nightfall(Math.round(atMs), config.maxManagersPerUser));
    else steps.push(maker.make(Math.round(atMs)));
  }
  // Others end in silence; these in the middle of everything.
  if (chance.is(0.5)) steps.push({ atMs: Math.round(chance.between(0.6, 1) * hourMs), do: 'stop' });
  return { seed, config, hasLedger, steps };
}

function gap(chance: Chance): number {
  const [min, max] = chance.pick(gapBag);
  return chance.between(min, max);
}

function smallConfig(chance: Chance) {
  return {
    maxManagersPerUser: chance.pick([1, 2, 3, 5]),
    idleManagerTimeoutMs: chance.pick([120_000, 600_000]),
    backgroundCleanupIntervalMs: chance.pick([15_000, 60_000]),
    maxTotalManagers: chance.pick([null, null, null, 4]),
    minSilenceMs: chance.pick([3_000, 3_000, 1_000, 6_000]),
    forcedEviction: chance.pick(['on-demand', 'on-demand', 'by-level']),
    maxHoldMs: chance.pick([30_000, 900_000, 3_600_000]),
    resumeGraceMs: chance.pick([0, 10_000, 10_000, 60_000]),
  } satisfies Partial<WebSocketConfig>;
}

/** Makes steps that mostly name clients who may be there. */
class StepMaker {
  readonly #chance: Chance;
  readonly #users: readonly string[];
  #clients = 0;

  constructor(chance: Chance, users: readonly string[]) {
    this.#chance = chance;
    this.#users = users;
  }

  make(atMs: number): Step {
    const chance = this.#chance;
    const client = this.#someClient();
    const user = chance.pick(this.#users);
    const action = chance.pick(actionBag);
    switch (action) {
      case 'connect':
        return this.#connect(atMs, user);
      case 'message':
      case 'send':
        return { atMs, do: action, client, bytes: chance.integer(1, 5_000) };
      case 'stream':
        return { atMs, do: action, client, bytes: chance.pick([100, 40_000]) };
      case 'long message':
        return { atMs, do: action, client, bytes: 1_000_000, overMs: chance.pick([100, 5_000, 60_000]) };
      case 'pause':
        return { atMs, do: action, client, forMs: chance.pick(pausesMs) };
      case 'talk':
        return { atMs, do: action, client, everyMs: chance.pick([200, 1_000, 5_000]), forMs: 60_000 };
      case 'reload':
        return { atMs, do: action, client, afterMs: chance.pick([0, 50, 2_000, 20_000]) };
      case 'fight':
        return {
          atMs,
          do: action,
          user,
          thread: someThread(chance),
          times: 12,
          everyMs: chance.pick([500, 1_000, 2_000]),
        };
      case 'hook':
        return {
          atMs,
          do: action,
          client,
          kind: chance.pick(['returns', 'throws', 'rejects', 'takes long', 'hangs', 'ignores']),
        };
      case 'clean up':
        return { atMs, do: action, user, ...chance.pick([{}, { evict: 1 }, { keep: 1 }]) };
      case 'limit':
        return { atMs, do: action, user, limit: chance.pick([0, 1, 2, 3, 5]) };
      case 'stall':
        return { atMs, do: action, forMs: chance.pick([150, 600, 1_200, 5_000, 90_000]) };
      case 'leap wall clock':
        return { atMs, do: action, byMs: chance.pick([-86_400_000, -1_000, 1_000, 86_400_000]) };
      case 'ledger':
        return { atMs, do: action, mood: chance.pick(['well', 'well', 'slow', 'failing', 'throwing', 'dead']) };
      case 'background cleanup':
        return { atMs, do: action };
      default:
        return { atMs, do: action, client };
    }
  }

  /**
   * A machine with as many connections as its user may have falls asleep; the user comes from elsewhere soon after, and
   * again when a heartbeat has passed.
   */
  nightfall(atMs: number, count: number): Step[] {
    const chance = this.#chance;
    const user = chance.pick(this.#users);
    const come = (thread: number, afterMs: number) => ({
      atMs: atMs + afterMs,
      do: 'connect' as const,
      client: this.#clients++,
      user,
      thread: `thread_${String(thread)}`,
      traits: { roundTripMs: chance.integer(2, 100) },
    });
    const asleep = Array.from({ length: count }, (_, index) => come(index + 1, index));
    const sleep = asleep.map(({ client }) => ({ atMs: atMs + 1_000, do: 'sleep' as const, client }));
    return [...asleep, ...sleep, come(9, chance.integer(1_000, 5_000)), come(10, chance.integer(20_000, 45_000))];
  }

  #connect(atMs: number, user: string): Step {
    const chance = this.#chance;
    const client = this.#clients++;
    const thread = someThread(chance);
    const process = chance.is(0.6) ? { process: chance.integer(1, 2) } : {};
    const openAfterMs = chance.is(0.1) ? { openAfterMs: chance.pick([5, 2_000, 11_000]) } : {};
    return { atMs, do: 'connect', client, user, thread, traits: this.#traits(), ...process, ...openAfterMs };
  }

  #traits(): Partial<Traits> {
    const chance = this.#chance;
    return {
      roundTripMs: Math.round(chance.logUniform(2, 3_000)),
      ...(chance.is(0.2) && { lossRatio: 0.05 }),
      ...(chance.is(0.2) && { closeAfterMs: chance.pick([null, 500, 3_000]) }),
      ...(chance.is(0.05) && { throwsFrom: [chance.pick(['ping', 'close', 'terminate', 'isOpen'] as const)] }),
    };
  }

  /** Mostly one of the last who came. */
  #someClient(): number {
    return Math.max(0, this.#clients - 1 - Math.floor(this.#chance.waitFor(6)));
  }
}

function someThread(chance: Chance): string {
  return `thread_${String(chance.integer(1, 8))}`;
}
