import { Writable } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';

/*
 * What Mooring reads of the sockets and servers of `ws` that `ws` does not document: here and nowhere else. Each is as it has been since
 * `ws` 8.5; a test looks whether it is still there.
 */

/** What reads the frames of a socket, or `null` if this version of `ws` has none by that name. */
export function receiverOf(socket: WebSocket): Writable | null {
  const receiver: unknown = Reflect.get(socket, '_receiver');
  return receiver instanceof Writable ? receiver : null;
}

/** Whether the peer's close frame has come. `ws` notes that before it closes. */
export function hasCloseFrameOf(socket: WebSocket): boolean {
  return Reflect.get(socket, '_closeFrameReceived') === true;
}

/** Whether the server was closed, after which it takes no more sockets. `ws` says so to nobody else. */
export function isClosed(server: WebSocketServer): boolean {
  return Number(Reflect.get(server, '_state')) > 0;
}
