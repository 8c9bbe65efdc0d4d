import { emptyPartition, type PartitionState } from './redis-model/partition.js';
import { runScript } from './redis-model/run-script.js';
import { partitionCount } from '../../src/redis/partitions.js';
import type { Reply } from '../../src/redis/replies.js';
import type { ScriptCall, ScriptClient } from '../../src/redis/script-client.js';
import type { Time } from '../../src/core/time.js';
import { parseSlot } from './redis-model/stored.js';

/** How long it takes to connect, in milliseconds. */
const connectMs = 5;

/** What happens to a call on its way. */
export interface Fate {
  /** How long it takes there, in milliseconds. @default 1 */
  readonly thereMs?: number;
  /** How long the reply takes. @default 1 */
  readonly backMs?: number;
  /** Whether the reply is lost. @default false */
  readonly isReplyLost?: boolean;
  /** How often it is done. @default 1 */
  readonly times?: number;
  /** What is replied instead of doing it. */
  readonly error?: string;
}

/**
 * Redis under simulated time: it can stand still, lose its last writes, start empty, and answer late, twice or never.
 * Processes reach it over connections of their own, each with its own clock.
 */
export class SimulatedRedis {
  /** How many calls it has done, by script. */
  readonly done = new Map<string, number>();
  /** What becomes of each call. */
  fate: (call: ScriptCall, connection: SimulatedConnection) => Fate = () => ({});
  /** How far its clock is ahead, in milliseconds. */
  aheadMs = 0;
  #partitions = Array.from({ length: partitionCount }, emptyPartition);
  #runId = 1;
  #isPaused = false;
  readonly #held: (() => void)[] = [];

  /** @param onReady see the ledger */
  connection(time: Time, onReady: () => void): SimulatedConnection {
    return new SimulatedConnection(this, time, onReady);
  }

  /** The slots of a user whose epoch is alive, and those of an unknown format. */
  slotsOf(userId: string): number {
    return this.#partitions.reduce((sum, state) => sum + countLive(state, state.users.get(userId)), 0);
  }

  /** The same of all users. */
  get slots(): number {
    return this.#partitions
      .flatMap((state) => [...state.users.values()].map((fields) => countLive(state, fields)))
      .reduce((sum, count) => sum + count, 0);
  }

  get epochs(): number {
    return this.#partitions.reduce((sum, { epochs }) => sum + epochs.size, 0);
  }

  snapshot(): PartitionState[] {
    return structuredClone(this.#partitions);
  }

  /** Another server takes over, with what it has. */
  failOver(to: PartitionState[]): void {
    this.#partitions = to;
    this.#runId += 1;
  }

  /** It starts anew, and has saved nothing. */
  restartEmpty(): void {
    this.failOver(Array.from({ length: partitionCount }, emptyPartition));
  }

  /** What it has, for tests that delete some of it as an operator would. */
  get partitions(): readonly PartitionState[] {
    return this.#partitions;
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** It goes on, with what was sent meanwhile first. */
  resume(): void {
    this.#isPaused = false;
    for (const act of this.#held.splice(0)) act();
  }

  /** @internal */
  arrive(act: () => void): void {
    if (this.#isPaused) this.#held.push(act);
    else act();
  }

  /** @internal */
  run(call: ScriptCall, nowMs: number): Reply {
    this.done.set(call.name, (this.done.get(call.name) ?? 0) + 1);
    const partition = Number(/\{(\d+)\}/.exec(call.keys[0] ?? '')?.[1]);
    const state = this.#partitions[partition];
    if (state === undefined) throw new Error(`no partition in ${String(call.keys[0])}`);
    const runId = String(this.#runId).padStart(40, '0');
    return runScript(state, { ...call, nowMs: Math.floor(1_700_000_000_000 + nowMs + this.aheadMs), runId });
  }
}

function countLive({ epochs }: PartitionState, fields: ReadonlyMap<string, string> = new Map()): number {
  return [...fields.values()].filter((text) => parseSlot(text) === null || epochs.has(text.slice(0, 10))).length;
}

/** The connection of one process. */
export class SimulatedConnection implements ScriptClient {
  readonly #redis: SimulatedRedis;
  readonly #time: Time;
  readonly #onReady: () => void;
  trouble: unknown = null;
  reconnects = 0;
  #isCut = false;
  #isClosed = false;
  #isReady = false;
  /** What waits for the connection. */
  readonly #unsent: (() => void)[] = [];
  #generation = 0;

  constructor(redis: SimulatedRedis, time: Time, onReady: () => void) {
    this.#redis = redis;
    this.#time = time;
    this.#onReady = onReady;
    this.#connect();
  }

  /** Nothing gets through any longer, and nobody is told. */
  cut(): void {
    this.#isCut = true;
  }

  mend(): void {
    this.#isCut = false;
  }

  send(call: ScriptCall, isWanted: () => boolean): Promise<Reply> {
    if (this.#isReady) return this.#send(call);
    return new Promise((resolve, reject) => {
      this.#unsent.push(() => {
        if (isWanted()) this.#send(call).then(resolve, reject);
      });
    });
  }

  #send(call: ScriptCall): Promise<Reply> {
    const { thereMs = 1, backMs = 1, isReplyLost = false, times = 1, error } = this.#redis.fate(call, this);
    const generation = this.#generation;
    return new Promise((resolve, reject) => {
      if (this.#isClosed) reject(new Error('The client is closed'));
      const isCutNow = this.#isCut;
      this.#time.setTimer(() => {
        if (isCutNow) return;
        this.#redis.arrive(() => {
          let reply: Reply = [];
          for (let count = 0; count < (error === undefined ? times : 0); count += 1) {
            reply = this.#redis.run(call, this.#time.now());
          }
          if (isReplyLost) return;
          this.#time.setTimer(() => {
            if (this.#isCut || generation !== this.#generation) return;
            if (error === undefined) resolve(reply);
            else reject(new Error(error));
          }, backMs);
        });
      }, thereMs);
    });
  }

  reconnect(): void {
    this.reconnects += 1;
    this.#generation += 1;
    this.#connect();
  }

  #connect(): void {
    this.#isReady = false;
    if (this.#isCut) return;
    this.#time.setTimer(() => {
      this.#isReady = true;
      for (const send of this.#unsent.splice(0)) send();
      this.#onReady();
    }, connectMs);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }
}
