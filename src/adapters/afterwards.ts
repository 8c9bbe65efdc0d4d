/**
 * Acts on what a promise gives, outside of any promise: an exception of the application's must reach the process as
 * the uncaught exception it is, not as a rejection of a promise of ours.
 */
export function afterwards<T>(promise: PromiseLike<T>, act: (value: T) => void): void {
  void promise.then((value) => {
    process.nextTick(act, value);
  });
}
