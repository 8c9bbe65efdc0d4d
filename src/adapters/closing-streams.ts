import type { Duplex } from 'node:stream';

/** Called with a stream when the WebSocket on it begins to close, whichever side began. */
export type ClosingListener = (stream: object) => void;

const listeners = new WeakMap<object, ClosingListener>();

/**
 * Sets the one listener that is called when the WebSocket on this stream begins to close. A server that has too many
 * connections destroys those first, since they are of no more use to their clients.
 *
 * Why by stream: a refused socket has no manager, and only the adapter knows its WebSocket.
 */
export function watchClosing(stream: Duplex, listener: ClosingListener): void {
  listeners.set(stream, listener);
}

/** The WebSocket on the stream, or its refusal, begins to close. Never throws. */
export function announceClosing(stream: object): void {
  listeners.get(stream)?.(stream);
}
