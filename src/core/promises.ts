/** Whether the value is a promise, or any other thenable. Never throws. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return 'then' in value && typeof value.then === 'function';
  } catch {
    return false;
  }
}

/** For what should have been no promise: its rejection is nobody's. Never throws. */
export function ignoreRejection(value: unknown): void {
  if (isPromise(value)) void Promise.resolve(value).catch(() => undefined);
}

/** A promise, and the function that resolves it. */
export function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** What the function returns, or the error that it throws, as a promise. */
export function attempted<T>(act: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    resolve(act());
  });
}
