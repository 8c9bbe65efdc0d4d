import { isPending, type Admission, type PendingAdmission } from '../core/admission/admission.js';
import type { QuotaLedger } from '../core/admission/quota-ledger.js';
import { loadConfig } from '../core/config.js';
import type { RefusalError } from '../core/errors.js';
import type { EmergencyCleanupResult, EvictionRequest } from '../core/cleanup/emergency-run.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import { Mooring } from '../core/mooring.js';
import type { WebSocketConfig } from '../core/settings.js';
import { Chance } from './chance.js';
import { Invariants, type Violation } from './invariants.js';
import type { HookKind } from './script.js';
import { tickMs } from '../core/liveness/stall-clock.js';
import { SimulatedSocket, type Traits } from './socket.js';
import { WorldTime } from './world-time.js';

/** What a world is made with. */
export interface WorldOptions {
  readonly seed: number;
  /** Settings that differ from the production preset. */
  readonly config?: Partial<WebSocketConfig>;
  /** Whether it goes on when a promise was broken. @default false */
  readonly goesOn?: boolean;
  /** Made from the world's time, as it takes time to answer. */
  readonly ledger?: (time: WorldTime, chance: Chance) => QuotaLedger;
}

/** A client that came: it waits, is connected, or is gone. */
export class Visitor {
  state: 'waiting' | 'open' | 'gone' = 'waiting';
  manager: WebSocketManager | null = null;
  /** Ends what it waits for. */
  pending: PendingAdmission | null = null;
  /** Ends the application's hold. */
  letGo: (() => void) | null = null;

  constructor(
    readonly fields: ContextFields,
    readonly socket: SimulatedSocket,
  ) {}
}

/** How somebody comes in. */
export interface Coming {
  readonly traits: Traits;
  /** What the handshake takes after the grant. @default 0 */
  readonly openAfterMs?: number;
  /** Told when it is refused, or when its connection ended, once the client knows. */
  readonly whenEnded?: (code: number, reason: string) => void;
  readonly whenOpen?: (visitor: Visitor) => void;
}

/**
 * A server with the real core, its clients, and what happens to both. Everything follows from the seed. After every
 * step the invariants are checked.
 */
export class World {
  readonly time: WorldTime;
  readonly mooring: Mooring;
  readonly chance: Chance;
  readonly invariants: Invariants;
  readonly config: WebSocketConfig;
  /** Everybody who has not gone. */
  readonly visitors = new Set<Visitor>();
  readonly hasLedger: boolean;
  /** Nobody comes any longer. */
  isEnding = false;
  /** How often somebody wanted in. */
  wanted = 0;
  readonly #limits = new Map<string, number>();
  /** The newest connection of each key. */
  readonly #sockets = new Map<string, SimulatedSocket>();
  readonly #goesOn: boolean;
  #promises = 0;
  #stalledMs = 0;
  #stalls = 0;

