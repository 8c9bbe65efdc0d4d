import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { unadmittedLimit } from '../core/bounds.js';
import type { RefusalError } from '../core/errors.js';
import type { Mooring } from '../core/mooring.js';
import type { Timer } from '../core/time.js';
import { announceClosing } from './closing-streams.js';
import type { HttpRejection } from './attempt.js';
import { RefusedSockets } from './refused-sockets.js';

/** A handshake that is not answered yet. */
export interface UnansweredHandshake {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** What the client has sent after its request. */
  readonly head: Buffer;
}

/** A refused client. Refusals are paced, and closing sockets counted, by its user, or by its address without a user. */
export interface RefusedClient {
  readonly userId: string | null;
  readonly address: string;
}

/** A socket whose handshake is done. */
export interface AcceptedSocket {
  readonly socket: WebSocket;
  readonly stream: Duplex;
}

/** How many refused sockets may be closing at once, at most. */
const maxClosing = 1_000;

/** The longest message that is read from a refused client. */
const refusedMaxPayload = 65_536;

/** Tells clients why they are rejected or refused, and ends their connections within `closeGraceMs`. */
export class RefusalSender {
  readonly #mooring: Mooring;
  readonly #closing: RefusedSockets;
  /** A server of our own, so that the application never sees the sockets it accepts. */
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: refusedMaxPayload,
  });

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
    this.#closing = new RefusedSockets(Math.min(maxClosing, unadmittedLimit(mooring.config)));
  }

  /** Sends an HTTP status. */
  reject(stream: Duplex, { status, reason, retryAfterMs }: HttpRejection): void {
    announceClosing(stream);
    this.#mooring.events.emit('socket.rejected', { status, reason });
    const timer = this.#afterGrace(() => {
      stream.destroy();
    });
    stream.on('error', ignore);
    stream.once('close', () => {
      timer.cancel();
    });
    stream.once('finish', () => {
      stream.destroy();
    });
    const retry = retryAfterMs === undefined ? '' : `Retry-After: ${String(Math.ceil(retryAfterMs / 1000))}\r\n`;
    stream.end(`HTTP/1.1 ${String(status)} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n${retry}\r\n`);
  }

  /** Accepts the handshake to send a close frame, since a page cannot read an HTTP status. */
  refuse({ request, stream, head }: UnansweredHandshake, refusal: RefusalError, client: RefusedClient): void {
    announceClosing(stream);
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.refuseOpen({ socket, stream }, refusal, client);
    });
  }

  /** Closes an open socket; a second later if its user or address is refused often. */
  refuseOpen(accepted: AcceptedSocket, { close, closeCause }: RefusalError, client: RefusedClient): void {
    const { socket } = accepted;
    const send = (): void => {
      this.#terminateAfterGrace(socket);
      socket.close(close.code, close.reason);
    };
    this.#countClosing(accepted, client, () => {
      socket.close(close.code, close.reason);
      socket.terminate();
    });
    const { userId } = client;
    socket.on('close', this.#mooring.pacer.tell({ closeCause, userId, address: () => client.address, send }));
  }

  /** The socket began to close before it was admitted or refused. If it does not finish in time, it is terminated. */
  awaitClose(accepted: AcceptedSocket, client: RefusedClient): void {
    const { socket } = accepted;
    this.#countClosing(accepted, client, () => {
      socket.terminate();
    });
    this.#terminateAfterGrace(socket);
  }

  /** Closes a socket of the server that Mooring cannot manage, and emits why. */
  closeUnmanaged(server: WebSocketServer, socket: WebSocket, reason: string): void {
    (server.clients as Set<WebSocket> | undefined)?.delete(socket);
    this.#mooring.events.emit('socket.unmanaged', { reason });
    socket.on('error', ignore);
    this.#terminateAfterGrace(socket);
    socket.close(1011, 'unmanaged');
  }

  #countClosing({ socket, stream }: AcceptedSocket, { userId, address }: RefusedClient, destroy: () => void): void {
    announceClosing(stream);
    socket.on('error', ignore);
    socket.on('close', this.#closing.add({ owner: userId ?? address, destroy }));
  }

  #terminateAfterGrace(socket: WebSocket): void {
    const timer = this.#afterGrace(() => {
      socket.terminate();
    });
    socket.on('close', () => {
      timer.cancel();
    });
  }

  #afterGrace(act: () => void): Timer {
    return this.#mooring.clock.setTimer(act, this.#mooring.config.closeGraceMs);
  }
}

function ignore(): void {
  // The connection is ending anyway.
}
