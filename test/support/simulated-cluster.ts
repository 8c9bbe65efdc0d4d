import { RedisLedger } from '../../src/redis/redis-ledger.js';
import { SimulatedTime } from '../../src/testing/index.js';
import { harness, type Harness, type HarnessOptions } from '../core/support.js';
import { SimulatedRedis, type SimulatedConnection } from './simulated-redis.js';

/** A process of a cluster. */
export interface Node extends Harness {
  readonly connection: SimulatedConnection;
}

/** How far the clocks of processes may be apart while time passes, in milliseconds. */
const stepMs = 10;

/** Processes that share a quota on a simulated Redis. Their clocks run together. */
export class Cluster {
  readonly redis = new SimulatedRedis();
  readonly nodes: Node[] = [];
  /** Processes that have been killed, or stand still: no time passes for them. */
  readonly #still = new Set<Node>();
  #nowMs = 0;

  constructor(count: number, options: HarnessOptions = {}) {
    for (let index = 0; index < count; index += 1) this.add(options);
  }

  /** One more process, which starts now. */
  add(options: HarnessOptions = {}): Node {
    const time = new SimulatedTime({ nowMs: this.#nowMs });
    let connection!: SimulatedConnection;
    const ledger = new RedisLedger((onReady) => (connection = this.redis.connection(time, onReady)));
    const made = harness({ seed: this.nodes.length + 1, ...options, time, ledger });
    const node = Object.assign(made, { connection });
    this.nodes.push(node);
    return node;
  }

  /** Everything that a process does stops, and nobody is told. */
  kill(node: Node): void {
    this.#still.add(node);
  }

  /** A process that stood still goes on; meanwhile its clock has run. */
  async goOn(node: Node): Promise<void> {
    this.#still.delete(node);
    node.time.stall(this.#nowMs - node.time.now());
    await node.time.settle();
  }

  async advance(byMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < byMs; passedMs += stepMs) {
      this.#nowMs += stepMs;
      for (const node of this.nodes) if (!this.#still.has(node)) await node.time.advance(stepMs);
    }
  }

  /** Until each process has an epoch in each partition. */
  async start(): Promise<this> {
    await this.advance(100);
    return this;
  }

  countOf(userId: string): number {
    return this.nodes.reduce((sum, node) => sum + node.countOf(userId), 0);
  }
}
