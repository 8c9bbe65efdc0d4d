import type { Report } from '../promises.js';
import type { JudgedWorld } from '../judged-world.js';

/** The core goes on whatever fails in it. That it goes on must not hide that it failed. */
export class FailureJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  listen(): void {
    const { events } = this.#world.mooring;
    events.on('cleanup.failed', ({ userId, error }) => {
      this.#report('nothing fails', `a cleanup of ${userId} failed: ${error}`);
    });
    events.on('background.completed', ({ errors }) => {
      if (errors > 0) this.#report('nothing fails', `a background cycle failed for ${errors} users`);
    });
    events.on('listener.failed', ({ event, error }) => {
      this.#report('nothing fails', `a listener of ${event} failed: ${error}`);
    });
    events.on('limit.rejected', ({ userId, got }) => {
      this.#report('nothing fails', `the limit of ${userId} was ${got}`);
    });
    events.on('ledger.failed', ({ error }) => {
      if (this.#world.ledger === null) this.#report('nothing fails', `a ledger that is not there failed: ${error}`);
    });
  }
}
