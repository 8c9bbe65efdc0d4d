import { quarterOf, unadmittedLimit } from '../bounds.js';
import type { WebSocketConfig } from '../settings.js';
import type { PlaceQueue } from './queue.js';

interface WaitingCapOptions {
  readonly config: WebSocketConfig;
  readonly queue: PlaceQueue;
}

/**
 * How many newcomers may wait at once: for a place, or for the answer of a connection that they would replace. One user
 * has at most a quarter of it, so that no user can use it up for all others.
 */
export class WaitingCap {
  readonly #queue: PlaceQueue;
  readonly #limit: number;
  readonly #limitOfUser: number;
  /** Newcomers that wait for an answer, by user. The queue counts those that wait for a place. */
  readonly #contests = new Map<string, Set<object>>();
  #size = 0;

  constructor({ config, queue }: WaitingCapOptions) {
    this.#queue = queue;
    this.#limit = unadmittedLimit(config);
    this.#limitOfUser = quarterOf(this.#limit);
  }

  /** Whether one more newcomer of the user may wait. */
  hasRoomFor(userId: string): boolean {
    const ofUser = this.#queue.sizeOf(userId) + (this.#contests.get(userId)?.size ?? 0);
    return ofUser < this.#limitOfUser && this.#queue.size + this.#size < this.#limit;
  }

  /** Counts a contest, in which one newcomer of the user waits. */
  add(userId: string, contest: object): void {
    const contests = this.#contests.get(userId) ?? new Set();
    const before = contests.size;
    contests.add(contest);
    this.#size += contests.size - before;
    this.#contests.set(userId, contests);
  }

  /** The contest is over. */
  remove(userId: string, contest: object): void {
    const contests = this.#contests.get(userId);
    if (contests?.delete(contest) !== true) return;
    this.#size -= 1;
    if (contests.size === 0) this.#contests.delete(userId);
  }
}
