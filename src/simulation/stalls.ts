import { tickMs } from '../core/liveness/stall-clock.js';

/** When the process stood still, and how far off times may be because of it. */
export class Stalls {
  /** How long in all. */
  inAllMs = 0;
  readonly #atMs: number[] = [];

  /** @param atMs of the time in which it ran */
  note(atMs: number, forMs: number): void {
    this.#atMs.push(atMs);
    this.inAllMs += forMs;
  }

  /** How far off a time may be that the server has measured since then: it notices stalls by a ticker. */
  slackSince(atMs: number): number {
    let stalls = 0;
    for (let index = this.#atMs.length - 1; index >= 0; index--) {
      if ((this.#atMs[index] ?? -Infinity) < atMs - tickMs) break;
      stalls += 1;
    }
    return 2 + 2 * tickMs * stalls;
  }
}
