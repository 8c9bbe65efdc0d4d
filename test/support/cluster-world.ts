import { loadConfig } from '../../src/config/load-config.js';
import { isPending, type Admission } from '../../src/core/admission/outcome.js';
import type { ContextFields } from '../../src/core/identity/user-execution-context.js';
import { Mooring } from '../../src/core/mooring.js';
import type { WebSocketConfig } from '../../src/core/settings.js';
import type { Time, Timer } from '../../src/core/time.js';
import { RedisLedger } from '../../src/redis/redis-ledger.js';
import { Chance } from '../../src/simulation/chance.js';
import { SimulatedClient, SimulatedServer, type ConnectOptions, type Slot } from '../../src/simulation/server.js';
import { SimulatedSocket } from '../../src/simulation/socket.js';
import { WorldTime } from '../../src/simulation/world-time.js';
import { SimulatedRedis } from './simulated-redis.js';

/** The time of one process: after its end nothing happens in it. */
class NodeTime implements Time {
  isOver = false;
  readonly #time: WorldTime;

  constructor(time: WorldTime) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now();
  }

  wallNow(): number {
    return this.#time.wallNow();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#time.setTimer(() => {
      if (!this.isOver) callback();
    }, delayMs);
  }

  afterPoll(callback: () => void): void {
    this.#time.afterPoll(() => {
      if (!this.isOver) callback();
    });
  }
}

/** A process of the cluster. */
interface Node {
  readonly mooring: Mooring;
  readonly time: NodeTime;
  readonly clients: Set<SimulatedClient>;
}

/** What happened to users. */
export interface ClusterCounts {
  admitted: number;
  refused: Record<string, number>;
  /** Refusals for quota of users who held fewer than the limit in the processes that live. */
  refusedWithRoom: number;
  /** The longest time that a newcomer waited, in milliseconds: until it was in, refused, or gone. */
  longestWaitMs: number;
  released: Record<string, number>;
  /** How often a user was above the limit, although nothing had happened that explains it. */
  unexplained: number;
  /** How often a user was above the limit after a process or Redis had failed. */
  explained: number;
  crashes: number;
  failovers: number;
  ledgerStates: Record<string, number>;
}

/** For how long after a fault a user may come to be above the limit, in milliseconds: a beat and a rotation. */
const windowMs = 5_000;

/** How long it takes until a process that died is replaced. */
const restartMs = 10_000;

/** Several processes with the real core behind a load balancer, and one quota on a simulated Redis. */
export class ClusterWorld extends SimulatedServer {
  readonly time: WorldTime;
  readonly chance: Chance;
  readonly redis = new SimulatedRedis();
  readonly config: WebSocketConfig;
  readonly maxHoldMs: number;
  readonly now = (): number => this.time.now();
  readonly counts: ClusterCounts = {
    ...{ admitted: 0, refused: {}, refusedWithRoom: 0, longestWaitMs: 0, released: {} },
    ...{ unexplained: 0, explained: 0, crashes: 0, failovers: 0, ledgerStates: {} },
  };
  readonly #nodes: Node[] = [];
  readonly #optionsOf = new Map<SimulatedClient, ConnectOptions>();
  /** By user: managers in all processes that live. */
  readonly #held = new Map<string, number>();
  #lastFaultMs = -Infinity;

  constructor({ seed, nodes, config = {} }: { seed: number; nodes: number; config?: Partial<WebSocketConfig> }) {
    super();
    this.chance = new Chance(seed);
    // The ledger goes on in promises after whatever happens.
    this.time = new WorldTime(() => true);
    this.config = loadConfig({ env: {}, environment: 'production', overrides: config }).config;
    this.maxHoldMs = this.config.maxHoldMs;
    for (let index = 0; index < nodes; index += 1) this.#start();
  }

  connect(fields: ContextFields, options: ConnectOptions): SimulatedClient {
    const socket = new SimulatedSocket(this, options, () => undefined);
    const client = new SimulatedClient(fields, socket);
    const node = this.#nodes[this.chance.integer(0, this.#nodes.length - 1)]!;
    this.clients.add(client);
    node.clients.add(client);
    this.#optionsOf.set(client, options);
    const outcome = node.mooring.decide(fields);
    if (!isPending(outcome)) this.#decided(node, client, outcome);
    else {
      client.pending = outcome;
      void outcome.settled.then((admission) => {
        client.pending = null;
        if (!node.time.isOver) this.#decided(node, client, admission);
      });
    }
    return client;
  }