  constructor({ seed, config: overrides = {}, goesOn = false, ledger }: WorldOptions) {
    this.#goesOn = goesOn;
    this.hasLedger = ledger !== undefined;
    this.chance = new Chance(seed);
    this.time = new WorldTime(() => this.#promises > 0);
    const { config } = loadConfig({ env: {}, environment: 'production', overrides });
    this.config = config;
    this.mooring = new Mooring({
      config,
      time: this.time,
      random: this.chance.fork().next,
      limitOf: (userId) => this.#limits.get(userId) ?? config.maxManagersPerUser,
      ledger: ledger && this.#watched(ledger(this.time, this.chance.fork())),
    });
    this.invariants = new Invariants(this);
    this.mooring.on('manager.released', ({ key }) => {
      this.#sockets.delete(key);
    });
  }

  /** The first promise that was broken, or `null`. */
  get violation(): Violation | null {
    return this.invariants.violation;
  }

  /** Milliseconds in which the server ran, as the world knows it. */
  readonly now = (): number => this.time.now() - this.#stalledMs;

  /** How far a time the server measures may be off: its stamps are coarse, and it notices stalls by a ticker. */
  get slackMs(): number {
    return 2 * tickMs * (1 + this.#stalls);
  }

  /** The server does not run for so long. */
  stall(forMs: number): void {
    this.#stalls += 1;
    this.#stalledMs += forMs;
    this.time.stall(forMs);
  }

  /** The connection of the manager with this key. */
  socketOf(key: string): SimulatedSocket | null {
    return this.#sockets.get(key) ?? null;
  }

  /** The connections that count for a user, apart from those a newer one of their thread is about to replace. */
  socketsOf(userId: string): SimulatedSocket[] {
    const managers = this.mooring.factory.getUserManagers(userId).filter(({ successor }) => successor === null);
    return managers.flatMap(({ key }) => this.#sockets.get(key) ?? []);
  }

  /** The user's limit as it is now. */
  limitOf(userId: string): number {
    return this.#limits.get(userId) ?? this.config.maxManagersPerUser;
  }

  /** The user's limit from now on. */
  setLimit(userId: string, limit: number): void {
    if (limit < this.limitOf(userId)) this.invariants.limitLowered(userId);
    this.#limits.set(userId, limit);
  }

  /** Somebody wants in. */
  arrive(fields: ContextFields, coming: Coming): Visitor {
    const { time, chance, mooring } = this;
    const socket = new SimulatedSocket({ time, chance, now: this.now }, coming.traits);
    const visitor = new Visitor(fields, socket);
    this.visitors.add(visitor);
    const outcome = mooring.factory.admit(fields);
    if (isPending(outcome)) {
      visitor.pending = outcome;
      void this.#await(outcome.settled).then((admission) => {
        visitor.pending = null;
        this.#decided(visitor, admission, coming);
      });
    } else this.#decided(visitor, outcome, coming);
    return visitor;
  }

  /** It goes, in an orderly way where it is connected. */
  leave(visitor: Visitor): void {
    if (visitor.state === 'open') visitor.socket.leave();
    this.#forget(visitor);
  }

  /** It is gone without a word. */
  vanish(visitor: Visitor): void {
    visitor.socket.fallSilent();
    // What waits in front of the door is a TCP connection too, but there its end is noticed.
    this.#forget(visitor);
  }

  /** The application holds the manager while it streams to it. */
  hold(visitor: Visitor): void {
    if (visitor.state !== 'open' || visitor.manager === null || visitor.letGo !== null) return;
    const { socket } = visitor;
    const letGo = visitor.manager.hold();
    socket.holds += 1;
    socket.active();
    visitor.letGo = () => {
      letGo();
      visitor.letGo = null;
      socket.holds -= 1;
      socket.active();
    };
  }

  /** The application says that something is wrong with the manager, whichever connection that has by now. */
  fail({ manager }: Visitor, how: 'for good' | 'perhaps'): void {
    if (manager === null) return;
    const socket = this.socketOf(manager.key);
    if (socket?.link?.manager === manager) socket.hasFailed = true;
    const error = new Error('the application says so');
    if (how === 'for good') manager.fail(error);
    else manager.reportError(error);
  }

  /** Somebody asks for an emergency cleanup of a user. */
  cleanUp(userId: string, wanted: EvictionRequest = {}): Promise<EmergencyCleanupResult> {
    return this.#await(this.mooring.factory.emergencyCleanup(userId, wanted));
  }

  /** The application registers a hook. */
  onRelease(visitor: Visitor, kind: HookKind): void {
    visitor.manager?.onRelease(({ signal }) => this.#hook(kind, signal));
  }

  /** Lets the world go on until then, or until a promise is broken. */
  async runUntil(atMs: number): Promise<void> {
    await this.time.runUntil(atMs, () => {
      this.invariants.step();
      return this.#goesOn || this.invariants.violation === null;
    });
  }

  /** Everybody falls silent; when all is quiet, nothing may be left. */
  async end(): Promise<void> {
    this.isEnding = true;
    for (const visitor of this.visitors) this.vanish(visitor);
    for (const socket of this.#sockets.values()) socket.fallSilent();
    await this.runUntil(this.time.now() + this.quietMs());
    this.invariants.checkQuiet();
    let hasStopped = false;
    void this.#await(this.mooring.stop()).then(() => (hasStopped = true));
    await this.runUntil(this.time.now() + this.quietMs());
    this.invariants.checkStopped(hasStopped);
  }

  /** The longest anything dead may take. */
  quietMs(): number {
    const { heartbeatIntervalMs, maxHeartbeatMisses, stalledMs, ticketMs } = this.config;
    return (maxHeartbeatMisses + 2) * heartbeatIntervalMs + stalledMs + 2 * ticketMs;
  }

  #decided(visitor: Visitor, { ticket, refusal }: Admission, coming: Coming): void {
    if (refusal !== null) {
      this.#refused(visitor, refusal, coming);
      return;
    }
    const open = (): void => {
      if (visitor.state === 'gone') {
        ticket.cancel();
        return;
      }
      const { link, refusal: late } = ticket.open(visitor.socket);
      if (late !== null) {
        this.#refused(visitor, late, coming);
        return;
      }
      visitor.state = 'open';
      visitor.manager = link.manager;
      this.#sockets.set(link.manager.key, visitor.socket);
      visitor.socket.opened(link, (code, reason) => {
        this.#forget(visitor);
        coming.whenEnded?.(code, reason);
      });
      coming.whenOpen?.(visitor);
    };
    if (coming.openAfterMs === undefined) open();
    else this.time.arrive(coming.openAfterMs, open);
  }

  #refused(visitor: Visitor, { close }: RefusalError, { whenEnded, traits }: Coming): void {
    const isThere = visitor.state !== 'gone';
    this.#forget(visitor);
    if (!isThere) return;
    this.time.arrive(traits.roundTripMs / 2, () => whenEnded?.(close.code, close.reason));
  }

  #forget(visitor: Visitor): void {
    visitor.state = 'gone';
    visitor.pending?.cancel();
    visitor.pending = null;
    this.visitors.delete(visitor);
  }

  /** While a promise is open, time stands still until all that can settle have. */
  async #await<T>(promise: PromiseLike<T>): Promise<T> {
    this.#promises += 1;
    try {
      return await promise;
    } finally {
      this.#promises -= 1;
    }
  }

  #hook(kind: HookKind, signal: AbortSignal): Promise<void> | undefined {
    switch (kind) {
      case 'returns':
        return undefined;
      case 'throws':
        throw new Error('the hook throws');
      case 'rejects':
        return this.#await(Promise.reject(new Error('the hook rejects')));
      case 'takes long':
        return this.#await(
          new Promise((resolve) => {
            this.time.arrive(2_000, resolve);
          }),
        );
      case 'hangs':
        return this.#await(
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              resolve();
            });
          }),
        );
    }
  }

  #watched(ledger: QuotaLedger): QuotaLedger {
    return {
      acquire: (claim, limit) => {
        const answer = ledger.acquire(claim, limit);
        return answer instanceof Promise ? this.#await(answer) : answer;
      },
      release: (claim) => {
        const answer = ledger.release(claim);
        return answer instanceof Promise ? this.#await(answer) : undefined;
      },
    };
  }
}
