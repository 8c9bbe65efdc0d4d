import { WebSocket, type RawData } from 'ws';
import type { WsConnection } from './ws-connection.js';

/** Where a socket keeps its connection; a symbol, so that nothing the application lists shows it. */
const connectionOf = Symbol('mooring.connection');

/** What can be sent. */
type Content = Parameters<WebSocket['send']>[0];

/** Ties a socket to its connection. */
export function bindSocket(socket: WebSocket, connection: WsConnection): void {
  (socket as { [connectionOf]?: WsConnection })[connectionOf] = connection;
}

/** The connection of a socket, if Mooring manages it. */
export function connectionOfSocket(socket: WebSocket): WsConnection | undefined {
  return (socket as { [connectionOf]?: WsConnection })[connectionOf];
}

/**
 * The server's own WebSocket class, with Mooring listening in.
 *
 * Why a subclass: no listener is added to any socket, so `listenerCount`, `on`, `once` and the order of listeners are
 * exactly the application's, and a message costs one comparison more.
 */
export function mooredClass(Base: typeof WebSocket): typeof WebSocket {
  return class MooredWebSocket extends Base {
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const connection = connectionOfSocket(this);
      if (connection !== undefined && !overhear(connection, event, args)) return true;
      return super.emit(event, ...args);
    }

    override send(content: Content, ...rest: unknown[]): void {
      super.send(content, ...(rest as [{ binary?: boolean }, (error?: Error) => void]));
      connectionOfSocket(this)?.sent(content);
    }

    override ping(...args: Parameters<WebSocket['ping']>): void {
      connectionOfSocket(this)?.appPinged();
      super.ping(...args);
    }

    /** The slot is free on the decision to close, not when the peer has agreed. */
    override close(code?: number, reason?: string | Buffer): void {
      const wasOpen = this.readyState === WebSocket.OPEN;
      super.close(code, reason);
      if (wasOpen) connectionOfSocket(this)?.closed();
    }

    closeQuietly(code: number, reason: string): void {
      super.close(code, reason);
    }

    pingQuietly(payload: string): void {
      super.ping(payload);
    }
  };
}

/** Notes what an event says of the connection. @returns whether the application should have the event too */
function overhear(connection: WsConnection, event: string | symbol, args: readonly unknown[]): boolean {
  switch (event) {
    case 'message':
      connection.message(args[0] as RawData);
      return true;
    case 'ping':
      connection.pinged();
      return true;
    case 'pong':
      return connection.ponged(args[0] as Buffer);
    case 'close':
      connection.closed();
      return true;
    case 'error':
      connection.errored(args[0]);
      return true;
    default:
      return true;
  }
}
