import type { TextHash } from './text-hash.js';

/** How many users are counted in one minute before only half of them are. */
const maxUsers = 16_384;

/** How many user minutes there were with an attempt to connect, and with a successful one. */
export interface UserMinuteCount {
  wanted: number;
  gotIn: number;
}

/**
 * Counts, for each minute, the users who tried to connect and those who succeeded, each user once.
 *
 * Memory is bounded: with too many users in one minute it goes on with half of them, those whose hash is even, and counts
 * each twice; then with a quarter.
 */
export class UserMinutes {
  readonly #whenOver: (count: UserMinuteCount, atMs: number) => void;
  readonly #gotIn = new Map<number, boolean>();
  #minute = Number.NEGATIVE_INFINITY;
  /** How many users each counted user stands for. */
  #weight = 1;

  /** @param whenOver gets each minute's count when the next one begins */
  constructor(whenOver: (count: UserMinuteCount, atMs: number) => void) {
    this.#whenOver = whenOver;
  }

  /** @param user by the hash of the id */
  note({ low }: TextHash, gotIn: boolean, nowMs: number): void {
    this.catchUp(nowMs);
    // 31 bits, which V8 stores unboxed. So few users share a number that it changes no ratio.
    const user = low >>> 1;
    if (user % this.#weight !== 0) return;
    this.#gotIn.set(user, gotIn || this.#gotIn.get(user) === true);
    if (this.#gotIn.size > maxUsers) this.#halve();
  }

  /** Ends the minute if it is over. */
  catchUp(nowMs: number): void {
    const minute = Math.floor(nowMs / 60_000);
    if (minute === this.#minute) return;
    if (this.#gotIn.size > 0) this.#whenOver(this.present(), this.#minute * 60_000);
    this.#minute = minute;
    this.#weight = 1;
    this.#gotIn.clear();
  }

  present(): UserMinuteCount {
    let gotIn = 0;
    for (const isIn of this.#gotIn.values()) if (isIn) gotIn += 1;
    return { wanted: this.#gotIn.size * this.#weight, gotIn: gotIn * this.#weight };
  }

  #halve(): void {
    this.#weight *= 2;
    for (const user of this.#gotIn.keys()) if (user % this.#weight !== 0) this.#gotIn.delete(user);
  }
}
