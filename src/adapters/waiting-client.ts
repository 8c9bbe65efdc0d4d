import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Admission, PendingAdmission } from '../core/admission/outcome.js';
import type { RefusalError } from '../core/errors.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import type { MooredSocket } from './moored-web-socket.js';
import type { RefusalSender, RefusedClient } from './refusal-sender.js';
import { WaitingSocket } from './waiting-socket.js';

interface WaitingClientParts {
  readonly server: WebSocketServer;
  readonly stream: Duplex;
  readonly pending: PendingAdmission;
  readonly refusalSender: RefusalSender;
  readonly client: RefusedClient;
}

/**
 * A client whose admission is pending. Its handshake (which `verifyClient` may delay) and the decision come in either
 * order. If the client closes before both are there, its place in the queue or its slot is given back.
 */
export class WaitingClient {
  readonly #parts: WaitingClientParts;
  #admission: Admission | null = null;
  #waitingSocket: WaitingSocket | null = null;
  #putBack: (() => void) | null = null;
  /** Whether the client was admitted or refused, or has gone. */
  isOver = false;

  constructor(parts: WaitingClientParts) {
    this.#parts = parts;
    parts.stream.once('close', this.#onClosed);
  }

  /** The handshake is done. @returns the decision, if it came before */
  setSocket(socket: MooredSocket): Admission | null {
    const { server, stream, pending, refusalSender, client } = this.#parts;
    this.#putBack = withdraw(server, socket);
    const waitingSocket = new WaitingSocket({
      socket,
      stream,
      answersPings: (server.options as { readonly autoPong?: boolean }).autoPong !== false,
      onGone: () => {
        this.giveBack();
        refusalSender.awaitClose({ socket, stream }, client);
      },
    });
    this.#waitingSocket = waitingSocket;
    if (this.isOver) {
      socket.terminate();
      return null;
    }
    if (this.#admission === null) pending.accepted?.(waitingSocket);
    return this.#admission;
  }

  /** There is a decision; if the client has gone, it is undone. @returns the socket, if the handshake is done */
  setAdmission(admission: Admission): MooredSocket | null {
    this.#admission = admission;
    if (this.isOver) admission.ticket?.cancel();
    return this.#waitingSocket?.socket ?? null;
  }

  /** The client has gone, or cannot be accepted: its place in the queue or its slot is given back. */
  giveBack(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.#admission === null) this.#parts.pending.cancel();
    else this.#admission.ticket?.cancel();
  }

  refuse(refusal: RefusalError): void {
    const waitingSocket = this.#waitingSocket;
    if (waitingSocket === null) return;
    this.isOver = true;
    waitingSocket.refuse();
    const { refusalSender, stream, client } = this.#parts;
    refusalSender.refuseOpen({ socket: waitingSocket.socket, stream }, refusal, client);
  }

  /** @param open gives the socket to the application; by then it is one of the server's clients again */
  admit(connection: ManagedConnection, open: () => void): void {
    this.isOver = true;
    this.#parts.stream.off('close', this.#onClosed);
    this.#putBack?.();
    this.#waitingSocket?.admit(connection, open);
  }

  readonly #onClosed = (): void => {
    this.giveBack();
  };
}

/**
 * Removes a socket that `ws` has just made from the server's clients, and the listener that `ws` added for that.
 * @returns puts both back
 */
export function withdraw(server: WebSocketServer, socket: WebSocket): () => void {
  const clients = server.clients as Set<WebSocket> | undefined;
  if (clients?.delete(socket) !== true) return nothingToPutBack;
  const [untrack] = socket.listeners('close').slice(-1) as (() => void)[];
  if (untrack !== undefined) socket.off('close', untrack);
  return () => {
    clients.add(socket);
    if (untrack !== undefined) socket.on('close', untrack);
  };
}

function nothingToPutBack(): void {
  // The server does not track its clients.
}