  /** A process is killed: its clients notice, and another is started. */
  crash(): void {
    const index = this.chance.integer(0, this.#nodes.length - 1);
    const [node] = this.#nodes.splice(index, 1);
    if (node === undefined) return;
    this.counts.crashes += 1;
    this.#lastFaultMs = this.time.now();
    node.time.isOver = true;
    for (const manager of [...node.mooring.users()].flatMap((userId) => node.mooring.managersOf(userId))) {
      this.#count(manager.userId, -1);
    }
    for (const client of [...node.clients]) {
      const options = this.#optionsOf.get(client);
      client.socket.fallSilent();
      this.forget(client);
      this.time.schedule(this.chance.integer(1, 1_000), () => options?.onEnd?.(1006, ''));
    }
    this.time.schedule(restartMs, () => this.#start());
  }

  /** A replica without the last seconds is promoted, whose clock is another. */
  failOver(): void {
    const before = this.redis.snapshot();
    this.time.schedule(this.chance.integer(100, 2_000), () => {
      this.counts.failovers += 1;
      this.#lastFaultMs = this.time.now();
      this.redis.failOver(before);
      this.redis.aheadMs = this.chance.integer(-180_000, 180_000);
    });
  }

  *slots(): Iterable<Slot> {
    for (const client of this.clients) {
      if (client.state === 'open') yield { userId: client.fields.userId, socket: client.socket };
    }
  }

  slotsOf(userId: string): Slot[] {
    return [...this.slots()].filter((slot) => slot.userId === userId);
  }

  get slotCount(): number {
    return this.#nodes.reduce((sum, { mooring }) => sum + mooring.managerCount, 0);
  }

  stall(): void {
    // A process that stands still is a fault of its own, which this world does not have.
  }

  async runUntil(atMs: number): Promise<void> {
    await this.time.runUntil(atMs);
  }

  /** All processes stop. @returns the slots that Redis has then */
  async end(): Promise<number> {
    this.isEnding = true;
    const stopped = Promise.all(this.#nodes.map(({ mooring }) => mooring.stop()));
    await this.time.runUntil(this.time.now() + 60_000);
    await stopped;
    return this.redis.slots;
  }

  protected override forget(client: SimulatedClient): void {
    super.forget(client);
    this.#optionsOf.delete(client);
    for (const { clients } of this.#nodes) clients.delete(client);
  }

  #start(): void {
    const time = new NodeTime(this.time);
    const ledger = new RedisLedger((onReady) => this.redis.connection(time, onReady));
    const { config } = this;
    const mooring = new Mooring({ config, time, random: this.chance.fork().next, ledger });
    const node = { mooring, time, clients: new Set<SimulatedClient>() };
    this.#nodes.push(node);
    this.#listen(node);
  }

  #listen({ mooring, time }: Node): void {
    for (const end of ['manager.admitted', 'admission.refused', 'admission.cancelled'] as const)
      mooring.on(end, ({ waitedMs }) => {
        this.counts.longestWaitMs = Math.max(this.counts.longestWaitMs, waitedMs);
      });
    mooring.on('manager.admitted', ({ userId }) => {
      this.counts.admitted += 1;
      this.#count(userId, 1);
    });
    mooring.on('manager.released', ({ userId, reason }) => {
      if (time.isOver) return;
      bump(this.counts.released, reason);
      this.#count(userId, -1);
    });
    mooring.on('admission.refused', ({ userId, closeCause }) => {
      bump(this.counts.refused, closeCause);
      const hasRoom = this.#threadsOf(userId) < this.config.maxManagersPerUser;
      if (closeCause === 'quota' && hasRoom) this.counts.refusedWithRoom += 1;
    });
    mooring.on('ledger.changed', ({ state }) => bump(this.counts.ledgerStates, state));
  }

  /** A thread that comes to another process is in both for a beat. */
  #count(userId: string, by: 1 | -1): void {
    const count = (this.#held.get(userId) ?? 0) + by;
    if (count === 0) this.#held.delete(userId);
    else this.#held.set(userId, count);
    if (by < 0 || count <= this.config.maxManagersPerUser || this.#threadsOf(userId) <= this.config.maxManagersPerUser)
      return;
    if (this.time.now() - this.#lastFaultMs < windowMs) this.counts.explained += 1;
    else this.counts.unexplained += 1;
  }

  #threadsOf(userId: string): number {
    const managers = this.#nodes.flatMap(({ mooring }) => mooring.managersOf(userId));
    return new Set(managers.map(({ threadId }) => threadId)).size;
  }

  #decided(node: Node, client: SimulatedClient, { ticket, refusal }: Admission): void {
    const options = this.#optionsOf.get(client);
    const isThere = client.state !== 'gone' && !client.isGoneUnnoticed;
    if (refusal !== null) {
      this.forget(client);
      if (isThere && options !== undefined) this.notifyRefused(options, refusal.close);
      return;
    }
    if (!isThere || options === undefined) {
      ticket.cancel();
      return;
    }
    client.socket.forgetPings();
    const { connection, refusal: late } = ticket.open(client.socket);
    if (late !== null) {
      this.forget(client);
      this.notifyRefused(options, late.close);
      return;
    }
    client.state = 'open';
    client.manager = connection.manager;
    client.socket.attach(connection, (code, reason) => {
      this.forget(client);
      options.onEnd?.(code, reason);
    });
    options.onOpen?.(client);
  }
}

function bump(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
