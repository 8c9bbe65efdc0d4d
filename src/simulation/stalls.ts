import { tickMs } from '../core/liveness/stall-clock.js';

/** The stalls of a simulated process, and how far off its measured times may be because of them. */
export class Stalls {
  /** How long all of them took. */
  totalMs = 0;
  readonly #atMs: number[] = [];

  /** @param atMs in milliseconds in which the process ran */
  add(atMs: number, forMs: number): void {
    this.#atMs.push(atMs);
    this.totalMs += forMs;
  }

  /** The possible error, in ms, of a time that the server has measured since then: it notices stalls by a ticker. */
  slackSince(atMs: number): number {
    let stalls = 0;
    for (let index = this.#atMs.length - 1; index >= 0; index--) {
      if ((this.#atMs[index] ?? -Infinity) < atMs - tickMs) break;
      stalls += 1;
    }
    return 2 + 2 * tickMs * stalls;
  }
}
