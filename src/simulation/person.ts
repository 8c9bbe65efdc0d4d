import type { Chance } from './chance.js';
import { PeerProcess } from './peer-process.js';
import type { Population } from './population.js';
import type { SimulatedServer } from './server.js';
import { wellBehaved } from './traits.js';
import { Tab } from './tab.js';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** The round trips of a user's connections differ so much from that of their network. */
const jitter = 0.3;

interface Life {
  readonly userId: string;
  readonly population: Population;
  readonly isHostile: boolean;
}

/** A user: comes once in a while, opens tabs, works, and goes. */
export class Person {
  readonly server: SimulatedServer;
  readonly chance: Chance;
  readonly userId: string;
  readonly population: Population;
  readonly isHostile: boolean;
  readonly tabs = new Set<Tab>();
  readonly #usualTabs: number;
  readonly #isOnPhone: boolean;
  readonly #networkMs: number;
  /** Whether all its connections live in one process that pauses. */
  readonly #pausesTogether: boolean;
  #process: PeerProcess | null = null;
  #threads = 0;

  constructor(server: SimulatedServer, { userId, population, isHostile }: Life) {
    this.server = server;
    this.chance = server.chance.fork();
    this.userId = userId;
    this.population = population;
    this.isHostile = isHostile;
    const { median, sigma, max } = population.tabs;
    this.#usualTabs = Math.min(max, Math.max(1, Math.round(this.chance.logNormal(median, sigma))));
    this.#isOnPhone = this.chance.is(population.phoneRatio);
    this.#networkMs = this.chance.logNormal(population.roundTripMs.median, population.roundTripMs.sigma);
    const { ratio, togetherRatio } = population.pauses;
    this.#pausesTogether = this.chance.is(ratio * togetherRatio);
  }

  newThread(): string {
    this.#threads += 1;
    return `thread_${String(this.#threads)}`;
  }

  /** Sessions for so long, more of them in busy hours. */
  liveFor(forMs: number): void {
    const { chance, population } = this;
    const { quietest, busiest } = population.rhythm;
    const busiestRate = (population.sessionsPerDay * busiest * 2) / ((quietest + busiest) * dayMs);
    for (let atMs = chance.waitFor(1 / busiestRate); atMs < forMs; atMs += chance.waitFor(1 / busiestRate)) {
      if (chance.is(this.#rhythmAt(atMs) / busiest)) this.server.time.schedule(atMs, this.#beginSession);
    }
  }

  closed(tab: Tab): void {
    this.tabs.delete(tab);
  }

  readonly #beginSession = (): void => {
    const { chance, population } = this;
    const { median, sigma, min, max } = population.sessionMs;
    const forMs = Math.min(max, Math.max(min ?? 0, chance.logNormal(median, sigma)));
    const count = this.isHostile ? population.hostileTabs : this.#usualTabs;
    for (let number = 0; number < count; number++) {
      const afterMs = this.isHostile ? chance.between(0, 5_000) : chance.between(0, Math.min(forMs / 4, 300_000));
      this.server.time.schedule(afterMs, () => {
        this.#openTab(forMs - afterMs);
      });
    }
  };

  #openTab(forMs: number): void {
    const { chance, population } = this;
    const { min, max } = population.roundTripMs;
    const process = this.#someProcess();
    const { talk } = population;
    const isTalkative = process !== null && chance.is(talk.ratio);
    const tab = new Tab(this, {
      traits: {
        ...wellBehaved,
        roundTripMs: Math.min(max, Math.max(min ?? 1, chance.logNormal(this.#networkMs, jitter))),
        lossRatio: population.lossRatio,
        closeAfterMs: chance.is(0.02) ? null : 0,
        throwsFrom: chance.is(0.001) ? ['close'] : [],
      },
      sendsKeepalives: chance.is(population.keepalive.ratio),
      hearsBroadcasts: chance.is(population.broadcast.ratio),
      process,
      talkEveryMs: isTalkative ? chance.logUniform(talk.everyMs.min, talk.everyMs.max) : null,
      deathRatio: population.silentDeathRatio[this.#isOnPhone ? 'phone' : 'desktop'],
    });
    this.tabs.add(tab);
    tab.open(forMs);
  }

  /** What a new tab lives in, if that pauses once in a while. */
  #someProcess(): PeerProcess | null {
    const { ratio, togetherRatio } = this.population.pauses;
    if (this.#pausesTogether) this.#process ??= this.#pausingProcess();
    const isAlone = !this.#pausesTogether && this.chance.is(ratio * (1 - togetherRatio));
    return isAlone ? this.#pausingProcess() : this.#process;
  }

  #pausingProcess(): PeerProcess {
    const { server, population } = this;
    const chance = this.chance.fork();
    const { minMs, maxMs, everyMs } = population.pauses;
    const process = new PeerProcess(server.time, server.now);
    const untilNextMs = (): number => chance.between(everyMs.min, everyMs.max);
    server.time.recur(untilNextMs(), () => {
      if (server.isEnding) return null;
      const forMs = chance.between(minMs, maxMs);
      process.pause(forMs);
      return forMs + untilNextMs();
    });
    return process;
  }

  /** A sine over the day, between the quietest and the busiest. */
  #rhythmAt(atMs: number): number {
    const { quietest, busiest } = this.population.rhythm;
    const middle = (quietest + busiest) / 2;
    return middle - ((busiest - quietest) / 2) * Math.cos((2 * Math.PI * (atMs % dayMs)) / dayMs);
  }
}

/** How long until something that happens so often in an hour. */
export function untilNext(perHour: number, chance: Chance): number {
  return chance.waitFor(hourMs / perHour);
}
