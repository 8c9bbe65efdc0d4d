import type { ContextFields } from '../../core/identity/user-execution-context.js';
import { Chance } from '../chance.js';
import { SimulatedClient, SimulatedServer, type ConnectOptions, type Slot } from '../server.js';
import { SimulatedSocket } from '../socket.js';
import type { SocketListener } from '../traits.js';
import { WorldTime } from '../world-time.js';
import { SeedFactory } from './factory.js';
import { SeedManager } from './manager.js';
import type { SeedRules } from './rules.js';

const goingAway = { code: 1001, reason: 'cleaned up' };
const refusal = { code: 1013, reason: 'quota' };

/** How long WebSocket libraries give a peer to answer a close frame. */
const closeTimeoutMs = 10_000;

interface SeedServerOptions {
  readonly seed: number;
  readonly rules: SeedRules;
  readonly maxManagersPerUser: number;
}

/** The sketch's `WebSocketConnectionManager` with its factory: the same people, another algorithm. */
export class SeedServer extends SimulatedServer {
  readonly time = new WorldTime(() => false);
  readonly chance: Chance;
  /** The sketch knows no holds; the judges of leaks let them expire like those of Mooring. */
  readonly maxHoldMs = 3_600_000;
  readonly #rules: SeedRules;
  readonly #factory: SeedFactory<SimulatedSocket>;

  constructor({ seed, rules, maxManagersPerUser }: SeedServerOptions) {
    super();
    this.chance = new Chance(seed);
    this.chance.fork(); // what the real core gets, so that the people are the same
    this.#rules = rules;
    this.#factory = new SeedFactory({
      rules,
      maxManagersPerUser,
      now: this.now,
      onCleaned: (manager) => this.#close(manager.socket),
    });
    this.#cleanUpLater();
  }

  readonly now = (): number => this.time.now();

  connect(fields: ContextFields, options: ConnectOptions): SimulatedClient {
    const socket: SimulatedSocket = new SimulatedSocket(this, options, () => this.observer?.onClose(socket));
    const client = new SimulatedClient(fields, socket);
    const { userId, threadId } = fields;
    const key = `${userId}:${threadId}`;
    const manager = this.#factory.create(new SeedManager({ key, userId, socket, createdAtMs: this.now() }));
    if (manager !== null) this.#open(client, manager, options);
    else {
      this.observer?.onRefused(userId, 0);
      client.state = 'gone';
      this.notifyRefused(options, refusal);
    }
    return client;
  }

  *slots(): Iterable<Slot> {
    for (const userId of this.#factory.users()) yield* this.slotsOf(userId);
  }

  slotsOf(userId: string): Iterable<Slot> {
    return this.#factory.managersOf(userId);
  }

  get slotCount(): number {
    return this.#factory.managerCount;
  }

  stall(forMs: number): void {
    this.time.stall(forMs);
  }

  async runUntil(atMs: number): Promise<void> {
    await this.time.runUntil(atMs);
  }

  /** `connect` */
  #open(client: SimulatedClient, manager: SeedManager<SimulatedSocket>, { onEnd, onOpen }: ConnectOptions): void {
    client.state = 'open';
    this.clients.add(client);
    client.socket.attach(this.#listenerOf(manager), (code, reason) => {
      this.forget(client);
      onEnd?.(code, reason);
    });
    onOpen?.(client);
  }

  #listenerOf(manager: SeedManager<SimulatedSocket>): SocketListener {
    return {
      clock: { recentMs: 0 },
      received: ignore,
      touched: ignore,
      sent: ignore,
      ponged: ignore,
      errored: () => {
        manager.hasError = true;
      },
      closed: () => {
        if (this.#rules.cleansUpOnClose) this.#factory.cleanupManager(manager.userId, manager.key);
      },
    };
  }

  #close(socket: SimulatedSocket): void {
    if (socket.isOver) return;
    try {
      socket.close(goingAway.code, goingAway.reason);
    } catch {
      // The sketch logs it; the manager is gone all the same.
    }
    this.time.schedule(closeTimeoutMs, () => socket.terminate());
  }

  #cleanUpLater(): void {
    this.time.setTimer(() => {
      this.#factory.backgroundCleanup();
      this.#cleanUpLater();
    }, this.#rules.backgroundCleanupIntervalMs);
  }
}

function ignore(): void {
  // The sketch ignores it.
}
