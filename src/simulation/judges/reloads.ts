import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import type { JudgedWorld } from '../judged-world.js';

/** What may end a manager that waits for its thread's next connection. */
const mayEnd: ReadonlySet<MooringEvent<'manager.released'>['reason']> = new Set(['closed', 'requested', 'shutdown']);

/** A manager that was released because its connection ended, or while it was away. */
interface Ended {
  readonly userId: string;
  readonly key: string;
  readonly socket: SimulatedSocket;
}

/**
 * Judges whether a reload ends a run: a manager that is held when its connection says goodbye or breaks waits for the
 * next one, unless somebody needs its place.
 */
export class ReloadJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  /** When the connections of managers ended that wait for the next one, by key. */
  readonly #leftAtMs = new Map<string, number>();
  readonly #ended: Ended[] = [];
  /** Users of whom somebody came, got in or was turned away since the last step. */
  readonly #cameInStep = new Set<string>();

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
    const { events } = world.mooring;
    events.on('connection.left', ({ key }) => {
      this.#leftAtMs.set(key, world.now());
    });
    events.on('connection.resumed', ({ key }) => {
      this.#leftAtMs.delete(key);
    });
    events.on('manager.released', (event) => {
      this.#whenReleased(event);
    });
    for (const type of ['admission.queued', 'admission.refused', 'admission.cancelled', 'manager.admitted'] as const)
      events.on(type, ({ userId }) => this.#cameInStep.add(userId));
  }

  /** Not within the events: the last hold ends before the truth has it, and a newcomer is told of after the release. */
  step(): void {
    if (this.#ended.length > 0) for (const ended of this.#ended.splice(0)) this.#check(ended);
    if (this.#cameInStep.size > 0) this.#cameInStep.clear();
  }

  #whenReleased({ userId, key, reason }: MooringEvent<'manager.released'>): void {
    const { config } = this.#world;
    const leftAtMs = this.#leftAtMs.get(key);
    this.#leftAtMs.delete(key);
    if (leftAtMs !== undefined && !mayEnd.has(reason))
      this.#report('a reload ends no run', `${key} was away, and is released as ${reason}`);
    const socket = this.#world.socketOf(key);
    if (reason !== 'closed' || socket === null || config.resumeGraceMs === 0) return;
    if (leftAtMs !== undefined && this.#hasPassed(leftAtMs, config.resumeGraceMs)) return;
    this.#ended.push({ userId, key, socket });
  }

  #hasPassed(atMs: number, forMs: number): boolean {
    return this.#world.now() - atMs + this.#world.stallSlackSince(atMs) >= forMs;
  }

  #check({ userId, key, socket }: Ended): void {
    if (!this.#isHeld(socket) || this.#world.isStopping || this.#isNeeded(userId)) return;
    this.#report('a reload ends no run', `${key} is held, and is released because its connection ended`);
  }

  /** Whether it is held, and not by holds alone that expire about now. */
  #isHeld({ heldUntilMs }: SimulatedSocket): boolean {
    const heldSinceMs = heldUntilMs - this.#world.config.maxHoldMs;
    return heldUntilMs > this.#world.now() + this.#world.slackSince(heldSinceMs);
  }

  /** Whether somebody wanted the place, or has it. */
  #isNeeded(userId: string): boolean {
    const { mooring, config } = this.#world;
    const isFull = mooring.managerCountOf(userId) >= this.#world.limitOf(userId);
    const isTotalFull = mooring.managerCount >= (config.maxTotalManagers ?? Infinity);
    return isFull || isTotalFull || this.#cameInStep.has(userId);
  }
}
