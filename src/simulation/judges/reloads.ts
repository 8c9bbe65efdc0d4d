import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import { Judge, type JudgedWorld } from './judge.js';

/** For what a manager may be released while it waits for its thread's next connection. */
const allowedReasons: ReadonlySet<MooringEvent<'manager.released'>['reason']> = new Set([
  'closed',
  'requested',
  'shutdown',
]);

/** A manager that was released because its connection ended. */
interface Ended {
  readonly userId: string;
  readonly key: string;
  readonly socket: SimulatedSocket;
}

/**
 * Judges whether a reload ends a run: a manager that is held when its connection closes or breaks waits for the next
 * one, unless somebody needs its place.
 */
export class ReloadJudge extends Judge {
  /** When the connection ended, of managers that wait for the next one, by key. */
  readonly #leftAtMs = new Map<string, number>();
  readonly #ended: Ended[] = [];
  /** Users with a newcomer that queued, got in, left or was refused since the last step. */
  readonly #usersWithNewcomers = new Set<string>();

  constructor(world: JudgedWorld, report: Report) {
    super(world, report);
    const { events } = world.mooring;
    events.on('connection.left', ({ key }) => this.#leftAtMs.set(key, world.now()));
    events.on('connection.resumed', ({ key }) => this.#leftAtMs.delete(key));
    events.on('manager.released', (event) => this.#onReleased(event));
    for (const type of ['admission.queued', 'admission.refused', 'admission.cancelled', 'manager.admitted'] as const)
      events.on(type, ({ userId }) => this.#usersWithNewcomers.add(userId));
  }

  /** Not within the events: then the socket's last hold has not ended yet, and a newcomer is not announced yet. */
  step(): void {
    if (this.#ended.length > 0) for (const ended of this.#ended.splice(0)) this.#check(ended);
    if (this.#usersWithNewcomers.size > 0) this.#usersWithNewcomers.clear();
  }

  #onReleased({ userId, key, reason }: MooringEvent<'manager.released'>): void {
    const { resumeGraceMs } = this.world.config;
    const leftAtMs = this.#leftAtMs.get(key);
    this.#leftAtMs.delete(key);
    if (leftAtMs !== undefined && !allowedReasons.has(reason))
      this.report('a reload ends no run', `${key} was away, and is released as ${reason}`);
    const socket = this.world.socketOf(key);
    if (reason !== 'closed' || socket === null || resumeGraceMs === 0) return;
    if (leftAtMs !== undefined && this.#hasPassed(leftAtMs, resumeGraceMs)) return;
    this.#ended.push({ userId, key, socket });
  }

  #hasPassed(atMs: number, forMs: number): boolean {
    return this.world.now() - atMs + this.world.stallSlackSince(atMs) >= forMs;
  }

  #check({ userId, key, socket }: Ended): void {
    if (!this.#isHeld(socket) || this.world.isStopping || this.#isPlaceNeeded(userId)) return;
    this.report('a reload ends no run', `${key} is held, and is released because its connection ended`);
  }

  /** Whether a hold on it lasts that does not expire about now. */
  #isHeld({ heldUntilMs }: SimulatedSocket): boolean {
    const heldSinceMs = heldUntilMs - this.world.config.maxHoldMs;
    return heldUntilMs > this.world.now() + this.world.slackSince(heldSinceMs);
  }

  #isPlaceNeeded(userId: string): boolean {
    const { mooring, config } = this.world;
    // With a ledger, newcomers may wait for what it counts elsewhere.
    const isFull = this.world.ledger !== null || mooring.managerCountOf(userId) >= this.world.limitOf(userId);
    const isTotalFull = mooring.managerCount >= (config.maxTotalManagers ?? Infinity);
    return isFull || isTotalFull || this.#usersWithNewcomers.has(userId);
  }
}
