import type { Clock, Time } from './time.js';

/** How many steps are done between two readings of the time. */
const stepsPerLook = 16;

interface SlicesParts {
  readonly time: Time;
  readonly clock: Pick<Clock, 'afterPoll'>;
  /** How long one slice lasts. */
  readonly budgetMs: number;
}

/** Does long work in short slices. In between, the process serves its sockets. */
export class Slices {
  readonly #parts: SlicesParts;

  constructor(parts: SlicesParts) {
    this.#parts = parts;
  }

  /**
   * Does steps until one returns `false`. The first slice runs before this returns.
   * @param step does a little work, and returns whether there is more
   * @param whenDone called once, after the last step
   */
  run(step: () => boolean, whenDone?: () => void): void {
    const endsAt = this.#parts.time.now() + this.#parts.budgetMs;
    for (;;) {
      for (let taken = 0; taken < stepsPerLook; taken++) {
        if (step()) continue;
        whenDone?.();
        return;
      }
      if (this.#parts.time.now() >= endsAt) break;
    }
    this.#parts.clock.afterPoll(() => {
      this.run(step, whenDone);
    });
  }
}
