const everyMs = 5_000;

/** Shows the progress of a long measurement on stderr. */
export class Progress {
  readonly #what: string;
  readonly #startedAt = performance.now();
  #saidAt = performance.now();

  constructor(what: string) {
    this.#what = what;
  }

  at(step: number, steps: number): void {
    const now = performance.now();
    if (now - this.#saidAt < everyMs) return;
    this.#saidAt = now;
    console.error(`${this.#what}: ${step} of ${steps}, ${Math.round((now - this.#startedAt) / 1_000)} s`);
  }
}
