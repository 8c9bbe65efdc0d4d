import { nodeContexts } from './node-contexts.js';
import type { Time, Timer } from '../core/time.js';

/**
 * The real clock and the real timers; no other file uses them. Timers do not keep the process alive, and their callbacks
 * run in the async context of no request.
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

  /** The first immediate may run after a poll phase that had begun before. The second runs after a complete one. */
  afterPoll(callback: () => void): void {
    this.contexts.outside(() => {
      setImmediate(() => {
        setImmediate(callback);
      });
    });
  }
}
