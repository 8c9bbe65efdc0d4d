import { partitionCount, partitionOf } from '../../../src/redis/partitions.js';
import type { PartitionState } from '../redis-model/partition.js';
import type { Reply } from '../../../src/redis/replies.js';
import type { ScriptCall } from '../../../src/redis/script-client.js';
import type { SimulatedTime } from '../../../src/testing/index.js';
import { SimulatedRedis } from '../simulated-redis.js';

/** Errors of Redis, and the scripts that have them. */
export const serverErrors = {
  "OOM command not allowed when used memory > 'maxmemory'.": ['register', 'beat', 'acquire', 'commit', 'assert'],
  'MISCONF Redis is configured to save RDB snapshots': 'all',
  "READONLY You can't write against a read only replica.": 'all',
  'BUSY Redis is busy running a script.': 'all',
} as const satisfies Record<string, 'all' | readonly string[]>;

export type ServerError = keyof typeof serverErrors;

/** A gap or a leap of Redis's time counts as at most two beats. */
const gapMs = 2_000;

/** The Redis of a world: the simulated one, with what the judges need to know about it. */
export class WorldRedis {
  /** By process: when its last beat was done in each partition, in {@link boundMs}. */
  readonly beats = new Map<number, number[]>();
  /** By process: its id. */
  readonly processIds = new Map<number, string>();
  readonly #redis = new SimulatedRedis();
  readonly #world: SimulatedTime;
  readonly #userPartitions: ReadonlySet<number>;
  readonly #tell: (line: string) => void;
  #isPaused = false;
  #pausedAtMs = 0;
  #standingMs = 0;
  #gaps = 0;
  #saved: PartitionState[] | null = null;
  #error: { readonly said: ServerError; readonly untilMs: number } | null = null;

  /** @param tell gets each call about users, and its reply */
  constructor(world: SimulatedTime, { users, tell }: { users: readonly string[]; tell: (line: string) => void }) {
    this.#world = world;
    this.#tell = tell;
    this.#userPartitions = new Set(users.map(partitionOf));
  }

  get partitions(): readonly PartitionState[] {
    return this.#redis.partitions;
  }

  get epochs(): number {
    return this.#redis.epochs;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** For how long it has been standing still. */
  get pausedForMs(): number {
    return this.#isPaused ? this.#world.now() - this.#pausedAtMs : 0;
  }

  /** At most so much time has passed by the clock of the partitions. */
  get boundMs(): number {
    const now = this.#isPaused ? this.#pausedAtMs : this.#world.now();
    return now - this.#standingMs + gapMs * this.#gaps;
  }

  isOfUsers({ keys }: ScriptCall): boolean {
    return this.#userPartitions.has(partitionIn(keys));
  }

  /** Whether a call is about a partition without users, and nothing is wrong: then it needs no simulated time. */
  isIdle(call: ScriptCall): boolean {
    return !this.isOfUsers(call) && !this.#isPaused && this.errorOf(call.name) === null;
  }

  /** @returns what Redis says instead of running the script; `null` if it runs it */
  errorOf(script: string): string | null {
    if (this.#error === null || this.#error.untilMs <= this.#world.now()) return null;
    const scripts: 'all' | readonly string[] = serverErrors[this.#error.said];
    return scripts === 'all' || scripts.includes(script) ? this.#error.said : null;
  }

  arrive(act: () => void): void {
    this.#redis.arrive(act);
  }

  /** @param process whose call it is */
  run(call: ScriptCall, process: number): Reply {
    const reply = this.#redis.run(call, this.#world.now());
    const partition = partitionIn(call.keys);
    const beats = this.beats.get(process) ?? Array.from({ length: partitionCount }, () => this.boundMs);
    this.beats.set(process, beats);
    if (call.name === 'beat') beats[partition] = this.boundMs;
    if (call.name !== 'beat' && this.isOfUsers(call)) {
      this.#tell(
        `    Redis: ${call.name} ${call.arguments.slice(4).join(' ')} (${call.arguments[0] ?? ''}) -> ${reply.join(' ')}`,
      );
    }
    if (call.name === 'register') this.processIds.set(process, (call.arguments[0] ?? '').slice(0, 8));
    return reply;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#pausedAtMs = this.#world.now();
    this.#redis.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#standingMs += this.#world.now() - this.#pausedAtMs;
    this.#gaps += 1;
    this.#redis.resume();
  }

  leap(byMs: number): void {
    this.#gaps += 1;
    this.#redis.aheadMs += byMs;
  }

  /** What a replica has. */
  save(): void {
    this.#saved = this.#redis.snapshot();
  }

  /** The replica takes over. Its clock is `byMs` ahead of the former. */
  failOver(byMs: number): void {
    this.leap(byMs);
    if (this.#saved === null) this.#redis.restartEmpty();
    else this.#redis.failOver(structuredClone(this.#saved));
  }

  restartEmpty(): void {
    this.#gaps += 1;
    this.#redis.restartEmpty();
  }

  fail(said: ServerError, forMs: number): void {
    this.#error = { said, untilMs: this.#world.now() + forMs };
  }

  heal(): void {
    this.#error = null;
    this.resume();
  }

  deleteUser(userId: string): void {
    this.partitions[partitionOf(userId)]?.users.delete(userId);
  }

  deleteLog(userId: string): void {
    const log = this.partitions[partitionOf(userId)]?.log;
    if (log !== undefined) log.length = 0;
  }
}

function partitionIn(keys: readonly string[]): number {
  return Number(/\{(\d+)\}/.exec(keys[0] ?? '')?.[1]);
}
