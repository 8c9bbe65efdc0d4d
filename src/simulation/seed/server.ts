import type { ContextFields } from '../../core/identity/user-execution-context.js';
import { Chance } from '../chance.js';
import { SimulatedServer, Visitor, type Coming, type Slot } from '../server.js';
import { SimulatedSocket } from '../socket.js';
import type { Listener } from '../traits.js';
import { WorldTime } from '../world-time.js';
import { SeedFactory } from './factory.js';
import { SeedManager } from './manager.js';
import type { SeedRules } from './rules.js';

const goingAway = { code: 1001, reason: 'cleaned up' };
const refusal = { code: 1013, reason: 'quota' };

/** What WebSocket libraries give a peer to answer a close frame. */
const closeTimeoutMs = 10_000;

interface SeedServerOptions {
  readonly seed: number;
  readonly rules: SeedRules;
  readonly maxManagersPerUser: number;
  /** When the judges count a hold as expired. @default 3,600,000 */
  readonly maxHoldMs?: number;
}

/** The sketch's `WebSocketConnectionManager` with its factory: the same people, another algorithm. */
export class SeedServer extends SimulatedServer {
  readonly time = new WorldTime(() => false);
  readonly chance: Chance;
  readonly #rules: SeedRules;
  readonly #factory: SeedFactory<SimulatedSocket>;
  readonly #maxHoldMs: number;

  constructor({ seed, rules, maxManagersPerUser, maxHoldMs = 3_600_000 }: SeedServerOptions) {
    super();
    this.#maxHoldMs = maxHoldMs;
    this.chance = new Chance(seed);
    this.chance.fork(); // what the real core gets, so that the people are the same
    this.#rules = rules;
    this.#factory = new SeedFactory({
      rules,
      maxManagersPerUser,
      now: this.now,
      whenCleaned: (manager) => {
        this.#close(manager.socket);
      },
    });
    this.#cleanUpLater();
  }

  readonly now = (): number => this.time.now();

  arrive(fields: ContextFields, coming: Coming): Visitor {
    const { time, now } = this;
    const around = {
      time,
      chance: coming.chance ?? this.chance,
      now,
      maxHoldMs: this.#maxHoldMs,
      process: coming.process ?? null,
    };
    const socket: SimulatedSocket = new SimulatedSocket(around, coming.traits, () => this.witness?.closes(socket));
    const visitor = new Visitor(fields, socket);
    const { userId, threadId } = fields;
    const key = `${userId}:${threadId}`;
    const manager = this.#factory.create(new SeedManager({ key, userId, socket, createdAtMs: now() }));
    if (manager !== null) this.#open(visitor, manager, coming);
    else {
      this.witness?.refused(userId, 0);
      visitor.state = 'gone';
      this.tell(coming, refusal);
    }
    return visitor;
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

  protected holdFor(): () => void {
    return () => undefined;
  }

  /** `connect` */
  #open(visitor: Visitor, manager: SeedManager<SimulatedSocket>, coming: Coming): void {
    const { socket } = visitor;
    visitor.state = 'open';
    this.visitors.add(visitor);
    socket.opened(this.#listenerOf(manager), (code, reason) => {
      this.forget(visitor);
      coming.whenEnded?.(code, reason);
    });
    coming.whenOpen?.(visitor);
  }

  #listenerOf(manager: SeedManager<SimulatedSocket>): Listener {
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
    this.time.schedule(closeTimeoutMs, () => {
      socket.terminate();
    });
  }

  #cleanUpLater(): void {
    this.time.setTimer(() => {
      this.#factory.backgroundCleanup();
      this.#cleanUpLater();
    }, this.#rules.backgroundCleanupIntervalMs);
  }
}

function ignore(): void {
  // The sketch takes no notice.
}
