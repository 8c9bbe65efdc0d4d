import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { livingSlots, operatorOf } from './redis-operator.js';
import { startRedis, type RunningRedis } from './redis-server.js';
import { startShared, temporaryFolder, type SharedProcess } from './shared-process.js';
import {
  firstBreaches,
  judge,
  readHistory,
  readNotes,
  readUnanswered,
  storyOf,
  type Fault,
  type SlotEvent,
  type Verdict,
} from './slot-history.js';

/** How Redis fails: it ends and comes back empty, stands still, or forgets everything. */
export type RedisFault = 'killed' | 'paused' | 'emptied';

/** A run of four processes that share a quota, under faults. */
export interface ExactLimitRun {
  /** The processes use them in turn. @default the built library */
  readonly libraries?: readonly string[];
  readonly users: number;
  readonly limit: number;
  /** How many threads a user has. */
  readonly threads: number;
  /** How many managers each process would hold, if it had them all. */
  readonly held: number;
  /** How many admissions of a process are under way, and how many are begun in a second, at most. */
  readonly atOnce: number;
  readonly perSecond: number;
  /**
   * For each, a process is stopped for 8 s and two others are killed, and then Redis fails; `null`: it does not. A turn takes
   * some 20 s.
   */
  readonly turns: readonly (RedisFault | null)[];
  /** It goes on without faults until there have been so many admissions, for at most five minutes. @default 0 */
  readonly admissions?: number;
}

/** What a run has shown. */
export interface ExactLimitResult {
  readonly verdict: Verdict;
  readonly kills: number;
  readonly freezes: number;
  readonly redisFaults: Readonly<Record<RedisFault, number>>;
  /** How many times a process could not ask Redis, although nothing was done to it or to Redis. */
  readonly ledgerTroubles: number;
  /** For each process that Redis had been gone for, how long it took until it shared the quota again, in milliseconds. */
  readonly returnsMs: readonly number[];
  /** Slots that Redis had in the end, and no process; and the other way round. */
  readonly unequal: readonly string[];
  /** What happened to the user and to the processes around the first breaches. */
  readonly stories: readonly string[];
}

const processes = 4;
const settings = Object.freeze({
  environment: 'production',
  idleManagerTimeoutMs: null,
  // No cleanups but those for newcomers: what is to be seen here is the quota.
  proactiveCleanupThreshold: 1,
  criticalThreshold: 1,
  emergencyThreshold: 1,
});
const promised = Object.freeze({ beatMs: 1_000, nodeTimeoutMs: 5_000 });

/** How long a stopped process stands still, and Redis when it is paused, in milliseconds. */
const frozenMs = 8_000;
const pausedMs = 3_000;

/** How long it may take, at rest, until Redis has what the processes have, in milliseconds. */
const quietWithinMs = 15_000;

/** The time of the machine, as the processes write it. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Plays a run to its end, and judges what its processes wrote. */
export async function playExactLimit(run: ExactLimitRun): Promise<ExactLimitResult> {
  const fleet = new Fleet(run, await startRedis());
  await fleet.start();
  for (const [turn, fault] of run.turns.entries()) await playTurn(fleet, turn, fault);
  await fleet.goOn(run.admissions ?? 0);
  await fleet.end();
  return fleet.result();
}

async function playTurn(fleet: Fleet, turn: number, fault: RedisFault | null): Promise<void> {
  const [first, second, third] = [turn % processes, (turn + 1) % processes, (turn + 2) % processes];
  const thawed = fleet.freeze(first);
  await sleep(2_000);
  await fleet.kill(second);
  await fleet.kill(third);
  await thawed;
  // Until what it held is counted again, so that it can be seen what happens then.
  await sleep(4_500);
  if (fault !== null) await fleet.spoilRedis(fault);
}

/** The processes of a run, and what is done to them. */
class Fleet {
  readonly #run: ExactLimitRun;
  readonly #redis: RunningRedis;
  readonly #folder = temporaryFolder();
  readonly #all: { readonly name: string; readonly shared: SharedProcess }[] = [];
  #started = 0;
  /** By place, the process that is there now. */
  readonly #now: number[] = [];
  readonly #faults: Fault[] = [];
  readonly #redisFaults = { killed: 0, paused: 0, emptied: 0 };
  #unequal: string[] = [];

  constructor(run: ExactLimitRun, redis: RunningRedis) {
    this.#run = run;
    this.#redis = redis;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: processes }, (_, place) => this.#launch(place)));
    // Until they hold most of what they are to hold.
    await sleep(2_000);
  }

  /** Stops a process. Resolves when it goes on. */
  async freeze(place: number): Promise<void> {
    const { name, shared } = this.#at(place);
    shared.freeze();
    const fromMs = machineMs();
    await sleep(frozenMs);
    const untilMs = machineMs();
    shared.thaw();
    this.#faults.push({ what: 'frozen', process: name, fromMs, untilMs });
  }

  /** Kills a process, and starts another in its place. */
  async kill(place: number): Promise<void> {
    const { name, shared } = this.#at(place);
    this.#faults.push({ what: 'killed', process: name, fromMs: machineMs() });
    await shared.kill();
    await sleep(200);
    await this.#launch(place);
  }

