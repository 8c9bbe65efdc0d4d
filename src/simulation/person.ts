import type { Chance } from './chance.js';
import { PeerProcess } from './peer-process.js';
import type { Population } from './population.js';
import type { SimulatedServer } from './server.js';
import { Tab } from './tab.js';
import { wellBehaved } from './traits.js';

const dayMs = 86_400_000;

/** The sigma of the round trips of a user's connections, around that of their network. */
const jitter = 0.3;

interface PersonOptions {
  readonly userId: string;
  readonly population: Population;
  readonly isHostile: boolean;
}

/** A user: comes for sessions, opens tabs, uses them and goes. */
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

  constructor(server: SimulatedServer, { userId, population, isHostile }: PersonOptions) {
    this.server = server;
    this.chance = server.chance.fork();
    this.userId = userId;
    this.population = population;
    this.isHostile = isHostile;
    this.#usualTabs = Math.round(this.chance.within(population.tabs));
    this.#isOnPhone = this.chance.is(population.phoneRatio);
    this.#networkMs = this.chance.logNormal(population.roundTripMs.median, population.roundTripMs.sigma);
    const { ratio, togetherRatio } = population.pauses;
    this.#pausesTogether = this.chance.is(ratio * togetherRatio);
  }

  newThread(): string {
    this.#threads += 1;
    return `thread_${String(this.#threads)}`;
  }

  /** Plans the sessions of this long, more of them in busy hours. */
  liveFor(forMs: number): void {
    const { chance, population } = this;
    const { quietest, busiest } = population.rhythm;
    const busiestRate = (population.sessionsPerDay * busiest * 2) / ((quietest + busiest) * dayMs);
    for (let atMs = chance.waitFor(1 / busiestRate); atMs < forMs; atMs += chance.waitFor(1 / busiestRate)) {
      if (chance.is(this.#rhythmAt(atMs) / busiest)) this.server.time.schedule(atMs, this.#beginSession);
    }
  }

  /** The tab was closed. */
  forget(tab: Tab): void {
    this.tabs.delete(tab);
  }

  readonly #beginSession = (): void => {
    const { chance, population } = this;
    const forMs = chance.within(population.sessionMs);
    const count = this.isHostile ? population.hostileTabs : this.#usualTabs;
    for (let number = 0; number < count; number++) {
      const afterMs = chance.between(0, this.isHostile ? 5_000 : Math.min(forMs / 4, 300_000));
      this.server.time.schedule(afterMs, () => this.#openTab(forMs - afterMs));
    }
  };

  #openTab(forMs: number): void {
    const { chance, population } = this;
    const process = this.#someProcess();
    const { talk } = population;
    const isTalkative = process !== null && chance.is(talk.ratio);
    const tab = new Tab(this, {
      traits: {
        ...wellBehaved,
        roundTripMs: chance.within({ ...population.roundTripMs, median: this.#networkMs, sigma: jitter }),
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

  /** The process of a new tab, if that sometimes pauses. */
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
