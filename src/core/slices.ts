import type { Clock, Time } from './time.js';

/** How many steps are taken between two looks at the time. */
const stepsPerLook = 16;

interface SlicesOptions {
  readonly time: Time;
  readonly clock: Pick<Clock, 'afterPoll'>;
  /** How long to work at a stretch. */
  readonly budgetMs: number;
}

/** Long work in short slices, with the process free for its sockets in between. */
export class Slices {
  readonly #options: SlicesOptions;

  constructor(options: SlicesOptions) {
    this.#options = options;
  }

  /**
   * Takes steps until one says there are no more. The first slice runs before this returns.
   * @param step does a little and says whether there is more
   * @param whenDone called once, after the last step
   */
  run(step: () => boolean, whenDone?: () => void): void {
    const endsAt = this.#options.time.now() + this.#options.budgetMs;
    for (;;) {
      for (let taken = 0; taken < stepsPerLook; taken++) {
        if (step()) continue;
        whenDone?.();
        return;
      }
      if (this.#options.time.now() >= endsAt) break;
    }
    this.#options.clock.afterPoll(() => {
      this.run(step, whenDone);
    });
  }
}
