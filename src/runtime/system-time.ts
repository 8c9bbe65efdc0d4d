import type { Time, Timer } from '../core/time.js';

/** The real clock and the real timers: the only place that touches them. Timers never keep the process alive. */
export class SystemTime implements Time {
  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timeout = setTimeout(callback, delayMs);
    timeout.unref();
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  }

  /** An immediate runs after the poll phase it was set in; one set there runs after the next, a whole one. */
  afterPoll(callback: () => void): void {
    setImmediate(() => {
      setImmediate(callback);
    });
  }
}
