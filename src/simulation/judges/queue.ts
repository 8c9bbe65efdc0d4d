import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import { Judge, type JudgedWorld } from './judge.js';

/** A newcomer that waits for a slot. */
export interface Waiting {
  readonly key: string;
  /** When it was first seen to have sent bytes; `Infinity` before. */
  sentBytesAtMs: number;
}

/** What has happened to one user since the last step. */
interface Step {
  /** Newcomers served that had sent bytes. */
  served: number;
  /** Places of suspects, and of evicted connections, that were given to newcomers. */
  given: number;
  /** Places of evicted connections, whoever evicted them. */
  evicted: number;
  /** Newcomers served before others that were ahead and had sent no bytes. */
  passedOver: number;
}

/** A naive model of the queue. Judges who gets a slot: in order of arrival, and for each suspect one newcomer. */
export class QueueJudge extends Judge {
  readonly #queues = new Map<string, Waiting[]>();
  readonly #steps = new Map<string, Step>();

  constructor(world: JudgedWorld, report: Report) {
    super(world, report);
    const { events } = world.mooring;
    events.on('admission.queued', ({ userId, key }) => {
      const queue = this.of(userId);
      if (!queue.some((newcomer) => newcomer.key === key))
        this.#queues.set(userId, [...queue, { key, sentBytesAtMs: Infinity }]);
    });
    events.on('manager.admitted', ({ userId, key }) => this.#onServed(userId, key));
    events.on('admission.refused', ({ userId, key, code, ahead }) => {
      // A newer newcomer of the same key has its place; a newcomer refused for a limit of 0 never had one.
      const hadNone = code === 'key.replaced' || (code === 'quota.exceeded' && ahead === null);
      if (!hadNone) this.#remove(userId, key);
    });
    events.on('admission.cancelled', ({ userId, key }) => this.#remove(userId, key));
    events.on('manager.released', (event) => this.#onReleased(event));
  }

  /** The user's newcomers, the first in line first. */
  of(userId: string): readonly Waiting[] {
    return this.#queues.get(userId) ?? [];
  }

  /** Each user with waiting newcomers, and these newcomers. */
  all(): Iterable<readonly [userId: string, queue: readonly Waiting[]]> {
    return this.#queues;
  }

  /** How many users have newcomers. */
  get size(): number {
    return this.#queues.size;
  }

  step(): void {
    if (this.#steps.size === 0) return;
    // A ledger answers in any order, and whoever gets a place is let in only then.
    if (this.world.ledger === null) for (const [userId, step] of this.#steps) this.#checkStep(userId, step);
    this.#steps.clear();
  }

  #checkStep(userId: string, { served, given, evicted, passedOver }: Step): void {
    if (given > served)
      this.report(
        'one for one',
        `${given} connections of ${userId} made room, and ${served} newcomers that had sent bytes got in`,
      );
    if (passedOver > given + evicted)
      this.report(
        'served in order',
        `${userId}: a newcomer that had sent no bytes was passed over, and no suspect or evicted connection made room`,
      );
  }

  #onServed(userId: string, key: string): void {
    const queue = this.of(userId);
    if (queue.length === 0) return;
    const index = queue.findIndex((newcomer) => newcomer.key === key);
    const ahead = index < 0 ? queue : queue.slice(0, index);
    const passed = ahead.find((newcomer) => this.#hasSentBytes(newcomer.key));
    if ((passed !== undefined || index < 0) && this.world.ledger === null)
      this.report('served in order', `${key} is served before ${(passed ?? queue[0])?.key ?? ''}`);
    const step = this.#stepOf(userId);
    if (this.#hasSentBytes(key)) step.served += 1;
    if (ahead.length > 0) step.passedOver += 1;
    this.#remove(userId, key);
  }

  #onReleased({ userId, key, reason, closeCause, by }: MooringEvent<'manager.released'>): void {
    if (reason === 'evicted') this.#stepOf(userId).evicted += 1;
    if (by !== 'admission') return;
    const step = this.#stepOf(userId);
    const { maxTotalManagers, slowConsumerTimeoutMs } = this.world.config;
    // If the whole server is full, the newcomer that gets the place of an evicted connection waits in no queue.
    if (reason === 'evicted' && maxTotalManagers === null) step.given += 1;
    const socket = this.world.socketOf(key);
    if (reason !== 'disconnected' || socket === null || socket.isOver) return;
    // Data stuck for this long means dead: it is released whoever waits.
    const isDead = this.world.now() - socket.stuckSinceMs >= slowConsumerTimeoutMs;
    if (closeCause !== 'slow' || !(isDead || socket.isReadingPaused)) step.given += 1;
  }

  #hasSentBytes(key: string): boolean {
    return this.world.newcomerOf(key)?.hasSentBytes ?? true;
  }

  #remove(userId: string, key: string): void {
    const queue = this.of(userId).filter((newcomer) => newcomer.key !== key);
    if (queue.length > 0) this.#queues.set(userId, queue);
    else this.#queues.delete(userId);
  }

  #stepOf(userId: string): Step {
    const step = this.#steps.get(userId) ?? { served: 0, given: 0, evicted: 0, passedOver: 0 };
    this.#steps.set(userId, step);
    return step;
  }
}
