import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { unadmittedLimit } from '../core/bounds.js';
import type { RefusalError } from '../core/errors.js';
import type { Mooring } from '../core/mooring.js';
import { announceClosing } from './closing-streams.js';
import { RefusedSockets } from './refused-sockets.js';

/** A handshake that nobody has answered. */
export interface Unanswered {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** What the client has sent after its request. */
  readonly head: Buffer;
}

/** An answer before authentication. */
export interface HttpRejection {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Who is refused: refusals are paced, and sockets that are closing counted, by user or else by address. */
export interface Refused {
  readonly userId: string | null;
  readonly address: string;
}

/** A socket that is open, or has begun to close. */
export interface Accepted {
  readonly socket: WebSocket;
  readonly stream: Duplex;
}

/** How many refused sockets may be closing at once, at most. */
const mostClosing = 1_000;

/** The longest message read from a client that was refused. */
const refusedMaxPayload = 65_536;

/** Tells those who may not in why, and sees that they are gone within `closeGraceMs`. */
export class RefusalSender {
  readonly #mooring: Mooring;
  readonly #closing: RefusedSockets;
  /** A server of its own: whom it accepts, the application never sees. */
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: refusedMaxPayload,
  });

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
    this.#closing = new RefusedSockets(Math.min(mostClosing, unadmittedLimit(mooring.config)));
  }

  /** With a close frame: a page cannot read an HTTP status, so the client is let in just far enough to be told. */
  refuse({ request, stream, head }: Unanswered, refusal: RefusalError, who: Refused): void {
    announceClosing(stream);
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.refuseOpen({ socket, stream }, refusal, who);
    });
  }

  /** Closes a socket that Mooring cannot manage, and says so. */
  closeUnmanaged(socket: WebSocket, reason: string): void {
    this.#mooring.events.emit('socket.unmanaged', { reason });
    socket.on('error', ignore);
    this.#endAfterGrace(socket);
    socket.close(1011, 'unmanaged');
  }

  /** Its close has begun, before it was admitted or refused: it is destroyed after `closeGraceMs` unless it is gone by then. */
  awaitClose(gone: Accepted, who: Refused): void {
    const { socket } = gone;
    this.#count(gone, who, () => {
      socket.terminate();
    });
    this.#endAfterGrace(socket);
  }

  /** Closes a socket that is open already, later where its user or address is refused often. */
  refuseOpen(accepted: Accepted, { close, closeCause }: RefusalError, who: Refused): void {
    const { socket } = accepted;
    const send = (): void => {
      this.#endAfterGrace(socket);
      socket.close(close.code, close.reason);
    };
    this.#count(accepted, who, () => {
      socket.close(close.code, close.reason);
      socket.terminate();
    });
    const { userId } = who;
    socket.on('close', this.#mooring.pacer.tell({ closeCause, userId, address: () => who.address, send }));
  }

  /** It is of no more use to its client, and counts as closing until it has closed. */
  #count({ socket, stream }: Accepted, { userId, address }: Refused, destroy: () => void): void {
    announceClosing(stream);
    socket.on('error', ignore);
    socket.on('close', this.#closing.add({ owner: userId ?? address, destroy }));
  }

  #endAfterGrace(socket: WebSocket): void {
    const grace = this.#afterGrace(() => {
      socket.terminate();
    });
    socket.on('close', grace.cancel);
  }

  /** With an HTTP status, before authentication. */
  reject(stream: Duplex, { status, reason, retryAfterMs }: HttpRejection): void {
    announceClosing(stream);
    this.#mooring.events.emit('socket.rejected', { status, reason });
    const grace = this.#afterGrace(() => {
      stream.destroy();
    });
    stream.on('error', ignore);
    stream.once('close', grace.cancel);
    stream.once('finish', () => {
      stream.destroy();
    });
    const retry = retryAfterMs === undefined ? '' : `Retry-After: ${String(Math.ceil(retryAfterMs / 1000))}\r\n`;
    stream.end(`HTTP/1.1 ${String(status)} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n${retry}\r\n`);
  }

  #afterGrace(act: () => void): { readonly cancel: () => void } {
    const timer = this.#mooring.clock.setTimer(act, this.#mooring.config.closeGraceMs);
    return {
      cancel: () => {
        timer.cancel();
      },
    };
  }
}

function ignore(): void {
  // The socket is on its way out; what it says of its end changes nothing.
}
