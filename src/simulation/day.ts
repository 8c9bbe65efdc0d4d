import { loadConfig } from '../config/load-config.js';
import type { SuccessReport } from '../core/kpis/kpi.js';
import type { WebSocketConfig } from '../core/settings.js';
import { nextTurn } from '../testing/next-turn.js';
import type { Chance } from './chance.js';
import { EscapedError, escapeOf, violationOf } from './escape.js';
import { LeakObserver, type LeakReport } from './leaks.js';
import { Person } from './person.js';
import { scenarios, type Population, type ScenarioName } from './population.js';
import type { Violation } from './promises.js';
import { seedRules, type SeedName } from './seed/rules.js';
import { SeedServer } from './seed/server.js';
import type { SimulatedServer } from './server.js';
import { World } from './world.js';

/** What is simulated. */
export interface DayOptions {
  /** How long it is; parts of a millisecond are rounded. */
  readonly hours: number;
  readonly users: number;
  /** 0 to 4294967295; another number would mean one of these. */
  readonly seed: number;
  readonly scenario: ScenarioName;
  /** Settings that differ from the production preset. */
  readonly config?: Partial<WebSocketConfig>;
  /** Called every simulated quarter of an hour, and at the end. */
  readonly onProgress?: (progress: { readonly hours: number; readonly managers: number }) => void;
}

/** How a day went. */
export interface DayReport {
  readonly scenario: ScenarioName;
  readonly hours: number;
  readonly users: number;
  readonly seed: number;
  readonly kpis: SuccessReport;
  /** How many timers fired and how many events happened on the network. */
  readonly occurrences: number;
  readonly realMs: number;
  readonly wanted: number;
  readonly admitted: number;
  readonly takenOver: number;
  /** Newcomers refused, by close cause. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Managers released, by reason. */
  readonly releases: Readonly<Record<string, number>>;
  /** Connections whose peer answered, closed without a reason from the ladder. */
  readonly healthyClosed: number;
  readonly peakManagers: number;
  readonly leaks: LeakReport;
  /** The first promise that was broken, or `null`. */
  readonly violation: Violation | null;
}

const hourMs = 3_600_000;
const quarterMs = hourMs / 4;

/** How much simulated time passes at most before the process may notice signals and rejections. */
const turnMs = 10_000;

/** How many people are made before it may. */
const peoplePerTurn = 1_000;

/** Runs the real core through a day of a population. @throws EscapedError if the core throws */
export async function simulateDay(options: DayOptions): Promise<DayReport> {
  const startedAtMs = performance.now();
  const { hours, users, seed, scenario, config = {} } = options;
  const world = new World({ seed, config, goesOn: true });
  const counts = countEvents(world);
  const leaks = new LeakObserver(world, world.config);
  await run(world, options);
  const kpis = world.mooring.kpis();
  await withoutEscape(world, () => world.end());
  return {
    scenario,
    hours,
    users,
    seed,
    kpis,
    occurrences: world.time.occurrences,
    wanted: world.wanted,
    ...counts,
    healthyClosed: world.invariants.healthyClosed,
    leaks: leaks.report(),
    violation: world.violation,
    realMs: performance.now() - startedAtMs,
  };
}

/** The same day under another algorithm. @throws EscapedError if that throws */
export async function compareDay(name: SeedName, options: DayOptions): Promise<LeakReport> {
  const { config } = loadConfig({ env: {}, environment: 'production', overrides: options.config ?? {} });
  const { maxManagersPerUser } = config;
  const server = new SeedServer({ seed: options.seed, rules: seedRules[name], maxManagersPerUser });
  const leaks = new LeakObserver(server, config);
  await run(server, options);
  return leaks.report();
}

async function run(server: SimulatedServer, { hours, users, scenario, onProgress }: DayOptions): Promise<void> {
  const { population } = scenarios[scenario];
  const forMs = Math.round(hours * hourMs);
  const people = await populate(server, { users, population, forMs });
  planFaults(server, { people, population, forMs });
  await withoutEscape(server, async (hasEscaped) => {
    for (let atMs = 0; atMs < forMs && !hasEscaped();) {
      atMs = Math.min(atMs + turnMs, forMs);
      await server.runUntil(atMs);
      await nextTurn();
      if (atMs % quarterMs === 0 || atMs === forMs) onProgress?.({ hours: atMs / hourMs, managers: server.slotCount });
    }
  });
}

/** @throws EscapedError */
async function withoutEscape(server: SimulatedServer, act: Parameters<typeof escapeOf>[0]): Promise<void> {
  const escape = await escapeOf(act);
  if (escape !== null) throw new EscapedError(violationOf(escape, server.time.now()), { cause: escape.error });
}

interface Plan {
  readonly population: Population;
  readonly forMs: number;
}

async function populate(
  server: SimulatedServer,
  { users, population, forMs }: Plan & { users: number },
): Promise<Person[]> {
  const people: Person[] = [];
  while (people.length < users) {
    const number = people.length;
    const isHostile = number < users * population.hostileRatio;
    const person = new Person(server, { userId: `user-${String(number)}`, population, isHostile });
    person.liveFor(forMs);
    people.push(person);
    if (people.length % peoplePerTurn === 0) await nextTurn();
  }
  return people;
}

/** Plans what happens to all users: deploys and stalls. */
function planFaults(
  server: SimulatedServer,
  { people, population, forMs }: Plan & { people: readonly Person[] },
): void {
  const { deploysPerHour, deployReach, stallsPerHour, stallMs } = population;
  const chance = server.chance.fork();
  const plan = (perHour: number, act: () => void): void => {
    const untilNextMs = (): number => chance.waitFor(hourMs / perHour);
    for (let atMs = untilNextMs(); atMs < forMs; atMs += untilNextMs()) server.time.schedule(atMs, act);
  };
  plan(deploysPerHour, () => {
    deploy(people, { chance, reach: deployReach });
  });
  plan(stallsPerHour, () => server.stall(stallMs));
}

/** A proxy between clients and server is replaced: some connections are reset, some are cut off silently. */
function deploy(people: readonly Person[], { chance, reach }: { chance: Chance; reach: number }): void {
  for (const person of people) {
    for (const tab of person.tabs) {
      if (!chance.is(reach)) continue;
      if (chance.is(0.5)) tab.cutOff();
      else tab.reset();
    }
  }
}

/** Counts the events of a world from now on. */
function countEvents({ mooring }: World) {
  const counts = {
    admitted: 0,
    takenOver: 0,
    refusals: {} as Record<string, number>,
    releases: {} as Record<string, number>,
    peakManagers: 0,
  };
  mooring.events.on('manager.admitted', () => {
    counts.admitted += 1;
    counts.peakManagers = Math.max(counts.peakManagers, mooring.managerCount);
  });
  mooring.events.on('connection.replaced', () => {
    counts.takenOver += 1;
  });
  mooring.events.on('admission.refused', ({ closeCause }) => {
    counts.refusals[closeCause] = (counts.refusals[closeCause] ?? 0) + 1;
  });
  mooring.events.on('manager.released', ({ reason }) => {
    counts.releases[reason] = (counts.releases[reason] ?? 0) + 1;
  });
  return counts;
}
