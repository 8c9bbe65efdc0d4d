import { createMooring, isPending, type ManagedConnection, type Mooring } from '../src/index.js';
import { collect, pause, serveCase } from './support/case.js';
import { GcWatch, gcWithin, lengthOf, type Span } from './support/gc.js';
import { LeapTime, type Stretch } from './support/leap-time.js';
import { fieldsAt, idsFor } from './support/people.js';
import { QuietConnection } from './support/quiet-connection.js';

/**
 * Which managers are due in the cycle that is measured.
 * `none`: no deadline is near. `steady`: all managers are active, and a tenth is looked at, as in every minute of a
 * running server. `some`: one in a hundred is idle. `all`: all are idle.
 */
export type Situation = 'none' | 'steady' | 'some' | 'all';

export interface BackgroundInput {
  readonly managers: number;
  readonly situation: Situation;
}

/** One cycle. A slice is the time for which the cycle keeps the process's one thread. */
export interface Cycle {
  readonly durationMs: number;
  readonly busyMs: number;
  readonly gcMs: number;
  readonly longestSliceMs: number;
  /** Without the time spent waiting for a CPU. */
  readonly longestSliceWithoutWaitMs: number;
  /** Without the time spent waiting for a CPU, and without collections. */
  readonly longestSliceWithoutGcMs: number;
  /** Of the timers in the 1.5 s after the cycle, which destroy sockets that did not answer the close frame. */
  readonly longestTimerMs: number;
  readonly longestTimerWithoutGcMs: number;
  readonly slices: number;
  readonly cleaned: number;
}

export interface BackgroundOutput extends BackgroundInput {
  readonly cycles: readonly Cycle[];
}

const idleMs = 600_000;
const minuteMs = 60_000;

serveCase(async ({ managers, situation }: BackgroundInput): Promise<BackgroundOutput> => {
  for (let round = 0; round < 3; round++) await run(2_000, situation);
  return { managers, situation, cycles: await run(managers, situation) };
});

function run(managers: number, situation: Situation): Promise<Cycle[]> {
  const world = new World(managers);
  switch (situation) {
    case 'none':
      return world.runNone();
    case 'steady':
      return world.runSteady();
    case 'some':
      return world.runDue(managers / 100);
    case 'all':
      return world.runDue(managers);
  }
}

/** Managers, and simulated time. */
class World {
  readonly #managers: number;
  readonly #time = new LeapTime();
  readonly #mooring: Mooring;
  readonly #ids: string[];
  readonly #connections: ManagedConnection[] = [];

  constructor(managers: number) {
    this.#managers = managers;
    this.#ids = idsFor(managers);
    const never = 86_400_000;
    const config = { heartbeatIntervalMs: never, backgroundCleanupIntervalMs: never };
    this.#mooring = createMooring({ environment: 'production', env: {}, ...config, time: this.#time });
  }

  /** All managers arrive at once. Then there is a cycle each minute, until the first manager could be idle. */
  async runNone(): Promise<Cycle[]> {
    this.#admit(this.#managers);
    const cycles: Cycle[] = [];
    for (let minute = 1; minute < 10; minute++) {
      this.#time.leap(minuteMs);
      cycles.push(await this.#cycle());
    }
    return this.#end(cycles);
  }

  /** Managers arrive all the time, none goes, and all are active. */
  async runSteady(): Promise<Cycle[]> {
    for (let second = 0; second < idleMs / 1_000; second++) {
      this.#admit(Math.ceil(((second + 1) * this.#managers) / 600) - this.#connections.length);
      this.#time.leap(1_000);
    }
    const cycles: Cycle[] = [];
    for (let minute = 0; minute < 12; minute++) {
      for (const connection of this.#connections) connection.received();
      this.#time.leap(minuteMs / 2);
      const cycle = await this.#cycle();
      if (minute > 0) cycles.push(cycle);
      this.#time.leap(minuteMs / 2);
    }
    return this.#end(cycles);
  }

  /** This many managers have been idle long enough; the others came later. */
  async runDue(due: number): Promise<Cycle[]> {
    this.#admit(Math.round(due));
    this.#time.leap(idleMs / 2);
    this.#admit(this.#managers - this.#connections.length);
    this.#time.leap(idleMs / 2);
    const cycle = await this.#cycle(1_500);
    if (cycle.cleaned !== Math.round(due)) throw new Error(`${cycle.cleaned} cleaned instead of ${due}`);
    return this.#end([cycle]);
  }

  #admit(count: number): void {
    for (let added = 0; added < count; added++) {
      const outcome = this.#mooring.decide(fieldsAt(this.#ids, this.#connections.length));
      if (isPending(outcome) || outcome.refusal !== null) throw new Error('not admitted at once');
      const { connection } = outcome.ticket.open(new QuietConnection());
      if (connection === null) throw new Error('not opened');
      this.#connections.push(connection);
    }
  }

  async #cycle(thenForMs = 0): Promise<Cycle> {
    collect();
    // The collector's helper threads go on for a while, on the cores that the cycle is measured on.
    await pause(300);
    const watch = new GcWatch();
    this.#time.slices.length = 0;
    this.#time.timers.length = 0;
    // From its first slice to its last, since reading how long it waited for a CPU takes as long as an empty cycle.
    let span: Span = { from: 0, to: 0 };
    const { cleaned } = await this.#time.flow(async () => {
      const result = await this.#mooring.backgroundCleanup.runCycle();
      span = { from: this.#time.slices[0]?.from ?? 0, to: this.#time.slices.at(-1)?.to ?? 0 };
      if (thenForMs > 0) await pause(thenForMs);
      return result;
    });
    return this.#measured(span, { cleaned, pauses: await watch.finish() });
  }

  #measured(cycle: Span, { cleaned, pauses }: { cleaned: number; pauses: readonly Span[] }): Cycle {
    const { slices, timers } = this.#time;
    const longest = (all: readonly Stretch[], lessMs: (stretch: Stretch) => number = () => 0): number =>
      Math.max(0, ...all.map((stretch) => lengthOf(stretch) - lessMs(stretch)));
    const wait = ({ waitedMs }: Stretch): number => waitedMs;
    const waitAndGc = (stretch: Stretch): number => stretch.waitedMs + gcWithin(stretch, pauses);
    return {
      durationMs: lengthOf(cycle),
      busyMs: slices.reduce((sum, slice) => sum + lengthOf(slice), 0),
      gcMs: gcWithin(cycle, pauses),
      longestSliceMs: longest(slices),
      longestSliceWithoutWaitMs: longest(slices, wait),
      longestSliceWithoutGcMs: longest(slices, waitAndGc),
      longestTimerMs: longest(timers),
      longestTimerWithoutGcMs: longest(timers, waitAndGc),
      slices: slices.length,
      cleaned,
    };
  }

  async #end(cycles: Cycle[]): Promise<Cycle[]> {
    const stopped = this.#mooring.stop();
    await this.#time.leapAsync(this.#managers / 5 + minuteMs);
    await stopped;
    return cycles;
  }
}