  async spoilRedis(fault: RedisFault): Promise<void> {
    const fromMs = machineMs();
    if (fault === 'emptied') await (await operatorOf(this.#redis)).flushAll();
    else if (fault === 'paused') {
      this.#redis.signal('SIGSTOP');
      await sleep(pausedMs);
      this.#redis.signal('SIGCONT');
    } else {
      await this.#redis.kill();
      await sleep(1_000);
      await this.#redis.restart();
    }
    const untilMs = machineMs();
    this.#faults.push({ what: fault === 'emptied' ? 'redis emptied' : 'redis gone', fromMs, untilMs });
    this.#redisFaults[fault] += 1;
    await sleep(3_500);
  }

  /** Until there have been so many admissions. */
  async goOn(admissions: number): Promise<void> {
    const opens = (): number =>
      this.#all.reduce((sum, { shared }) => sum + readFileSync(shared.logFile, 'latin1').split(' open ').length - 1, 0);
    for (const untilMs = machineMs() + 300_000; machineMs() < untilMs && opens() < admissions;) await sleep(10_000);
  }

  /** Lets all of them come to rest, and compares what they hold with what Redis has. */
  async end(): Promise<void> {
    const living = this.#now.map((_, place) => this.#at(place).shared);
    for (const shared of living) shared.order('end');
    await Promise.all(living.map((shared) => shared.hears('ended')));
    const operator = await operatorOf(this.#redis);
    const untilMs = machineMs() + quietWithinMs;
    for (;;) {
      const { open } = this.#verdict();
      const stored = await livingSlots(operator);
      this.#unequal = [
        ...[...open].filter((slot) => !stored.has(slot)).map((slot) => `not in Redis: ${slot}`),
        ...[...stored].filter((slot) => !open.has(slot)).map((slot) => `in Redis only: ${slot}`),
      ];
      if (this.#unequal.length === 0 || machineMs() > untilMs) break;
      await sleep(1_000);
    }
    await Promise.all(living.map((shared) => shared.stop()));
  }

  result(): ExactLimitResult {
    const verdict = this.#verdict();
    const notes = this.#all.flatMap(({ name, shared }) => readNotes(name, shared.logFile));
    const history = { events: this.#events(), faults: this.#allFaults(), notes };
    const count = (what: Fault['what']): number => this.#faults.filter((fault) => fault.what === what).length;
    return {
      verdict,
      kills: count('killed'),
      freezes: count('frozen'),
      redisFaults: this.#redisFaults,
      ledgerTroubles: this.#unanswered().length,
      returnsMs: this.#returnsMs(),
      unequal: this.#unequal,
      stories: firstBreaches(verdict).map((breach) => storyOf(breach, history)),
    };
  }

  /** When Redis did not answer in time although nothing was done to it, or to the process that asked. */
  #unanswered(): Extract<Fault, { what: 'unanswered' }>[] {
    const afterMs = 8_000;
    return this.#all
      .flatMap(({ name, shared }) => readUnanswered(name, shared.logFile))
      .filter(({ process, fromMs }) =>
        this.#faults.every(
          (fault) =>
            fault.what === 'killed' ||
            ('process' in fault && fault.process !== process) ||
            fromMs < fault.fromMs ||
            fault.untilMs + afterMs < fromMs,
        ),
      );
  }

  #returnsMs(): number[] {
    const outages = this.#all.flatMap(({ name, shared }) => readUnanswered(name, shared.logFile));
    return this.#faults.flatMap((fault) => {
      if (fault.what !== 'redis gone') return [];
      const during = outages.filter(
        ({ fromMs, untilMs }) => fault.fromMs <= fromMs && fromMs <= fault.untilMs + 1_000 && untilMs > fault.untilMs,
      );
      return during.map(({ untilMs }) => untilMs - fault.untilMs);
    });
  }

  #verdict(): Verdict {
    return judge(this.#events(), this.#allFaults(), { ...promised, limit: this.#run.limit });
  }

  #events(): SlotEvent[] {
    return this.#all.flatMap(({ name, shared }) => readHistory(name, shared.logFile));
  }

  #allFaults(): Fault[] {
    return [...this.#faults, ...this.#unanswered()];
  }

  async #launch(place: number): Promise<void> {
    const { libraries = [], users, limit, threads, held, atOnce, perSecond } = this.#run;
    const index = this.#started;
    this.#started += 1;
    const name = `process-${index}`;
    const setup = {
      library: libraries[index % libraries.length],
      redisUrl: this.#redis.url,
      client: index % 2 === 0 ? ('redis' as const) : ('ioredis' as const),
      settings: { ...settings, maxManagersPerUser: limit },
      logFile: join(this.#folder, `${name}.log`),
    };
    const shared = await startShared('shared-churn', setup, { churn: { users, threads, held, atOnce, perSecond } });
    this.#all[index] = { name, shared };
    this.#now[place] = index;
  }

  #at(place: number) {
    const found = this.#all[this.#now[place] ?? -1];
    if (found === undefined) throw new RangeError(`no process is at ${place}`);
    return found;
  }
}
