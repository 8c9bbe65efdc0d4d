import type { Chance } from './chance.js';
import type { WorldTime } from './world-time.js';

/** A burst of loss takes so long; whatever is sent in it is repeated by the kernel after these times, until it arrives. */
const burstMs = { least: 50, most: 600 } as const;
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
}

/** The way between a server and a peer, as TCP makes it: in order, late where something is lost, or cut. */
export class Line {
  /** Since when what either end sends reaches the other; `Infinity` while it does not. */
  reachableSinceMs: number;
  /** Since when it does not; `Infinity` while it does. */
  unreachableSinceMs = Infinity;
  readonly #options: LineOptions;
  #burstEndsAtMs = -Infinity;
  /** When the latest of what is on its way to the server arrives. */
  #latestMs = 0;
  /** Questions that nobody has acknowledged, and when the first of them was asked. */
  readonly #unacknowledged: { readonly afterMs: number; readonly act: () => void }[] = [];
  #lostAtMs = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    this.reachableSinceMs = options.now();
  }

  get isReachable(): boolean {
    return this.unreachableSinceMs === Infinity;
  }

  /** Nothing gets through any longer, either way, and nobody is told. */
  cut(): void {
    if (!this.isReachable) return;
    this.reachableSinceMs = Infinity;
    this.unreachableSinceMs = this.#options.now();
  }

  /** The way is open again: what was lost meanwhile gets through when it is repeated next. */
  heal(): void {
    this.reachableSinceMs = this.#options.now();
    this.unreachableSinceMs = Infinity;
    if (this.#unacknowledged.length > 0) this.#repeat();
  }

  /** The server says something that the peer learns of, where it can. */
  toPeer(act: () => void): void {
    if (this.isReachable) this.#options.time.arrive(this.#options.roundTripMs / 2, act);
  }

  /** The peer sends something. */
  toServer(act: () => void): void {
    if (this.isReachable) this.#arrive(this.#options.roundTripMs / 2, act);
  }

  /** The server asks, and the peer answers after so long, if the question and the answer get through. */
  thereAndBack(afterMs: number, act: () => void): void {
    if (this.isReachable && this.#unacknowledged.length === 0) this.#ask(afterMs, act);
    else {
      if (this.#unacknowledged.length === 0) this.#lostAtMs = this.#options.time.now();
      this.#unacknowledged.push({ afterMs, act });
    }
  }

  #ask(afterMs: number, act: () => void): void {
    const askedAtMs = this.#options.now();
    this.#arrive(this.#options.roundTripMs + afterMs, () => {
      if (this.reachableSinceMs <= askedAtMs) act();
      else this.thereAndBack(afterMs, act);
    });
  }

  /** The kernel repeats what is not acknowledged after a fifth of a second, and then each time after twice as long. */
  #repeat(): void {
    const { time } = this.#options;
    const healedAtMs = this.reachableSinceMs;
    let waitMs: number = repeatsMs[0];
    while (this.#lostAtMs + waitMs < time.now()) waitMs = 2 * waitMs + repeatsMs[0];
    time.arrive(this.#lostAtMs + waitMs - time.now(), () => {
      if (this.reachableSinceMs !== healedAtMs) return;
      for (const { afterMs, act } of this.#unacknowledged.splice(0)) this.#ask(afterMs, act);
    });
  }

  #arrive(afterMs: number, act: () => void): void {
    const { time } = this.#options;
    this.#latestMs = Math.max(this.#latestMs, time.now() + afterMs + this.#lateMs());
    time.arrive(this.#latestMs - time.now(), act);
  }

  /** What a loss costs: the sender notices and sends it again. */
  #lateMs(): number {
    const { lossRatio, chance, time } = this.#options;
    if (lossRatio === 0) return 0;
    const now = time.now();
    if (now >= this.#burstEndsAtMs && chance.is(lossRatio))
      this.#burstEndsAtMs = now + chance.between(burstMs.least, burstMs.most);
    return now < this.#burstEndsAtMs ? (repeatsMs.find((afterMs) => now + afterMs >= this.#burstEndsAtMs) ?? 0) : 0;
  }
}
