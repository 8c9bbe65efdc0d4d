import type { WebSocketConfig } from '../core/settings.js';
import { Chance } from './chance.js';
import { hookKinds } from './hook-record.js';
import { ledgerMoods } from './outage-ledger.js';
import type { Script, Step, StepName, StepOf } from './script-schema.js';
import { throwingCalls } from './traits.js';

/** How long a small world lasts. */
const hourMs = 3_600_000;

/** What the fields of a step are drawn from. */
interface Draw {
  readonly chance: Chance;
  /** A client that is probably there. */
  readonly client: number;
  readonly user: string;
  /** The number of a new client. */
  readonly newClient: () => number;
}

const clientOnly = ({ client }: Draw) => ({ client });

/** Every step but `stop`: how often it is drawn compared with the others, and how its fields are drawn. */
const actions: {
  readonly [Name in Exclude<StepName, 'stop'>]: readonly [
    weight: number,
    draw: (from: Draw) => Omit<StepOf<Name>, 'atMs' | 'do'>,
  ];
} = {
  connect: [30, drawConnect],
  message: [14, ({ client, chance }) => ({ client, bytes: chance.integer(1, 5_000) })],
  keepalive: [4, clientOnly],
  send: [3, ({ client, chance }) => ({ client, bytes: chance.integer(1, 5_000) })],
  stream: [2, ({ client, chance }) => ({ client, bytes: chance.pick([100, 40_000]) })],
  leave: [5, clientOnly],
  vanish: [8, clientOnly],
  sleep: [6, clientOnly],
  // Up to what a garbage collection takes, about `minSilenceMs`, and as long as some computations.
  pause: [8, ({ client, chance }) => ({ client, forMs: chance.pick([500, 1_300, 2_000, 2_800, 3_500, 8_000]) })],
  talk: [4, ({ client, chance }) => ({ client, everyMs: chance.pick([200, 1_000, 5_000]), forMs: 60_000 })],
  wake: [5, clientOnly],
  reset: [2, clientOnly],
  hold: [4, clientOnly],
  reload: [4, ({ client, chance }) => ({ client, afterMs: chance.pick([0, 50, 2_000, 20_000]) })],
  'let go': [4, clientOnly],
  fail: [2, clientOnly],
  'report error': [2, clientOnly],
  'request release': [2, clientOnly],
  hook: [4, ({ client, chance }) => ({ client, kind: chance.pick(hookKinds) })],
  'pause reading': [2, clientOnly],
  'resume reading': [4, clientOnly],
  'long message': [
    2,
    ({ client, chance }) => ({ client, bytes: 1_000_000, overMs: chance.pick([100, 5_000, 60_000]) }),
  ],
  fight: [
    1,
    ({ user, chance }) => ({ user, thread: drawThread(chance), times: 12, everyMs: chance.pick([500, 1_000, 2_000]) }),
  ],
  'clean up': [3, ({ user, chance }) => ({ user, ...chance.pick([{}, { evict: 1 }, { keep: 1 }]) })],
  limit: [3, ({ user, chance }) => ({ user, limit: chance.pick([0, 1, 2, 3, 5]) })],
  stall: [2, ({ chance }) => ({ forMs: chance.pick([150, 600, 1_200, 5_000, 90_000]) })],
  'leap wall clock': [1, ({ chance }) => ({ byMs: chance.pick([-86_400_000, -1_000, 1_000, 86_400_000]) })],
  'background cleanup': [2, () => ({})],
  ledger: [2, ({ chance }) => ({ mood: chance.pick(['well', ...ledgerMoods] as const) })],
};

/** Every action, as often as its weight says. */
const actionBag = Object.entries(actions).flatMap(([name, [weight]]) =>
  Array.from({ length: weight }, () => name as keyof typeof actions),
);

/** Gaps between steps: none, within a round trip, about a probe, about a ticket, about a heartbeat, minutes. */
const gapBag = (
  [
    [0, 0, 6],
    [1, 80, 6],
    [400, 1_600, 5],
    [3_000, 12_000, 4],
    [20_000, 80_000, 2],
    [100_000, 700_000, 1],
  ] as const
).flatMap(([min, max, weight]) => Array.from({ length: weight }, () => ({ min, max })));

