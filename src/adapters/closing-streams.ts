import type { Duplex } from 'node:stream';

/** Told of a stream whose WebSocket begins to close, by whoever; it is of no more use to its client. */
export type Departing = (stream: object) => void;

const watchers = new WeakMap<object, Departing>();

/**
 * Who hears when the WebSocket on this stream begins to close: a server that has to destroy a connection takes one of
 * those first.
 *
 * Why by the stream: sockets that were refused have no manager, and their WebSocket is nobody's but the adapter's.
 */
export function watchClosing(stream: Duplex, departing: Departing): void {
  watchers.set(stream, departing);
}

/** Its WebSocket, or the refusal of one, has begun to close. Never throws. */
export function announceClosing(stream: object): void {
  watchers.get(stream)?.(stream);
}
