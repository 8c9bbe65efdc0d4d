import type { MooringEvent, StrategyTally } from '../core/events.js';
import { isInUse } from './leaks.js';
import type { SimulatedSocket } from './socket.js';
import type { World } from './world.js';

/** A promise that was broken. */
export interface Violation {
  readonly atMs: number;
  /** Which one. */
  readonly invariant: keyof typeof invariants;
  readonly message: string;
}

/** What must hold after every step. @source design section 9 */
export const invariants = {
  'within the limit': 'No user holds more managers than the limit, or than when it was last lowered.',
  'index is true': 'The registry holds exactly what was admitted and not released.',
  'released once': 'Every manager is released exactly once, and nothing is that was not admitted.',
  'served in order': "A user's newcomers are served in the order in which they came.",
  'places come back': 'A newcomer that left has no place in the queue.',
  'no wrong refusal':
    'Nobody is refused for quota while more of the managers counted are dead than newcomers stand ahead.',
  'takeover is free': 'Nobody whose thread has a manager waits for a slot, or is refused for quota.',
  'engaged stays': 'No engaged connection is closed to make room.',
  'answering stays': 'No connection whose peer answers is released as dead.',
  'idle means idle': 'Nothing is released as idle that was active lately, or is held.',
  'idle goes': 'Nothing stays that neither side has used for the idle timeout and two background cycles.',
  'told in full': 'Cleanups tell as many idle and evicted as were released.',
  'levels are patient': "A user's level acts at most once in the cool-down.",
  'error means error': 'Nothing is released for an error that had none.',
  'closed means closed': 'Nothing is released as closed whose own connection is open.',
  'told afterwards': 'What an event tells of has happened when it is told.',
  'no orphans': 'Once every peer is gone and the longest deadline has passed, nothing is left.',
  'nothing after stop': 'After stop() there is no manager, no timer and nobody who waits.',
  'no exception': 'Nothing is thrown out of the core, and no promise of its own is rejected unheard.',
} as const satisfies Record<string, string>;

/** How often everything is compared with everything, in steps. */
const stepsPerFullCheck = 1_000;

/** How often it is looked for what should have gone. */
const lookEveryMs = 60_000;

/** A naive model of the server, fed by its events, and by the truth about its peers. */
export class Invariants {
  /** The first promise that was broken. */
  violation: Violation | null = null;
  /** Connections closed although their peers answered, and nothing on the ladder asked for it. */
  healthyClosed = 0;
  readonly #world: World;
  /** Keys that hold a slot, by user. */
  readonly #live = new Map<string, Set<string>>();
  readonly #waiting = new Map<string, string[]>();
  readonly #allowances = new Map<string, number>();
  readonly #touched = new Set<string>();
  /** When a level last acted, by user; forgotten with the user's last manager. */
  readonly #actedAtMs = new Map<string, number>();
  /** What cleanups alone release, as released and as they told. */
  readonly #cleaned = { idle: { released: 0, told: 0 }, evicted: { released: 0, told: 0 } };
  #admitted = 0;
  #released = 0;
  #steps = 0;
  #lookAtMs = 0;

  constructor(world: World) {
    this.#world = world;
    const { events } = world.mooring;
    events.on('manager.admitted', (event) => {
      this.#whenAdmitted(event);
    });
    events.on('manager.released', (event) => {
      this.#whenReleased(event);
    });
    events.on('admission.queued', ({ userId, key }) => {
      this.#checkTakeover(userId, key);
      const waiting = this.#waiting.get(userId) ?? [];
      if (!waiting.includes(key)) this.#waiting.set(userId, [...waiting, key]);
    });
    events.on('admission.refused', (event) => {
      this.#whenRefused(event);
    });
    events.on('cleanup.completed', (event) => {
      this.#whenCleaned(event);
      if (event.trigger === 'level') this.#whenLevelActed(event);
    });
    events.on('background.completed', (event) => {
      this.#whenCleaned(event);
    });
    events.on('admission.cancelled', ({ userId, key }) => {
      this.#leaves(userId, key);
    });
  }

  /** Managers that hold a slot. */
  get live(): number {
    return this.#admitted - this.#released;
  }

  /** What a user holds now may stay, above the new limit. */
  limitLowered(userId: string): void {
    this.#allowances.set(userId, this.#world.mooring.factory.getUserManagerCount(userId));
  }

