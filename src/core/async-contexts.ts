/**
 * The async contexts of the platform: those of `AsyncLocalStorage` in Node.
 *
 * Why: a timer that is set while a request is handled runs in the context of that request. Code that it runs for other
 * connections would see the request's store, and keep it in memory.
 */
export interface AsyncContexts {
  /** Calls `callback` now, in no request's context. */
  outside<T>(callback: () => T): T;
  /** A function that calls `callback` in the present context, wherever that function is called. */
  bound<Arguments extends unknown[], T>(callback: (...given: Arguments) => T): (...given: Arguments) => T;
}

/** For platforms without contexts. */
export const noContexts: AsyncContexts = Object.freeze({
  outside: <T>(callback: () => T): T => callback(),
  bound: <F>(callback: F): F => callback,
});
