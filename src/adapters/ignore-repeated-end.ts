import type { Writable } from 'node:stream';

/**
 * Makes further calls of `end()` on a stream that has ended do nothing. Calls with data or a callback work as before.
 *
 * Why: when a socket closes, `ws` ends the socket and its receiver up to three times more. Each time Node makes an
 * Error, with its stack, although there is no callback to get it. This costs a server a fifth of the time of a connect.
 */
export function ignoreRepeatedEnd(stream: Writable): void {
  if (!Object.hasOwn(stream, 'end')) stream.end = endOnce;
}

function endOnce(this: Writable, ...given: unknown[]): Writable {
  if (given.length === 0 && this.writableEnded) return this;
  const { end } = Object.getPrototypeOf(this) as { readonly end: (...given: unknown[]) => Writable };
  return end.apply(this, given);
}