  /** A newcomer left, and no other one of its thread waits. */
  newcomerLeft(userId: string, key: string): void {
    if (this.#waiting.get(userId)?.includes(key) === true)
      this.#broken('places come back', `a newcomer left, and ${key} still waits`);
  }

  /** Compares what was touched, and once in so many steps everything. */
  step(): void {
    this.#steps += 1;
    // Not within the events: a freed slot is taken before its release is announced.
    if (this.#touched.size > 0) {
      for (const userId of this.#touched) this.#checkUser(userId);
      this.#touched.clear();
    }
    if (this.#steps % stepsPerFullCheck === 0) this.checkAll();
    if (this.#world.now() >= this.#lookAtMs) this.#lookForIdle();
  }

  checkAll(): void {
    const { factory } = this.#world.mooring;
    const users = factory.userCount;
    if (users !== this.#live.size) this.#broken('index is true', `${users} users instead of ${this.#live.size}`);
    for (const userId of this.#live.keys()) this.#checkUser(userId);
  }

  /** When everybody has gone and the longest deadline has passed. */
  checkQuiet(): void {
    const { factory } = this.#world.mooring;
    if (factory.managerCount > 0) this.#broken('no orphans', `${factory.managerCount} managers are left`);
    for (const [userId, waiting] of this.#waiting) this.#broken('no orphans', `${waiting.join()} of ${userId} wait`);
    for (const [reason, { released, told }] of Object.entries(this.#cleaned))
      if (told !== released) this.#broken('told in full', `${told} ${reason} are told, and ${released} were released`);
    this.checkAll();
  }

  checkStopped(hasStopped: boolean): void {
    const { mooring, time } = this.#world;
    if (!hasStopped) this.#broken('nothing after stop', 'stop() has not ended');
    if (mooring.factory.managerCount > 0)
      this.#broken('nothing after stop', `${mooring.factory.managerCount} managers are left`);
    if (time.pendingTimers > 0) this.#broken('nothing after stop', `${time.pendingTimers} timers are left`);
    if (this.#waiting.size > 0)
      this.#broken('nothing after stop', `${this.#waiting.size} users have newcomers waiting`);
  }

  #whenAdmitted({ userId, key, managerCount }: MooringEvent<'manager.admitted'>): void {
    this.#admitted += 1;
    const live = this.#live.get(userId) ?? new Set();
    this.#live.set(userId, live);
    if (live.has(key)) this.#broken('released once', `${key} is admitted while it holds a slot`);
    live.add(key);
    const first = this.#waiting.get(userId)?.[0];
    if (first !== undefined && first !== key) this.#broken('served in order', `${key} is served before ${first}`);
    this.#leaves(userId, key);
    this.#touched.add(userId);
    const most = Math.max(this.#world.limitOf(userId), this.#allowances.get(userId) ?? 0);
    const count = this.#world.mooring.factory.getUserManagerCount(userId);
    if (count > most) this.#broken('within the limit', `${userId} holds ${count} of ${most}`);
    if (count !== managerCount)
      this.#broken('told afterwards', `${key} is announced as number ${managerCount}, and ${count} are there`);
  }

  #whenReleased(event: MooringEvent<'manager.released'>): void {
    const { userId, key, reason } = event;
    this.#released += 1;
    const live = this.#live.get(userId);
    if (live?.delete(key) !== true) this.#broken('released once', `${key} is released and holds no slot`);
    if (live?.size === 0) {
      this.#live.delete(userId);
      this.#actedAtMs.delete(userId);
    }
    this.#touched.add(userId);
    if (this.#world.mooring.factory.getManager(key) !== undefined)
      this.#broken('told afterwards', `${key} is announced as released, and is there`);
    if (reason === 'idle' || reason === 'evicted') this.#cleaned[reason].released += 1;
    const socket = this.#socketOf(event);
    if (socket === null) return;
    if (reason === 'disconnected') this.#checkDead(event, socket);
    if (reason === 'evicted') this.#checkEvicted(event, socket);
    if (reason === 'idle') this.#checkIdle(event, socket);
    if (reason === 'closed' && !socket.isOver) this.#closedHealthy('closed means closed', `${key} is open`);
    if (reason === 'error' && !socket.hasFailed) this.#broken('error means error', `${key} had no error`);
  }

  #whenRefused({ userId, key, code, ahead, waitedMs }: MooringEvent<'admission.refused'>): void {
    // A newer one of the same key has its place.
    if (code !== 'key.replaced') this.#leaves(userId, key);
    // What a ledger denies, it denies for what others hold elsewhere.
    if (ahead === null || this.#world.hasLedger) return;
    this.#checkTakeover(userId, key);
    const dead = this.#world.socketsOf(userId).filter((socket) => this.#wasDeadFor(socket, waitedMs));
    if (dead.length > ahead)
      this.#broken('no wrong refusal', `${key} is refused with ${ahead} ahead, while ${dead.length} are dead`);
  }

  #checkTakeover(userId: string, key: string): void {
    if (this.#live.get(userId)?.has(key) === true)
      this.#broken('takeover is free', `${key} has a manager, and its newer connection waits for a slot or gets none`);
  }

  /** A run that began after the newcomer came has asked it, and had no answer. */
  #wasDeadFor(socket: SimulatedSocket, waitedMs: number): boolean {
    const { probeTimeoutMs } = this.#world.config;
    if (socket.unsentBytes > 0) return false; // its ping has not left: an excuse, for a while
    const now = this.#world.now();
    if (socket.openedAtMs >= now - waitedMs) return false; // it was not open yet when the run began
    return (
      now - socket.unreachableSinceMs > waitedMs + probeTimeoutMs + socket.traits.roundTripMs + this.#world.slackMs
    );
  }

  /** One that could hear the first ping that nothing came after; its answer was on the way. */
  #checkDead({ key, closeCause }: MooringEvent<'manager.released'>, socket: SimulatedSocket): void {
    if (closeCause === 'slow' || socket.isOver || socket.traits.throwsFrom.includes('ping')) return;
    if (socket.reachableSinceMs <= socket.unansweredSinceMs) {
      const agoMs = Math.round(this.#world.now() - socket.unansweredSinceMs);
      this.#closedHealthy('answering stays', `${key} was asked ${agoMs} ms ago, and answers`);
    }
  }

  #checkEvicted({ key }: MooringEvent<'manager.released'>, socket: SimulatedSocket): void {
    const { config, slackMs } = this.#world;
    const nowMs = this.#world.now() + slackMs;
    if (!isInUse(socket, nowMs, config)) return;
    const held = socket.held.count > 0 ? ', and is held' : '';
    this.#closedHealthy('engaged stays', `${key} was active ${nowMs - socket.inboundAtMs} ms ago${held}`);
  }

  #checkIdle({ key }: MooringEvent<'manager.released'>, socket: SimulatedSocket): void {
    const { config, slackMs } = this.#world;
    const idleMs = this.#world.now() + slackMs - socket.activeAtMs;
    const patienceMs = config.patienceRatio * config.idleManagerTimeoutMs;
    const isHeld = socket.held.count > 0 && idleMs < config.idleManagerTimeoutMs;
    if (idleMs < patienceMs || isHeld)
      this.#closedHealthy('idle means idle', `${key} was active ${idleMs} ms ago${isHeld ? ', and is held' : ''}`);
  }

  #whenCleaned({ byStrategy }: { readonly byStrategy: StrategyTally }): void {
    this.#cleaned.idle.told += byStrategy.idle;
    this.#cleaned.evicted.told += byStrategy.oldest;
  }

  #whenLevelActed({ userId }: MooringEvent<'cleanup.completed'>): void {
    const nowMs = this.#world.now();
    const agoMs = nowMs - (this.#actedAtMs.get(userId) ?? -Infinity);
    if (agoMs + this.#world.slackMs < this.#world.config.cleanupCooldownMs)
      this.#broken('levels are patient', `the level of ${userId} acted ${agoMs} ms ago`);
    if (this.#live.has(userId)) this.#actedAtMs.set(userId, nowMs);
  }

  #lookForIdle(): void {
    const { config, slackMs } = this.#world;
    const nowMs = this.#world.now();
    this.#lookAtMs = nowMs + lookEveryMs;
    const mostMs = config.idleManagerTimeoutMs + 2 * config.backgroundCleanupIntervalMs + slackMs;
    for (const { userId, socket } of this.#world.slots()) {
      const idleMs = nowMs - socket.activeAtMs;
      if (idleMs > mostMs) this.#broken('idle goes', `a connection of ${userId} was last used ${idleMs} ms ago`);
    }
  }

  #checkUser(userId: string): void {
    const { factory } = this.#world.mooring;
    const wanted = this.#live.get(userId)?.size ?? 0;
    const got = factory.getUserManagerCount(userId);
    if (got !== wanted) this.#broken('index is true', `${userId} has ${got} managers instead of ${wanted}`);
    if (factory.managerCount !== this.live)
      this.#broken('index is true', `${factory.managerCount} managers instead of ${this.live}`);
  }

  #leaves(userId: string, key: string): void {
    const waiting = this.#waiting.get(userId)?.filter((other) => other !== key) ?? [];
    if (waiting.length > 0) this.#waiting.set(userId, waiting);
    else this.#waiting.delete(userId);
  }

  #socketOf({ key }: MooringEvent<'manager.released'>): SimulatedSocket | null {
    return this.#world.socketOf(key);
  }

  #closedHealthy(invariant: keyof typeof invariants, message: string): void {
    this.healthyClosed += 1;
    this.#broken(invariant, message);
  }

  #broken(invariant: keyof typeof invariants, message: string): void {
    this.violation ??= { atMs: this.#world.time.now(), invariant, message };
  }
}
