import { Judge } from './judge.js';

/** Reports failures inside the core. The core goes on after them, which must not hide them. */
export class FailureJudge extends Judge {
  listen(): void {
    const { events } = this.world.mooring;
    events.on('cleanup.failed', ({ userId, error }) => {
      this.report('nothing fails', `a cleanup of ${userId} failed: ${error}`);
    });
    events.on('background.completed', ({ errors }) => {
      if (errors > 0) this.report('nothing fails', `a background cycle failed for ${errors} users`);
    });
    events.on('listener.failed', ({ event, error }) => {
      this.report('nothing fails', `a listener of ${event} failed: ${error}`);
    });
    events.on('limit.rejected', ({ userId, got }) => {
      this.report('nothing fails', `the limit of ${userId} was ${got}`);
    });
    events.on('ledger.failed', ({ error }) => {
      if (this.world.ledger === null) this.report('nothing fails', `a ledger that is not there failed: ${error}`);
    });
  }
}
