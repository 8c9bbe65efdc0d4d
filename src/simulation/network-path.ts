import type { Chance } from './chance.js';
import { forever } from './forever.js';
import type { PeerProcess } from './peer-process.js';
import type { WorldTime } from './world-time.js';

/** How long a burst of loss takes. The kernel repeats what is sent in it after these times, until it arrives. */
const burstMs = { min: 50, max: 600 } as const;
const repeatsMs = [200, 600] as const;

interface NetworkPathOptions {
  readonly time: WorldTime;
  readonly chance: Chance;
  /** Milliseconds in which the server ran. */
  readonly now: () => number;
  /** From the server to the peer and back, in milliseconds. */
  readonly roundTripMs: number;
  /** The part of all transmissions that begin a burst of loss. */
  readonly lossRatio: number;
  /** The peer's process, if that ever pauses. */
  readonly process: PeerProcess | null;
  /** Called with the effect of each arrival at the server, which waits until the server reads. */
  readonly read: (act: () => void) => void;
}

/** The network between a server and a peer, as TCP makes it: in order, late after a loss, or cut. */
export class NetworkPath {
  /** Whether what either end sends reaches the other. */
  isReachable = true;
  /** When `isReachable` last changed. */
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
  /** When the last of what is under way to the server arrives. */
  #latestMs = 0;
  /** Requests that the peer has not acknowledged. */
  readonly #unacknowledged: { readonly afterMs: number; readonly act: () => void }[] = [];
  /** When the first of these was sent. */
  #lostAtMs = 0;

  constructor({ time, chance, now, roundTripMs, lossRatio, process, read }: NetworkPathOptions) {
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

  /** Since when either end reaches the other; `forever` while it does not. */
  get reachableSinceMs(): number {
    return this.isReachable ? this.#changedAtMs : forever;
  }

  /** Since when neither end reaches the other; `forever` while it does. */
  get unreachableSinceMs(): number {
    return this.isReachable ? forever : this.#changedAtMs;
  }

  /** Nothing arrives any longer, either way, and neither end is told. */
  cut(): void {
    if (!this.isReachable) return;
    this.isReachable = false;
    this.#changedAtMs = this.#now();
  }

  /** Repairs a path that was cut: what was lost meanwhile arrives when the kernel repeats it next. */
  restore(): void {
    this.isReachable = true;
    this.#changedAtMs = this.#now();
    if (this.#unacknowledged.length > 0) this.#repeatLater();
  }

  /** The server sends something; `act` is its effect on the peer. */
  toPeer(act: () => void): void {
    if (this.isReachable) this.#time.schedule(this.#oneWayMs, act);
  }

  /** The peer sends something; `act` is its effect on the server. */
  toServer(act: () => void): void {
    if (!this.isReachable) return;
    // What the peer sends tells the server's kernel that the path works: it repeats at once what it still has.
    if (this.#unacknowledged.length > 0) this.#repeatNow();
    this.#arrive(this.#oneWayMs, () => this.#read(act));
  }

  /** The server sends a request, which the peer answers after this time; `act` is the effect of the answer. */
  roundTrip(afterMs: number, act: () => void): void {
    if (this.isReachable && this.#unacknowledged.length === 0) {
      this.#request(afterMs, act);
      return;
    }
    if (this.#unacknowledged.length === 0) this.#lostAtMs = this.#time.now();
    this.#unacknowledged.push({ afterMs, act });
  }

  #request(afterMs: number, act: () => void): void {
    const sentAtMs = this.#now();
    const answered = (): void => {
      if (this.reachableSinceMs <= sentAtMs) this.#read(act);
      else this.roundTrip(afterMs, act);
    };
    const process = this.#process;
    if (process === null) this.#arrive(this.#roundTripMs + afterMs, answered);
    else
      this.#time.schedule(this.#oneWayMs, () => {
        process.run(() => this.#arrive(this.#oneWayMs + afterMs, answered));
      });
  }

  /** The kernel repeats what is not acknowledged after 200 ms, and then each time after more than twice as long. */
  #repeatLater(): void {
    const restoredAtMs = this.reachableSinceMs;
    let waitMs: number = repeatsMs[0];
    while (this.#lostAtMs + waitMs < this.#time.now()) waitMs = 2 * waitMs + repeatsMs[0];
    this.#time.schedule(this.#lostAtMs + waitMs - this.#time.now(), () => {
      if (this.reachableSinceMs === restoredAtMs) this.#repeatNow();
    });
  }

  #repeatNow(): void {
    for (const { afterMs, act } of this.#unacknowledged.splice(0)) this.#request(afterMs, act);
  }

  #arrive(afterMs: number, act: () => void): void {
    const now = this.#time.now();
    this.#latestMs = Math.max(this.#latestMs, now + afterMs + (this.#lossRatio === 0 ? 0 : this.#delayMs(now)));
    this.#time.schedule(this.#latestMs - now, act);
  }

  /** How much later something arrives because it was lost and sent again. */
  #delayMs(now: number): number {
    if (now >= this.#burstEndsAtMs && this.#chance.is(this.#lossRatio))
      this.#burstEndsAtMs = now + this.#chance.integer(burstMs.min, burstMs.max);
    return now < this.#burstEndsAtMs ? (repeatsMs.find((afterMs) => now + afterMs >= this.#burstEndsAtMs) ?? 0) : 0;
  }
}
