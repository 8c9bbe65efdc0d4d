import { textHash } from './text-hash.js';

/** Refusals of one user at about the same time, of newcomers that came at about the same time. */
interface Refusals {
  readonly atMs: number;
  /** When the newcomers came: a connection that was heard of since was alive while they waited. */
  readonly sinceMs: number;
  /** How many of the newcomers had 0, 1, 2, … others of the user ahead of them. */
  readonly countsByAhead: number[];
  /** How many managers that were counted then have turned out to be dead. */
  dead: number;
}

/** Refusals within this time are recorded together. The times of messages are no more exact. */
const sameTimeMs = 250;

/** How many records are kept for one user, and for all users. */
const maxPerUser = 640;
const maxInAll = 3_072;

/** A refusal with more newcomers ahead is not recorded. */
const maxAhead = 63;

/**
 * Finds refusals for quota that were wrong: more of the managers that were counted turn out to have been dead than
 * newcomers were ahead. Refusals are kept until every connection that was dead then must have been found. A client that
 * loops on refusals gets one record for each 250 ms.
 * @see docs/decisions/0011-success-metrics.md
 */
export class WrongRefusals {
  readonly #keptForMs: number;
  /** The records of each user, by the hash of the id. The user that was refused last comes last. */
  readonly #byUser = new Map<number, Refusals[]>();
  #size = 0;

  /** @param keptForMs how long a dead connection can go unnoticed */
  constructor(keptForMs: number) {
    this.#keptForMs = keptForMs;
  }

  get size(): number {
    return this.#size;
  }

  /** Records a refusal. @param sinceMs when the newcomer came */
  refused(userId: string, { ahead, sinceMs }: { ahead: number; sinceMs: number }, nowMs: number): void {
    if (ahead > maxAhead) return;
    const user = numberOf(userId);
    const former = this.#byUser.get(user);
    const same = former?.findLast((each) => isSame(each, nowMs, sinceMs));
    const record = same ?? { atMs: nowMs, sinceMs, countsByAhead: [], dead: 0 };
    record.countsByAhead[ahead] = (record.countsByAhead[ahead] ?? 0) + 1;
    if (same === undefined) {
      this.#size += 1;
      former?.push(record);
    }
    // Most users have one record. An array that is made by `push` would take the memory of 17.
    const records = former ?? [record];
    if (records.length > maxPerUser) {
      records.shift();
      this.#size -= 1;
    }
    this.#byUser.delete(user);
    this.#byUser.set(user, records);
    this.#removeOld(nowMs);
  }

  /**
   * A manager was released as dead.
   * @param lastByteAtMs when its peer was last heard of
   * @returns how many refusals turn out to have been wrong
   */
  died(userId: string, { admittedAtMs, lastByteAtMs }: { admittedAtMs: number; lastByteAtMs: number }): number {
    let wrong = 0;
    for (const record of this.#byUser.get(numberOf(userId)) ?? []) {
      if (record.sinceMs <= lastByteAtMs || record.atMs < admittedAtMs) continue;
      record.dead += 1;
      wrong += record.countsByAhead[record.dead - 1] ?? 0;
    }
    return wrong;
  }

  #removeOld(nowMs: number): void {
    for (const [user, records] of this.#byUser) {
      const isOver = nowMs - (records.at(-1)?.atMs ?? 0) > this.#keptForMs;
      if (!isOver && this.#size <= maxInAll) return;
      this.#byUser.delete(user);
      this.#size -= records.length;
    }
  }
}

/** Once a connection was found dead, no refusal joins a record: it would have missed that death. */
function isSame(record: Refusals, nowMs: number, sinceMs: number): boolean {
  const { atMs, dead } = record;
  return dead === 0 && nowMs - atMs < sameTimeMs && Math.abs(sinceMs - record.sinceMs) < sameTimeMs;
}

/** So few users share a number that it makes no difference. */
function numberOf(userId: string): number {
  const { low, high } = textHash(userId);
  return (low >>> 0) * 2 ** 21 + high;
}
