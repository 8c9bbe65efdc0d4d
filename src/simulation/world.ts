import { quietMs } from './quiet.js';
import { isPending, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import type { QuotaLedger } from '../core/quota/quota-ledger.js';
import { loadConfig } from '../config/load-config.js';
import type { RefusalError } from '../core/errors.js';
import type { EmergencyCleanupResult, EvictionRequest } from '../core/cleanup/emergency-run.js';
import { isolationKey } from '../core/identity/isolation-key.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import { Mooring } from '../core/mooring.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { WebSocketConfig } from '../core/settings.js';
import { Chance } from './chance.js';
import { Invariants } from './invariants.js';
import { HookRecord, type HookKind } from './hook-record.js';
import type { JudgedWorld } from './judged-world.js';
import type { Violation } from './promises.js';
import { tickMs } from '../core/liveness/stall-clock.js';
import { OutageLedger } from './outage-ledger.js';
import { SimulatedServer, type Coming, type Slot, Visitor } from './server.js';
import { SimulatedSocket } from './socket.js';
import { Stalls } from './stalls.js';
import { WorldTime } from './world-time.js';

/** What a world is made with. */
export interface WorldOptions {
  readonly seed: number;
  /** Settings that differ from the production preset. */
  readonly config?: Partial<WebSocketConfig>;
  /** Whether it goes on after a broken promise. @default false */
  readonly goesOn?: boolean;
  /** Whether there is a quota ledger. @default false */
  readonly hasLedger?: boolean;
}

/**
 * A server with the real core, its clients, and what happens to both. Everything follows from the seed. After every
 * step the invariants are checked.
 */
export class World extends SimulatedServer implements JudgedWorld {
  readonly time: WorldTime;
  readonly mooring: Mooring;
  readonly chance: Chance;
  readonly invariants: Invariants;
  readonly config: WebSocketConfig;
  readonly ledger: OutageLedger | null;
  readonly #limits = new Map<string, number>();
  /** The latest newcomer of each key that has been neither admitted nor refused. */
  readonly #newcomers = new Map<string, Visitor>();
  /** The newest connection of each key. */
  readonly #sockets = new Map<string, SimulatedSocket>();
  /** The managers of current connections. */
  readonly #current = new Map<SimulatedSocket, WebSocketManager>();
  /** Connections that a newer one of their thread has taken over from. */
  readonly #replaced = new WeakSet<SimulatedSocket>();
  /** Keys whose release is being requested at this moment. */
  readonly #asked = new Set<string>();
  readonly #goesOn: boolean;
  #promises = 0;
  readonly #stalls = new Stalls();
  #isStopping = false;
  #hasStopped = false;

  constructor({ seed, config: overrides = {}, goesOn = false, hasLedger = false }: WorldOptions) {
    super();
    this.#goesOn = goesOn;
    this.chance = new Chance(seed);
    this.time = new WorldTime(() => this.#promises > 0);
    const { config } = loadConfig({ env: {}, environment: 'production', overrides });
    this.config = config;
    const random = this.chance.fork().next;
    this.ledger = hasLedger ? new OutageLedger(this.time, this.chance.fork()) : null;
    this.mooring = new Mooring({
      config,
      time: this.time,
      random,
      limitOf: (userId) => this.#limits.get(userId) ?? config.maxManagersPerUser,
      ledger: this.ledger === null ? undefined : this.#watched(this.ledger),
    });
    this.invariants = new Invariants(this);
    this.mooring.on('connection.replaced', ({ key }) => {
      this.#isCurrentNoLonger(key);
      const former = this.#sockets.get(key);
      if (former !== undefined) this.#replaced.add(former);
    });
    this.mooring.on('connection.left', ({ key }) => {
      this.#isCurrentNoLonger(key);
    });
    this.mooring.on('admission.refused', ({ userId, closeCause, waitedMs }) => {
      if (closeCause === 'quota') this.witness?.refused(userId, waitedMs);
    });
    this.mooring.on('manager.released', ({ key }) => {
      this.#isCurrentNoLonger(key);
      this.#sockets.delete(key);
    });
  }

  /** The first promise that was broken, or `null`. */
  get violation(): Violation | null {
    return this.invariants.violation;
  }

  readonly now = (): number => this.time.now() - this.#stalls.inAllMs;

  slackSince(atMs: number): number {
    return 2 * tickMs + this.stallSlackSince(atMs);
  }

  stallSlackSince(atMs: number): number {
    return this.#stalls.slackSince(atMs);
  }

  stall(forMs: number): void {
    this.#stalls.note(this.now(), forMs);
    this.time.stall(forMs);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  isAskedFor(key: string): boolean {
    return this.#asked.has(key);
  }

  currentKeyOf(socket: SimulatedSocket): string | undefined {
    return this.#current.get(socket)?.key;
  }

  current(): Iterable<readonly [SimulatedSocket, WebSocketManager]> {
    return this.#current;
  }

  newcomerOf(key: string): Visitor | undefined {
    return this.#newcomers.get(key);
  }

  socketOf(key: string): SimulatedSocket | null {
    return this.#sockets.get(key) ?? null;
  }

  socketsOf(userId: string): SimulatedSocket[] {
    const managers = this.mooring.managersOf(userId).filter(({ successor }) => successor === null);
    return managers.flatMap(({ key }) => this.#sockets.get(key) ?? []);
  }

  *slots(): Iterable<Slot> {
    for (const [socket, { userId, successor }] of this.#current) if (successor === null) yield { userId, socket };
  }

  slotsOf(userId: string): Slot[] {
    return this.socketsOf(userId).map((socket) => ({ userId, socket }));
  }

  get slotCount(): number {
    return this.mooring.managerCount;
  }

  limitOf(userId: string): number {
    return this.#limits.get(userId) ?? this.config.maxManagersPerUser;
  }

  /** The user's limit from now on. */
  setLimit(userId: string, limit: number): void {
    if (limit < this.limitOf(userId)) this.invariants.limitLowered(userId);
    this.#limits.set(userId, limit);
  }

  arrive(fields: ContextFields, coming: Coming): Visitor {
    const { time, now, mooring } = this;
    const { chance = this.chance, process = null, traits } = coming;
    const around = { time, now, chance, process, maxHoldMs: this.config.maxHoldMs };
    const socket: SimulatedSocket = new SimulatedSocket(around, traits, () => {
      this.invariants.closes(socket);
      // A user who connects again with the same thread wants to go on with the new connection.
      if (!this.#replaced.has(socket)) this.witness?.closes(socket);
    });
    const visitor = new Visitor(fields, socket);
    this.visitors.add(visitor);
    this.#newcomers.set(isolationKey(fields), visitor);
    const outcome = mooring.admit(fields);
    if (isPending(outcome)) {
      visitor.pending = outcome;
      this.#accept(visitor, outcome);
      void this.#await(outcome.settled).then((admission) => {
        visitor.pending = null;
        this.#decided(visitor, admission, coming);
      });
    } else this.#decided(visitor, outcome, coming);
    return visitor;
  }

  /** The application reports an error of the manager, whichever connection that has by now. */
  fail({ manager }: Visitor, how: 'for good' | 'perhaps'): void {
    if (manager === null) return;
    const isCurrent = this.mooring.managersOf(manager.userId).includes(manager);
    const socket = this.socketOf(manager.key);
    if (isCurrent && socket !== null) socket.hasFailed = true;
    const error = new Error('the application says so');
    if (how === 'for good') manager.fail(error);
    else manager.reportError(error);
  }

  /** An operator requests the release of a manager. */
  requestRelease({ manager }: Visitor): void {
    if (manager === null) return;
    this.#asked.add(manager.key);
    this.mooring.release(manager.key);
    this.#asked.delete(manager.key);
  }

  /** Requests a stop of the server. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.mooring.on('server.stopped', () => {
      this.#hasStopped = true;
    });
    void this.#await(this.mooring.stop());
  }

  /** An operator requests an emergency cleanup of a user. */
  cleanUp(userId: string, wanted: EvictionRequest = {}): Promise<EmergencyCleanupResult> {
    return this.#await(this.mooring.emergencyCleanup(userId, wanted));
  }

  /** The application registers a hook. */
  onRelease(visitor: Visitor, kind: HookKind): void {
    if (visitor.manager === null || this.#hasStopped) return;
    const record = new HookRecord(kind);
    visitor.manager.onRelease(({ signal }) => {
      const running = record.run(signal, this.time);
      return record.kind === 'ignores' || running === undefined ? running : this.#await(running);
    });
    this.invariants.hookRegistered(visitor.manager, record);
  }

  /** Lets the world go on until then, or until a promise is broken. */
  async runUntil(atMs: number): Promise<void> {
    await this.time.runUntil(atMs, () => {
      this.invariants.step();
      return this.#goesOn || this.invariants.violation === null;
    });
  }

  /** All clients fall silent, and then nothing may be left. If the server is stopping already, it is only waited for. */
  async end(): Promise<void> {
    this.isEnding = true;
    if (!this.isStopping) await this.#fallQuiet();
    this.stop();
    await this.runUntil(this.time.now() + quietMs(this.config));
    this.invariants.checkStopped(this.#hasStopped);
  }

  async #fallQuiet(): Promise<void> {
    for (const visitor of this.visitors) this.vanish(visitor);
    for (const socket of this.#sockets.values()) socket.fallSilent();
    await this.runUntil(this.time.now() + quietMs(this.config));
    this.invariants.checkQuiet();
  }

  /** As adapters do if a newcomer has to wait: the socket is accepted first. */
  #accept(visitor: Visitor, pending: PendingAdmission): void {
    if (pending.accepted === undefined) return;
    visitor.isAccepted = true;
    visitor.socket.accepted(() => {
      this.forget(visitor);
    });
    pending.accepted(visitor.socket);
  }

  #decided(visitor: Visitor, { ticket, refusal }: Admission, coming: Coming): void {
    this.#isNewcomerNoLonger(visitor);
    if (refusal !== null) {
      this.#refused(visitor, refusal, coming);
      return;
    }
    const open = (): void => {
      if (visitor.state === 'gone') {
        ticket.cancel();
        return;
      }
      visitor.socket.opening();
      const { connection, refusal: late } = ticket.open(visitor.socket);
      if (late !== null) {
        this.#refused(visitor, late, coming);
        return;
      }
      visitor.state = 'open';
      this.#attached(visitor, connection.manager);
      visitor.socket.opened(connection, (code, reason) => {
        this.forget(visitor);
        coming.whenEnded?.(code, reason);
      });
      if (visitor.isGoneUnnoticed) this.forget(visitor);
      else coming.whenOpen?.(visitor);
    };
    if (coming.openAfterMs === undefined) open();
    else this.time.schedule(coming.openAfterMs, open);
  }

  /** If the manager had a connection before, its holds go over to the new one. */
  #attached(visitor: Visitor, manager: WebSocketManager): void {
    const former = this.#sockets.get(manager.key);
    if (former !== undefined && manager.generation > 1) visitor.socket.held = former.held;
    visitor.manager = manager;
    this.#sockets.set(manager.key, visitor.socket);
    this.#current.set(visitor.socket, manager);
  }

  #isNewcomerNoLonger(visitor: Visitor): void {
    const key = isolationKey(visitor.fields);
    if (this.#newcomers.get(key) === visitor) this.#newcomers.delete(key);
  }

  #isCurrentNoLonger(key: string): void {
    const socket = this.#sockets.get(key);
    if (socket !== undefined) this.#current.delete(socket);
  }

  #refused(visitor: Visitor, { close }: RefusalError, coming: Coming): void {
    const isThere = visitor.state !== 'gone' && !visitor.isGoneUnnoticed;
    this.forget(visitor);
    if (isThere) this.tell(coming, close);
  }

  protected override forget(visitor: Visitor): void {
    const wasWaiting = visitor.pending !== null;
    super.forget(visitor);
    this.#isNewcomerNoLonger(visitor);
    if (!wasWaiting) return;
    const { userId } = visitor.fields;
    const key = isolationKey(visitor.fields);
    const isSame = ({ fields, pending }: Visitor): boolean => pending !== null && isolationKey(fields) === key;
    if (![...this.visitors].some(isSame)) this.invariants.newcomerLeft(userId, key);
  }

  protected holdFor({ manager }: Visitor): () => void {
    return manager?.hold() ?? (() => undefined);
  }

  /** While a promise is open, time stands still until every promise that can settle has. */
  async #await<T>(promise: PromiseLike<T>): Promise<T> {
    this.#promises += 1;
    try {
      return await promise;
    } finally {
      this.#promises -= 1;
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
