import { Duplex, Writable } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';

/*
 * Undocumented properties of `ws` that Mooring reads, all in this file. They have been the same since `ws` 8.5; a test
 * checks that they still exist.
 */

/** The stream that parses the frames of a socket, or `null` if this version of `ws` has no such property. */
export function receiverOf(socket: WebSocket): Writable | null {
  const receiver: unknown = Reflect.get(socket, '_receiver');
  return receiver instanceof Writable ? receiver : null;
}

/** Whether the peer's close frame has arrived. `ws` sets this before it closes the socket. */
export function hasCloseFrameOf(socket: WebSocket): boolean {
  return Reflect.get(socket, '_closeFrameReceived') === true;
}

/** Whether the server was closed, so that it accepts no more sockets. */
export function isClosed(server: WebSocketServer): boolean {
  return Number(Reflect.get(server, '_state')) > 0;
}

/** The stream below a socket that is open, or `null` if this version of `ws` has no such property. */
export function streamOf(socket: WebSocket): Duplex | null {
  const stream: unknown = Reflect.get(socket, '_socket');
  return stream instanceof Duplex ? stream : null;
}
