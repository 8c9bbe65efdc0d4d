import { nodeContexts } from './node-contexts.js';
import type { Time, Timer } from '../core/time.js';

/**
 * The real clock and the real timers: the only place that touches them. Timers never keep the process alive, and belong to
 * no request, whoever arms them.
 */
export class SystemTime implements Time {
  readonly contexts = nodeContexts;

  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timeout = this.contexts.outside(() => setTimeout(callback, delayMs));
    timeout.unref();
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  }

  /** An immediate runs after the poll phase it was set in; one set there runs after the next, a whole one. */
  afterPoll(callback: () => void): void {
    this.contexts.outside(() => {
      setImmediate(() => {
        setImmediate(callback);
      });
    });
  }
}
