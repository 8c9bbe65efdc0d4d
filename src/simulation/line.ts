import type { Chance } from './chance.js';
import { forever } from './forever.js';
import type { PeerProcess } from './peer-process.js';
import type { WorldTime } from './world-time.js';

/** A burst of loss takes so long; whatever is sent in it is repeated by the kernel after these times, until it arrives. */
const burstMs = { min: 50, max: 600 } as const;
const repeatsMs = [200, 600] as const;

interface LineOptions {
  readonly time: WorldTime;
  readonly chance: Chance;
  /** Milliseconds in which the server ran. */
  readonly now: () => number;
  /** From the server to the peer and back, in milliseconds. */
  readonly roundTripMs: number;
  /** How many of all transmissions begin a burst of loss. */
  readonly lossRatio: number;
  /** The process at the other end, if it ever pauses. */
  readonly process: PeerProcess | null;
  /** Does what has arrived, as soon as somebody reads. */
  readonly read: (act: () => void) => void;
}

/** The way between a server and a peer, as TCP makes it: in order, late where something is lost, or cut. */
export class Line {
  /** Whether what either end sends reaches the other. */
  isReachable = true;
  /** Since when that is as it is. */
  #changedAtMs: number;
  // Fields of its own, in whole milliseconds: there are millions of arrivals in a day.
  readonly #time: WorldTime;
  readonly #chance: Chance;
  readonly #now: () => number;
  readonly #read: (act: () => void) => void;
  readonly #process: PeerProcess | null;
  readonly #lossRatio: number;
  readonly #roundTripMs: number;
  readonly #oneWayMs: number;
  #burstEndsAtMs = 0;
  /** When the latest of what is on its way to the server arrives. */
  #latestMs = 0;
  /** Questions that nobody has acknowledged, and when the first of them was asked. */
  readonly #unacknowledged: { readonly afterMs: number; readonly act: () => void }[] = [];
  #lostAtMs = 0;

  constructor({ time, chance, now, roundTripMs, lossRatio, process, read }: LineOptions) {
    this.#time = time;
    this.#chance = chance;
    this.#now = now;
    this.#read = read;
    this.#process = process;
    this.#lossRatio = lossRatio;
    this.#roundTripMs = Math.round(roundTripMs);
    this.#oneWayMs = Math.round(roundTripMs / 2);
    this.#changedAtMs = now();
  }

  /** Since when what either end sends reaches the other; `forever` while it does not. */
  get reachableSinceMs(): number {
    return this.isReachable ? this.#changedAtMs : forever;
  }

  /** Since when it does not; `forever` while it does. */
  get unreachableSinceMs(): number {
    return this.isReachable ? forever : this.#changedAtMs;
  }

  /** Nothing gets through any longer, either way, and nobody is told. */
  cut(): void {
    if (!this.isReachable) return;
    this.isReachable = false;
    this.#changedAtMs = this.#now();
  }

  /** The way is open again: what was lost meanwhile gets through when it is repeated next. */
  heal(): void {
    this.isReachable = true;
    this.#changedAtMs = this.#now();
    if (this.#unacknowledged.length > 0) this.#repeat();
  }

  /** The server says something that the peer learns of, where it can. */
  toPeer(act: () => void): void {
    if (this.isReachable) this.#time.schedule(this.#oneWayMs, act);
  }

  /** The peer sends something. */
  toServer(act: () => void): void {
    if (!this.isReachable) return;
    // What the peer says tells the kernel that the way is open: it repeats at once what it still has.
    if (this.#unacknowledged.length > 0) this.#repeatNow();
    this.#arrive(this.#oneWayMs, () => {
      this.#read(act);
    });
  }

  /** The server asks, and the peer answers after so long, if the question and the answer get through. */
  thereAndBack(afterMs: number, act: () => void): void {
    if (this.isReachable && this.#unacknowledged.length === 0) this.#ask(afterMs, act);
    else {
      if (this.#unacknowledged.length === 0) this.#lostAtMs = this.#time.now();
      this.#unacknowledged.push({ afterMs, act });
    }
  }

  #ask(afterMs: number, act: () => void): void {
    const askedAtMs = this.#now();
    const answered = (): void => {
      if (this.reachableSinceMs <= askedAtMs) this.#read(act);
      else this.thereAndBack(afterMs, act);
    };
    const process = this.#process;
    if (process === null) this.#arrive(this.#roundTripMs + afterMs, answered);
    else
      this.#time.schedule(this.#oneWayMs, () => {
        process.run(() => {
          this.#arrive(this.#oneWayMs + afterMs, answered);
        });
      });
  }

  /** The kernel repeats what is not acknowledged after a fifth of a second, and then each time after twice as long. */
  #repeat(): void {
    const healedAtMs = this.reachableSinceMs;
    let waitMs: number = repeatsMs[0];
    while (this.#lostAtMs + waitMs < this.#time.now()) waitMs = 2 * waitMs + repeatsMs[0];
    this.#time.schedule(this.#lostAtMs + waitMs - this.#time.now(), () => {
      if (this.reachableSinceMs === healedAtMs) this.#repeatNow();
    });
  }

  #repeatNow(): void {
    for (const { afterMs, act } of this.#unacknowledged.splice(0)) this.#ask(afterMs, act);
  }

  #arrive(afterMs: number, act: () => void): void {
    const now = this.#time.now();
    this.#latestMs = Math.max(this.#latestMs, now + afterMs + (this.#lossRatio === 0 ? 0 : this.#lateMs(now)));
    this.#time.schedule(this.#latestMs - now, act);
  }

  /** What a loss costs: the sender notices and sends it again. */
  #lateMs(now: number): number {
    if (now >= this.#burstEndsAtMs && this.#chance.is(this.#lossRatio))
      this.#burstEndsAtMs = now + this.#chance.integer(burstMs.min, burstMs.max);
    return now < this.#burstEndsAtMs ? (repeatsMs.find((afterMs) => now + afterMs >= this.#burstEndsAtMs) ?? 0) : 0;
  }
}
