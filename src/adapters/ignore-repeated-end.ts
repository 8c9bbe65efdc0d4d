import type { Writable } from 'node:stream';

/**
 * Makes further calls of `end()` do nothing at all on a stream that has ended. With data or a callback it is as before.
 *
 * Why: when a socket closes, `ws` ends the socket and its receiver up to three times more. Each time Node makes an
 * Error, with its stack, for a callback that nobody gave. Together that is a fifth of what a connect costs a server.
 */
export function ignoreRepeatedEnd(stream: Writable): void {
  if (!Object.hasOwn(stream, 'end')) stream.end = endOnce;
}

function endOnce(this: Writable, ...given: unknown[]): Writable {
  if (given.length === 0 && this.writableEnded) return this;
  const { end } = Object.getPrototypeOf(this) as { readonly end: (...given: unknown[]) => Writable };
  return end.apply(this, given);
}
