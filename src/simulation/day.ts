import { loadConfig } from '../config/load-config.js';
import type { MooringEvent } from '../core/events.js';
import type { SuccessReport } from '../core/kpis/kpi.js';
import type { WebSocketConfig } from '../core/settings.js';
import type { Chance } from './chance.js';
import { EscapedError, escapeOf, violationOf } from './escape.js';
import type { Violation } from './promises.js';
import { LeakBook, type LeakReport } from './leaks.js';
import { Person, untilNext } from './person.js';
import { scenarios, type Population, type ScenarioName } from './population.js';
import { SeedServer } from './seed/server.js';
import { seedRules, type SeedName } from './seed/rules.js';
import type { SimulatedServer } from './server.js';
import { nextTurn } from './turn.js';
import { World } from './world.js';

/** What is simulated. */
export interface DayOptions {
  /** How long it is; parts of a millisecond are rounded. */
  readonly hours: number;
  readonly users: number;
  /** 0 to 4294967295: another number would mean one of these. */
  readonly seed: number;
  readonly scenario: ScenarioName;
  /** Settings that differ from the production preset. */
  readonly config?: Partial<WebSocketConfig>;
  /** Called once in a simulated quarter of an hour, and at the end. */
  readonly onProgress?: (progress: { readonly hours: number; readonly managers: number }) => void;
}

/** How a day went. */
export interface DayReport {
  readonly scenario: ScenarioName;
  readonly hours: number;
  readonly users: number;
  readonly seed: number;
  readonly kpis: SuccessReport;
  /** Timers fired, and things that happened on the network. */
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

/** How much happens, at most, before the process may hear of signals and of rejections: so much simulated time. */
const breathMs = 10_000;

/** As much, while the people are made. */
const peoplePerBreath = 1_000;

/** Runs the real core through a day of a population. @throws EscapedError where the core throws */
export async function simulateDay(options: DayOptions): Promise<DayReport> {
  const startedAtMs = performance.now();
  const { hours, users, seed, scenario, config = {} } = options;
  const world = new World({ seed, config, goesOn: true });
  const books = new Books(world);
  const leaks = new LeakBook(world, world.config);
  await liveThrough(world, options);
  const kpis = world.mooring.kpis();
  await withoutEscape(world, () => world.end());
  const { occurrences } = world.time;
  return {
    scenario,
    hours,
    users,
    seed,
    kpis,
    occurrences,
    ...books.close(),
    leaks: leaks.report(),
    violation: world.violation,
    realMs: performance.now() - startedAtMs,
  };
}

/** The same day under another algorithm. @throws EscapedError where that throws */
export async function compareDay(name: SeedName, options: DayOptions): Promise<LeakReport> {
  const { config } = loadConfig({ env: {}, environment: 'production', overrides: options.config ?? {} });
  const { maxManagersPerUser } = config;
  const server = new SeedServer({ seed: options.seed, rules: seedRules[name], maxManagersPerUser });
  const leaks = new LeakBook(server, config);
  await liveThrough(server, options);
  return leaks.report();
}

async function liveThrough(server: SimulatedServer, { hours, users, scenario, onProgress }: DayOptions): Promise<void> {
  const { population } = scenarios[scenario];
  const forMs = Math.round(hours * hourMs);
  const people = await populate(server, { users, population, forMs });
  plan(server, { people, population, forMs });
  await withoutEscape(server, async (hasEscaped) => {
    for (let atMs = 0; atMs < forMs && !hasEscaped();) {
      atMs = Math.min(atMs + breathMs, forMs);
      await server.runUntil(atMs);
      await nextTurn();
      if (atMs % quarterMs === 0 || atMs === forMs) onProgress?.({ hours: atMs / hourMs, managers: server.slotCount });
    }
  });
}

/** @throws EscapedError */
async function withoutEscape(server: SimulatedServer, run: Parameters<typeof escapeOf>[0]): Promise<void> {
  const escape = await escapeOf(run);
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
    if (people.length % peoplePerBreath === 0) await nextTurn();
  }
  return people;
}

/** What happens to all of them: deploys and stalls. */
function plan(server: SimulatedServer, { people, population, forMs }: Plan & { people: readonly Person[] }): void {
  const { deploysPerHour, deployReach, stallsPerHour, stallMs } = population;
  const { time } = server;
  const chance = server.chance.fork();
  for (let atMs = untilNext(deploysPerHour, chance); atMs < forMs; atMs += untilNext(deploysPerHour, chance))
    time.schedule(atMs, () => {
      deploy(people, { chance, reach: deployReach });
    });
  for (let atMs = untilNext(stallsPerHour, chance); atMs < forMs; atMs += untilNext(stallsPerHour, chance))
    time.schedule(atMs, () => {
      server.stall(stallMs);
    });
}

/** Something between the clients and the server is replaced: some connections are reset, some just lead nowhere. */
function deploy(people: readonly Person[], { chance, reach }: { chance: Chance; reach: number }): void {
  for (const person of people) {
    for (const tab of person.tabs) {
      if (!chance.is(reach)) continue;
      if (chance.is(0.5)) tab.cutOff();
      else tab.reset();
    }
  }
}

/** What is counted on the way. */
class Books {
  readonly #world: World;
  readonly #refusals: Record<string, number> = {};
  readonly #releases: Record<string, number> = {};
  #admitted = 0;
  #takenOver = 0;
  #peak = 0;

  constructor(world: World) {
    this.#world = world;
    const { mooring } = world;
    const { events } = mooring;
    events.on('manager.admitted', () => {
      this.#admitted += 1;
      this.#peak = Math.max(this.#peak, mooring.managerCount);
    });
    events.on('connection.replaced', () => {
      this.#takenOver += 1;
    });
    events.on('admission.refused', ({ closeCause }: MooringEvent<'admission.refused'>) => {
      this.#refusals[closeCause] = (this.#refusals[closeCause] ?? 0) + 1;
    });
    events.on('manager.released', ({ reason }: MooringEvent<'manager.released'>) => {
      this.#releases[reason] = (this.#releases[reason] ?? 0) + 1;
    });
  }

  close() {
    return {
      wanted: this.#world.wanted,
      admitted: this.#admitted,
      takenOver: this.#takenOver,
      refusals: this.#refusals,
      releases: this.#releases,
      healthyClosed: this.#world.invariants.healthyClosed,
      peakManagers: this.#peak,
    };
  }
}
