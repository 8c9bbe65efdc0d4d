import { epochOf } from '../../../src/redis/claims.js';
import { Host, patienceMs } from './host.js';
import { Judges } from './judges.js';
import { Link } from './link.js';
import { ProcessTime } from './process-time.js';
import { WorldRedis } from './server.js';
import { processCount, type Schedule, type Step, type StepKind } from './steps.js';
import { Troubles } from './troubles.js';
import { WorldTime } from './world-time.js';
import { parseSlot } from '../redis-model/stored.js';

/** A process and its connection. */
interface Process {
  readonly host: Host;
  readonly link: Link;
}

/** How often the judges look. */
const checkMs = 200;

/** Processes that share a quota, under one simulated time, and everything that happens to them. */
export class World {
  readonly judges: Judges;
  readonly #time = new WorldTime();
  readonly #server: WorldRedis;
  readonly #troubles: Troubles;
  readonly #schedule: Schedule;
  /** By place. */
  readonly #processes: (Process | null)[];
  /** All that there have been. */
  readonly #all: Process[] = [];
  readonly #tell: (line: string) => void;
  /** Until when Redis has a trouble that all have. */
  #troubledUntilMs = 0;

  /** @param tell gets each thing that happens, in words */
  constructor(schedule: Schedule, tell: (line: string) => void = () => undefined) {
    this.#schedule = schedule;
    this.#tell = (line) => {
      tell(`${(this.#time.now() / 1_000).toFixed(3).padStart(8)}  ${line}`);
    };
    this.#server = new WorldRedis(this.#time, { users: schedule.users, tell: this.#tell });
    this.#troubles = new Troubles(() => this.#time.now());
    this.judges = new Judges({
      limit: schedule.limit,
      server: this.#server,
      troubles: this.#troubles,
      nowMs: () => this.#time.now(),
      hosts: () => this.#living().map(({ host }) => host),
      tell: this.#tell,
    });
    this.#processes = Array.from({ length: processCount }, (_, place) => this.#start(place));
  }

  /** Lets time pass, until something is broken. */
  async advance(byMs: number): Promise<void> {
    for (let leftMs = byMs; leftMs > 0 && this.judges.violation === null; leftMs -= checkMs) {
      await this.#time.advance(Math.min(checkMs, leftMs));
      this.judges.check();
    }
  }

  /** All faults end. */
  heal(): void {
    this.#server.heal();
    for (const { link, host } of this.#living()) {
      link.disarm();
      const nowMs = this.#time.now();
      link.cutUntilMs = Math.min(link.cutUntilMs, nowMs);
      link.stalledUntilMs = Math.min(link.stalledUntilMs, nowMs);
      host.time.goOn();
    }
  }

  /** Redis has exactly what the processes hold, and no thread is in two. */
  checkQuiet(): void {
    const hosts = this.#living().map(({ host }) => host);
    for (const { place, state, isAsking } of hosts) {
      if (state !== 'up') this.judges.report('is up again', `the ledger of process ${place} is ${state}`);
      if (isAsking) this.judges.report('answers in time', `process ${place} still waits for an answer`);
    }
    const held = hosts.flatMap(({ id, managers }) =>
      [...managers.values()].map(
        ({ claim: { userId, threadId } }) => `${userId} ${threadId} ${this.#server.processIds.get(id) ?? '?'}`,
      ),
    );
    const [inRedis, wanted] = [this.#slots().sort().join(', '), held.sort().join(', ')];
    if (inRedis !== wanted) this.judges.report('Redis has what is held', `it has [${inRedis}], wanted [${wanted}]`);
  }

  endAll(): void {
    for (const { host } of this.#living()) host.endAll();
  }

  checkNothingHeld(): void {
    const slots = this.#slots();
    if (slots.length > 0)
      this.judges.report('places come back', `nobody is there, and Redis has [${slots.join(', ')}]`);
  }

  async stopAll(): Promise<void> {
    const stopped = Promise.all(this.#living().map(({ host }) => host.stop()));
    await this.#time.advance(400);
    await stopped;
  }

  checkStopped(): void {
    const { epochs } = this.#server;
    const timers = this.#all
      .filter(({ host }) => !host.time.isOver)
      .reduce((sum, { host }) => sum + host.time.pendingTimers, 0);
    if (epochs > 0) this.judges.report('stop leaves nothing', `${epochs} epochs are left`);
    if (this.#slots().length > 0) this.judges.report('stop leaves nothing', `Redis has [${this.#slots().join(', ')}]`);
    if (timers > 0) this.judges.report('stop leaves nothing', `${timers} timers are left`);
  }

  perform(step: Step): void {
    const act = this.#acts[step.kind] as (step: Step) => void;
    act(step);
    this.judges.check();
  }

  readonly #acts: { readonly [Kind in StepKind]: (step: Extract<Step, { kind: Kind }>) => void } = {
    arrive: ({ process, ...newcomer }) => {
      const host = this.#at(process)?.host;
      host?.time.deliver(() => {
        this.#tell(`${newcomer.user} ${newcomer.thread} comes to process ${process}`);
        const now = this.#time.now();
        host.arrive({ ...newcomer, arrivedAtMs: now, patientUntilMs: now + patienceMs });
      });
    },
    end: ({ process, user, thread }) => {
      const host = this.#at(process)?.host;
      host?.time.deliver(() => {
        host.end(user, thread);
      });
    },
    kill: ({ process, backAfterMs }) => {
      const former = this.#at(process);
      if (former === null || former.host.isStopping) return;
      former.host.time.end();
      this.judges.killed(former.host);
      this.#processes[process] = null;
      this.#time.setTimer(() => {
        this.#processes[process] ??= this.#start(process);
      }, backAfterMs);
    },
    replace: ({ process }) => {
      const former = this.#at(process);
      if (former === null || former.host.isStopping) return;
      former.host.time.deliver(() => {
        if (!former.host.isStopping) void this.#replace(process, former);
      });
    },
    pause: ({ process, forMs }) => {
      this.#during(process, forMs, ({ host: { time } }) => {
        time.standStill();
        this.#time.setTimer(() => {
          time.goOn();
        }, forMs);
      });
    },
    cut: ({ process, forMs }) => {
      this.#during(process, forMs + 50, ({ link }) => {
        link.cutUntilMs = Math.max(link.cutUntilMs, this.#time.now() + forMs);
      });
    },
    stall: ({ process, forMs }) => {
      this.#during(process, forMs, ({ link }) => {
        link.stalledUntilMs = Math.max(link.stalledUntilMs, this.#time.now() + forMs);
      });
    },
    break: ({ process, ...how }) => {
      this.#during(process, 50, ({ link }) => {
        link.break(how);
      });
    },
    fate: ({ process, script, fate, ...how }) => {
      this.#at(process)?.link.arm(script, fate, how);
    },
    'stand still': ({ forMs }) => {
      this.#everybody(forMs + 50);
      this.#server.pause();
      this.#time.setTimer(() => {
        this.#server.resume();
      }, forMs);
    },
    leap: ({ byMs }) => {
      this.#server.leap(byMs);
      this.judges.clockChanged(byMs);
    },
    save: () => {
      this.#server.save();
    },
    'fail over': ({ byMs, isProxied }) => {
      this.#server.failOver(byMs);
      this.judges.clockChanged(byMs);
      this.#lost(isProxied);
    },
    empty: ({ isProxied }) => {
      this.#server.restartEmpty();
      this.#lost(isProxied);
    },
    'delete user': ({ user }) => {
      this.#server.deleteUser(user);
      this.judges.lost(user);
    },
    'delete log': ({ user }) => {
      this.#server.deleteLog(user);
      this.#everybody(50);
    },
    errors: ({ said, forMs }) => {
      this.#everybody(forMs + 50);
      this.#server.fail(said, forMs);
    },
  };

  #at(place: number): Process | null {
    return this.#processes[place] ?? null;
  }

  #living(): Process[] {
    return this.#processes.filter((process) => process !== null);
  }

  #start(place: number): Process {
    const id = this.#all.length;
    const time = new ProcessTime(this.#time, 1_000 + 777_777 * id);
    let link!: Link;
    const host = new Host({
      place,
      id,
      time,
      limit: this.#schedule.limit,
      seed: 1_000 * this.#schedule.seed + id,
      witness: this.judges,
      worldNow: () => this.#time.now(),
      makeClient: (onReady) => {
        link = new Link({
          world: this.#time,
          time,
          server: this.#server,
          id,
          isToldOfLoss: this.#schedule.isToldOfLoss[place] ?? false,
          onReady,
          onTrouble: (fromMs, untilMs) => {
            this.#troubles.add(id, fromMs, untilMs);
          },
        });
        return link;
      },
    });
    const process = { host, link };
    this.#all.push(process);
    // Until it has an epoch in each partition.
    this.#troubles.add(id, this.#time.now(), Math.max(this.#time.now() + 20, this.#troubledUntilMs));
    this.#tell(`process ${place} starts`);
    return process;
  }

  async #replace(place: number, former: Process): Promise<void> {
    const stopped = former.host.stop();
    this.#processes[place] = this.#start(place);
    await stopped;
    this.#tell(`process ${place} has stopped`);
  }

  #during(place: number, forMs: number, act: (process: Process) => void): void {
    const process = this.#at(place);
    if (process === null) return;
    this.#troubles.add(process.host.id, this.#time.now(), this.#time.now() + forMs);
    act(process);
  }

  #everybody(forMs: number): void {
    this.#troubledUntilMs = Math.max(this.#troubledUntilMs, this.#time.now() + forMs);
    for (const { host } of this.#living()) this.#troubles.add(host.id, this.#time.now(), this.#time.now() + forMs);
  }

  #lost(isProxied: boolean): void {
    this.#everybody(50);
    this.judges.lost(null);
    // What a replica still has of connections that have gone.
    for (const slot of this.#slots()) this.judges.left(slot.split(' ').slice(0, 2).join(' '));
    if (!isProxied) for (const { link } of this.#living()) link.break({ isLost: true, isResent: false });
  }

  /** The live slots of all users: user, field and process; `>` for a successor. */
  #slots(): string[] {
    return this.#server.partitions.flatMap(({ users, epochs }) =>
      [...users].flatMap(([user, fields]) =>
        [...fields].flatMap(([field, text]) => {
          const { holder, pending = null } = parseSlot(text) ?? {};
          const [live, successor] = [holder, pending].filter((claim) => claim && epochs.has(epochOf(claim)));
          if (!live) return [];
          return [`${user} ${field} ${live.processId}${successor ? `>${successor.processId}` : ''}`];
        }),
      ),
    );
  }
}
