import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { JudgedWorld } from '../judged-world.js';

/** A newcomer that waits for a place. */
export interface Waiting {
  readonly key: string;
  /** When it was first seen to have been heard of; `Infinity` before. */
  heardAtMs: number;
}

/** What has happened to one user since the last step. */
interface Step {
  /** Newcomers served that had been heard of. */
  heard: number;
  /** Places of suspects, and of evicted connections, that were given away for newcomers. */
  given: number;
  /** Places of evicted connections, whoever evicted them. */
  evicted: number;
  /** Newcomers that were served before others that stood ahead and had not been heard of. */
  passedOver: number;
}

/** A naive model of who waits for a place, and judges who gets one: in line, and of suspects one for one. */
export class LineJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  readonly #lines = new Map<string, Waiting[]>();
  readonly #steps = new Map<string, Step>();

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
    const { events } = world.mooring;
    events.on('admission.queued', ({ userId, key }) => {
      const line = this.of(userId);
      if (!line.some((newcomer) => newcomer.key === key))
        this.#lines.set(userId, [...line, { key, heardAtMs: Infinity }]);
    });
    events.on('manager.admitted', ({ userId, key }) => {
      this.#whenServed(userId, key);
    });
    events.on('admission.refused', ({ userId, key, code, ahead }) => {
      // A newer one of the same key has its place; one that a limit of 0 turned away never had any.
      const hadNone = code === 'key.replaced' || (code === 'quota.exceeded' && ahead === null);
      if (!hadNone) this.#leaves(userId, key);
    });
    events.on('admission.cancelled', ({ userId, key }) => {
      this.#leaves(userId, key);
    });
    events.on('manager.released', (event) => {
      this.#whenReleased(event);
    });
  }

  /** The user's newcomers, first in line first. */
  of(userId: string): readonly Waiting[] {
    return this.#lines.get(userId) ?? [];
  }

  /** The lines of all users that have one. */
  all(): Iterable<readonly [userId: string, line: readonly Waiting[]]> {
    return this.#lines;
  }

  get size(): number {
    return this.#lines.size;
  }

  step(): void {
    if (this.#steps.size === 0) return;
    for (const [userId, step] of this.#steps) this.#checkStep(userId, step);
    this.#steps.clear();
  }

  #checkStep(userId: string, { heard, given, evicted, passedOver }: Step): void {
    if (given > heard)
      this.#report(
        'one for one',
        `${given} connections of ${userId} made room, and ${heard} newcomers that had been heard of got in`,
      );
    if (passedOver > given + evicted)
      this.#report(
        'served in order',
        `${userId}: one that had not been heard of was passed over for a place of nobody`,
      );
  }

  #whenServed(userId: string, key: string): void {
    const line = this.of(userId);
    if (line.length === 0) return;
    const index = line.findIndex((newcomer) => newcomer.key === key);
    const ahead = index < 0 ? line : line.slice(0, index);
    const passed = ahead.find((newcomer) => this.#isHeard(newcomer));
    if (passed !== undefined || index < 0)
      this.#report('served in order', `${key} is served before ${(passed ?? line[0])?.key ?? ''}`);
    const step = this.#stepOf(userId);
    if (this.#isHeard({ key })) step.heard += 1;
    if (ahead.length > 0) step.passedOver += 1;
    this.#leaves(userId, key);
  }

  #whenReleased({ userId, key, reason, closeCause, by }: MooringEvent<'manager.released'>): void {
    if (reason === 'evicted') this.#stepOf(userId).evicted += 1;
    if (by !== 'admission') return;
    const step = this.#stepOf(userId);
    const { maxTotalManagers, slowConsumerTimeoutMs } = this.#world.config;
    // Where the whole server is full, one is evicted for a newcomer that is let in after it and waits in no line.
    if (reason === 'evicted' && maxTotalManagers === null) step.given += 1;
    const socket = this.#world.socketOf(key);
    if (reason !== 'disconnected' || socket === null || socket.isOver) return;
    // What has stood for so long is dead, and gone whoever waits.
    const isDead = this.#world.now() - socket.stuckSinceMs >= slowConsumerTimeoutMs;
    if (closeCause !== 'slow' || !(isDead || socket.isReadingPaused)) step.given += 1;
  }

  #isHeard({ key }: Pick<Waiting, 'key'>): boolean {
    return this.#world.newcomerOf(key)?.isHeard ?? true;
  }

  #leaves(userId: string, key: string): void {
    const line = this.of(userId).filter((newcomer) => newcomer.key !== key);
    if (line.length > 0) this.#lines.set(userId, line);
    else this.#lines.delete(userId);
  }

  #stepOf(userId: string): Step {
    const step = this.#steps.get(userId) ?? { heard: 0, given: 0, evicted: 0, passedOver: 0 };
    this.#steps.set(userId, step);
    return step;
  }
}
