import { forever } from './forever.js';
import type { WorldTime } from './world-time.js';

/**
 * A process with any number of connections. While it pauses it reads, answers and sends nothing; the kernels at both
 * ends go on.
 */
export class PeerProcess {
  /** Since when it has run, in milliseconds in which the server ran; `forever` while it pauses. */
  runningSinceMs: number;
  readonly #time: WorldTime;
  readonly #now: () => number;
  /** What it does when it goes on. */
  readonly #later: (() => void)[] = [];
  /** When the pause ends, in simulated time. */
  #endsAtMs = 0;

  /** @param now milliseconds in which the server ran */
  constructor(time: WorldTime, now: () => number) {
    this.#time = time;
    this.#now = now;
    this.runningSinceMs = now();
  }

  get isPaused(): boolean {
    return this.runningSinceMs === forever;
  }

  /** Pauses it for this long. A second pause can only prolong the first. */
  pause(forMs: number): void {
    this.runningSinceMs = forever;
    const endsAtMs = this.#time.now() + forMs;
    this.#endsAtMs = Math.max(this.#endsAtMs, endsAtMs);
    this.#time.schedule(forMs, () => {
      if (this.#endsAtMs <= endsAtMs) this.#goOn();
    });
  }

  /** The process does something: now or, while it pauses, when it goes on. */
  run(act: () => void): void {
    if (this.isPaused) this.#later.push(act);
    else act();
  }

  #goOn(): void {
    if (!this.isPaused) return;
    this.runningSinceMs = this.#now();
    for (const act of this.#later.splice(0)) act();
  }
}
