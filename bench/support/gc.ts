import { PerformanceObserver } from 'node:perf_hooks';
import { nextTurn } from './case.js';

/** A stretch of time, in milliseconds of `performance.now()`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Records when collections stopped the process. */
export class GcWatch {
  readonly #pauses: Span[] = [];
  readonly #observer = new PerformanceObserver((list) => {
    this.#note(list.getEntries());
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** All pauses so far. Those of the last turn are only known after it. */
  async finish(): Promise<Span[]> {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    this.#note(this.#observer.takeRecords());
    this.#observer.disconnect();
    return this.#pauses;
  }

  #note(entries: readonly { readonly startTime: number; readonly duration: number }[]): void {
    for (const { startTime, duration } of entries) this.#pauses.push({ from: startTime, to: startTime + duration });
  }
}

/** How long collections stopped the process within a span. */
export function gcWithin({ from, to }: Span, pauses: readonly Span[]): number {
  return pauses.reduce((sum, gc) => sum + Math.max(0, Math.min(to, gc.to) - Math.max(from, gc.from)), 0);
}

export function lengthOf({ from, to }: Span): number {
  return to - from;
}
