/** One newcomer that was refused for quota. */
interface Watched {
  readonly atMs: number;
  /** When it asked to come in: whoever was heard of since was alive while it waited. */
  readonly askedAtMs: number;
  /** Newcomers that stood before it: so many more places had to be free. */
  readonly ahead: number;
  /** Managers counted then that have turned out to be dead. */
  dead: number;
}

/** Refusals of one user that are remembered at most, and those of all users. */
const mostPerUser = 32;
const mostInAll = 16_384;

/**
 * Refusals for quota, watched until whoever was dead then must have been found: a refusal is wrong when more of the
 * managers that were counted turn out to have been dead than newcomers stood ahead of it.
 * @source spec section 8, KPI 6
 */
export class WrongRefusals {
  readonly #watchedForMs: number;
  /** Users in the order of their last refusal. */
  readonly #byUser = new Map<string, Watched[]>();
  #size = 0;

  /** @param watchedForMs how long a dead connection can go unnoticed */
  constructor(watchedForMs: number) {
    this.#watchedForMs = watchedForMs;
  }

  /** How many are watched. */
  get size(): number {
    return this.#size;
  }

  refused(userId: string, { ahead, askedAtMs }: { ahead: number; askedAtMs: number }, nowMs: number): void {
    const watched = this.#byUser.get(userId) ?? [];
    this.#byUser.delete(userId);
    this.#byUser.set(userId, watched);
    watched.push({ atMs: nowMs, askedAtMs, ahead, dead: 0 });
    this.#size += 1;
    if (watched.length > mostPerUser) this.#forget(watched, 1);
    this.#forgetOld(nowMs);
  }

  /**
   * A manager was released as dead.
   * @param lastByteAtMs when its peer was last heard of
   * @returns how many refusals turn out to have been wrong
   */
  died(userId: string, { admittedAtMs, lastByteAtMs }: { admittedAtMs: number; lastByteAtMs: number }): number {
    let wrong = 0;
    for (const refusal of this.#byUser.get(userId) ?? []) {
      if (refusal.askedAtMs <= lastByteAtMs || refusal.atMs < admittedAtMs) continue;
      refusal.dead += 1;
      if (refusal.dead === refusal.ahead + 1) wrong += 1;
    }
    return wrong;
  }

  #forgetOld(nowMs: number): void {
    for (const [userId, watched] of this.#byUser) {
      const last = watched.at(-1);
      const isOver = last === undefined || nowMs - last.atMs > this.#watchedForMs;
      if (!isOver && this.#size <= mostInAll) return;
      this.#byUser.delete(userId);
      this.#size -= watched.length;
    }
  }

  #forget(watched: Watched[], count: number): void {
    watched.splice(0, count);
    this.#size -= count;
  }
}