/** How many of the steps are a machine falling asleep instead. */
const sleepingMachineRatio = 0.01;

/** An hour in which a few users, with small limits, live through everything that can happen to them. */
export function smallWorld(seed: number): Script {
  const chance = new Chance(seed);
  const users = Array.from({ length: chance.integer(1, 3) }, (_, index) => `user-${String(index)}`);
  const config = drawConfig(chance);
  const hasLedger = chance.is(0.3);
  const steps: Step[] = [];
  const maker = new StepMaker(chance, users);
  for (let atMs = 0; atMs < hourMs; atMs += drawGap(chance)) {
    if (chance.is(sleepingMachineRatio))
      steps.push(...maker.sleepingMachine(Math.round(atMs), config.maxManagersPerUser));
    else steps.push(maker.make(Math.round(atMs)));
  }
  // Half of the worlds stop the server in the middle of everything; in the others all clients go first.
  if (chance.is(0.5)) steps.push({ atMs: Math.round(chance.between(0.6, 1) * hourMs), do: 'stop' });
  return { seed, config, hasLedger, steps };
}

function drawGap(chance: Chance): number {
  const { min, max } = chance.pick(gapBag);
  return chance.between(min, max);
}

function drawConfig(chance: Chance) {
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

/** Makes steps, most of them of clients that may be there. */
class StepMaker {
  readonly #chance: Chance;
  readonly #users: readonly string[];
  #clients = 0;
  readonly #newClient = (): number => this.#clients++;

  constructor(chance: Chance, users: readonly string[]) {
    this.#chance = chance;
    this.#users = users;
  }

  make(atMs: number): Step {
    const chance = this.#chance;
    // Mostly one of the last clients that came.
    const client = Math.max(0, this.#clients - 1 - Math.floor(chance.waitFor(6)));
    const from = { chance, client, user: chance.pick(this.#users), newClient: this.#newClient };
    const name = chance.pick(actionBag);
    return { atMs, do: name, ...actions[name][1](from) } as Step; // a row of `actions` draws the fields of its step
  }

  /**
   * A machine with as many connections as its user may have falls asleep. The user comes from elsewhere soon after, and
   * again after a heartbeat.
   */
  sleepingMachine(atMs: number, count: number): Step[] {
    const chance = this.#chance;
    const user = chance.pick(this.#users);
    const connect = (thread: number, afterMs: number) => ({
      atMs: atMs + afterMs,
      do: 'connect' as const,
      client: this.#newClient(),
      user,
      thread: `thread_${String(thread)}`,
      traits: { roundTripMs: chance.integer(2, 100) },
    });
    const asleep = Array.from({ length: count }, (_, index) => connect(index + 1, index));
    const sleep = asleep.map((step) => ({ atMs: atMs + 1_000, do: 'sleep' as const, client: step.client }));
    return [...asleep, ...sleep, connect(9, chance.integer(1_000, 5_000)), connect(10, chance.integer(20_000, 45_000))];
  }
}

function drawConnect({ chance, user, newClient }: Draw) {
  const thread = drawThread(chance);
  const process = chance.is(0.6) ? { process: chance.integer(1, 2) } : {};
  const openAfterMs = chance.is(0.1) ? { openAfterMs: chance.pick([5, 2_000, 11_000]) } : {};
  return { client: newClient(), user, thread, traits: drawTraits(chance), ...process, ...openAfterMs };
}

function drawTraits(chance: Chance): NonNullable<StepOf<'connect'>['traits']> {
  return {
    roundTripMs: Math.round(chance.logUniform(2, 3_000)),
    ...(chance.is(0.2) && { lossRatio: 0.05 }),
    ...(chance.is(0.2) && { closeAfterMs: chance.pick([null, 500, 3_000]) }),
    ...(chance.is(0.05) && { throwsFrom: [chance.pick(throwingCalls)] }),
  };
}

function drawThread(chance: Chance): string {
  return `thread_${String(chance.integer(1, 8))}`;
}
