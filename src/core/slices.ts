import type { Clock, Time } from './time.js';

/** How many steps are taken between two looks at the time. */
const stepsPerLook = 16;

interface SlicesParts {
  readonly time: Time;
  readonly clock: Pick<Clock, 'afterPoll'>;
  /** How long to work at a stretch. */
  readonly budgetMs: number;
}

/** Long work in short slices, with the process free for its sockets in between. */
export class Slices {
  readonly #parts: SlicesParts;

  constructor(parts: SlicesParts) {
    this.#parts = parts;
  }

  /**
   * Takes steps until one says there are no more. The first slice runs before this returns.
   * @param step does a little and says whether there is more
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
