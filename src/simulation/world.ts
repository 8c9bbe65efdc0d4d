import { isPending, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import type { EmergencyCleanupResult, EvictionRequest } from '../core/cleanup/emergency-run.js';
import type { RefusalError } from '../core/errors.js';
import { isolationKey } from '../core/identity/isolation-key.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import { tickMs } from '../core/liveness/stall-clock.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import { Mooring } from '../core/mooring.js';
import type { QuotaLedger } from '../core/quota/quota-ledger.js';
import type { WebSocketConfig } from '../core/settings.js';
import { loadConfig } from '../config/load-config.js';
import { Chance } from './chance.js';
import { HookRecord, type HookKind } from './hook-record.js';
import { Invariants } from './invariants.js';
import type { JudgedWorld } from './judges/judge.js';
import { OutageLedger } from './outage-ledger.js';
import type { Violation } from './promises.js';
import { quietMs } from './quiet.js';
import { SimulatedClient, SimulatedServer, type ConnectOptions, type Slot } from './server.js';
import { SimulatedSocket } from './socket.js';
import { Stalls } from './stalls.js';
import { WorldTime } from './world-time.js';

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
  readonly maxHoldMs: number;
  readonly ledger: OutageLedger | null;
  readonly #limits = new Map<string, number>();
  /** The latest newcomer of each key that has been neither admitted nor refused. */
  readonly #newcomers = new Map<string, SimulatedClient>();
  /** The newest connection of each key. */
  readonly #sockets = new Map<string, SimulatedSocket>();
  /** The managers of current connections. */
  readonly #current = new Map<SimulatedSocket, WebSocketManager>();
  /** Connections that a newer one of their thread has taken over from. */
  readonly #replaced = new WeakSet<SimulatedSocket>();
  /** The key whose release is being requested at this moment. */
  #requestedKey: string | null = null;
  readonly #goesOn: boolean;
  /** How many promises must settle before time goes on. */
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
    this.maxHoldMs = config.maxHoldMs;
    const random = this.chance.fork().next;
    this.ledger = hasLedger ? new OutageLedger(this.time, this.chance.fork()) : null;
    this.mooring = new Mooring({
      config,
      time: this.time,
      random,
      limitOf: (userId) => this.limitOf(userId),
      ledger: this.ledger === null ? undefined : this.#watched(this.ledger),
    });
    this.invariants = new Invariants(this);
    this.#listen();
  }

  #listen(): void {
    this.mooring.on('connection.replaced', ({ key }) => {
      this.#endCurrent(key);
      const former = this.#sockets.get(key);
      if (former !== undefined) this.#replaced.add(former);
    });
    this.mooring.on('connection.left', ({ key }) => this.#endCurrent(key));
    this.mooring.on('admission.refused', ({ userId, closeCause, waitedMs }) => {
      if (closeCause === 'quota') this.observer?.onRefused(userId, waitedMs);
    });
    this.mooring.on('manager.released', ({ key }) => {
      this.#endCurrent(key);
      this.#sockets.delete(key);
    });
  }

  /** The first promise that was broken, or `null`. */
  get violation(): Violation | null {
    return this.invariants.violation;
  }

  readonly now = (): number => this.time.now() - this.#stalls.totalMs;

  slackSince(atMs: number): number {
    return 2 * tickMs + this.stallSlackSince(atMs);
  }

  stallSlackSince(atMs: number): number {
    return this.#stalls.slackSince(atMs);
  }

  stall(forMs: number): void {
    const wholeMs = Math.round(forMs);
    this.#stalls.add(this.now(), wholeMs);
    this.time.stall(wholeMs);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  isReleaseRequested(key: string): boolean {
    return this.#requestedKey === key;
  }

  currentKeyOf(socket: SimulatedSocket): string | undefined {
    return this.#current.get(socket)?.key;
  }

  current(): Iterable<readonly [SimulatedSocket, WebSocketManager]> {
    return this.#current;
  }

  newcomerOf(key: string): SimulatedClient | undefined {
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

  /** Changes the user's limit. */
  setLimit(userId: string, limit: number): void {
    if (limit < this.limitOf(userId)) this.invariants.counting.limitLowered(userId);
    this.#limits.set(userId, limit);
  }

  connect(fields: ContextFields, options: ConnectOptions): SimulatedClient {
    const socket: SimulatedSocket = new SimulatedSocket(this, options, () => {
      this.invariants.releases.onClose(socket);
      // A user who connects again with the same thread wants to go on with the new connection.
      if (!this.#replaced.has(socket)) this.observer?.onClose(socket);
    });
    const client = new SimulatedClient(fields, socket);
    this.clients.add(client);
    this.#newcomers.set(isolationKey(fields), client);
    const outcome = this.mooring.decide(fields);
    if (isPending(outcome)) {
      client.pending = outcome;
      this.#accept(client, outcome);
      void this.#await(outcome.settled).then((admission) => {
        client.pending = null;
        this.#decided(client, admission, options);
      });
    } else this.#decided(client, outcome, options);
    return client;
  }

  /** The application reports an error of the manager, whichever connection that has by now. */
  fail({ manager }: SimulatedClient, how: 'for good' | 'perhaps'): void {
    if (manager === null) return;
    const isCurrent = this.mooring.managersOf(manager.userId).includes(manager);
    const socket = this.socketOf(manager.key);
    if (isCurrent && socket !== null) socket.hasFailed = true;
    const error = new Error('the application says so');
    if (how === 'for good') manager.fail(error);
    else manager.reportError(error);
  }

  /** An operator requests the release of a manager. */
  requestRelease({ manager }: SimulatedClient): void {
    if (manager === null) return;
    this.#requestedKey = manager.key;
    this.mooring.release(manager.key);
    this.#requestedKey = null;
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

  /** The application registers a release hook. */
  onRelease({ manager }: SimulatedClient, kind: HookKind): void {
    if (manager === null || this.#hasStopped) return;
    const record = new HookRecord(kind);
    manager.onRelease(({ signal }) => {
      const running = record.run(signal, this.time);
      return kind === 'ignores' || running === undefined ? running : this.#await(running);
    });
    this.invariants.closing.hookRegistered(manager, record);
  }

  /** Lets time pass until then, or until a promise is broken. */
  async runUntil(atMs: number): Promise<void> {
    await this.time.runUntil(atMs, () => {
      this.invariants.step();
      return this.#goesOn || this.invariants.violation === null;
    });
  }

  /** All clients fall silent, and then nothing may be left. If the server is already stopping, this only waits. */
  async end(): Promise<void> {
    this.isEnding = true;
    if (!this.isStopping) await this.#fallQuiet();
    this.stop();
    await this.runUntil(this.time.now() + quietMs(this.config));
    this.invariants.checkStopped(this.#hasStopped);
  }

  async #fallQuiet(): Promise<void> {
    for (const client of this.clients) this.vanish(client);
    for (const socket of this.#sockets.values()) socket.fallSilent();
    await this.runUntil(this.time.now() + quietMs(this.config));
    this.invariants.checkQuiet();
  }

  /** As adapters do if a newcomer has to wait: the socket is accepted first. */
  #accept(client: SimulatedClient, pending: PendingAdmission): void {
    if (pending.accepted === undefined) return;
    client.isAccepted = true;
    client.socket.accept(() => this.forget(client));
    pending.accepted(client.socket);
  }

  #decided(client: SimulatedClient, { ticket, refusal }: Admission, options: ConnectOptions): void {
    this.#endNewcomer(client);
    if (refusal !== null) {
      this.#refused(client, refusal, options);
      return;
    }
    const open = (): void => {
      if (client.state === 'gone') {
        ticket.cancel();
        return;
      }
      client.socket.forgetPings();
      const { connection, refusal: late } = ticket.open(client.socket);
      if (late !== null) {
        this.#refused(client, late, options);
        return;
      }
      client.state = 'open';
      this.#attached(client, connection.manager);
      client.socket.attach(connection, (code, reason) => {
        this.forget(client);
        options.onEnd?.(code, reason);
      });
      if (client.isGoneUnnoticed) this.forget(client);
      else options.onOpen?.(client);
    };
    if (options.openAfterMs === undefined) open();
    else this.time.schedule(options.openAfterMs, open);
  }

  /** If the manager had a connection before, the new one gets its holds. */
  #attached(client: SimulatedClient, manager: WebSocketManager): void {
    const former = this.#sockets.get(manager.key);
    if (former !== undefined && manager.generation > 1) client.socket.holds = former.holds;
    client.manager = manager;
    this.#sockets.set(manager.key, client.socket);
    this.#current.set(client.socket, manager);
  }

  #endNewcomer(client: SimulatedClient): void {
    const key = isolationKey(client.fields);
    if (this.#newcomers.get(key) === client) this.#newcomers.delete(key);
  }

  #endCurrent(key: string): void {
    const socket = this.#sockets.get(key);
    if (socket !== undefined) this.#current.delete(socket);
  }

  #refused(client: SimulatedClient, { close }: RefusalError, options: ConnectOptions): void {
    const isThere = client.state !== 'gone' && !client.isGoneUnnoticed;
    this.forget(client);
    if (isThere) this.notifyRefused(options, close);
  }

  protected override forget(client: SimulatedClient): void {
    const wasWaiting = client.pending !== null;
    super.forget(client);
    this.#endNewcomer(client);
    if (!wasWaiting) return;
    const key = isolationKey(client.fields);
    const isSame = ({ fields, pending }: SimulatedClient): boolean => pending !== null && isolationKey(fields) === key;
    if (![...this.clients].some(isSame)) this.invariants.counting.newcomerLeft(client.fields.userId, key);
  }

  /** Time stands still until the promise has settled, or waits for time to pass. */
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
