/**
 * The async contexts of the platform (`AsyncLocalStorage` and what is built on it), for a core that knows no platform.
 *
 * Why: a timer that is armed while a request is handled belongs to that request: whatever it does later, for whomever,
 * sees the request's store, and keeps it in memory.
 */
export interface AsyncContexts {
  /** Calls `callback` now, in the context of no request. */
  outside<T>(callback: () => T): T;
  /** A function that calls `callback` in the context of this moment, wherever it is called itself. */
  bound<Arguments extends unknown[], T>(callback: (...given: Arguments) => T): (...given: Arguments) => T;
}

/** For clocks without contexts: everything runs where it is called. */
export const noContexts: AsyncContexts = Object.freeze({
  outside: <T>(callback: () => T): T => callback(),
  bound: <F>(callback: F): F => callback,
});
