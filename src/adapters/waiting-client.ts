import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Admission, PendingAdmission } from '../core/admission/outcome.js';
import type { RefusalError } from '../core/errors.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import type { RefusalSender, Refused } from './refusal-sender.js';
import type { MooredSocket } from './moored-web-socket.js';
import { WaitingSocket } from './waiting-socket.js';

interface WaitingClientParts {
  readonly server: WebSocketServer;
  readonly stream: Duplex;
  readonly pending: PendingAdmission;
  readonly refusalSender: RefusalSender;
  readonly who: Refused;
}

/**
 * A client whose admission has to be waited for. Its handshake (which `verifyClient` may hold up) and the decision come
 * in either order; until there are both, whatever ends the client gives back its place or its slot.
 */
export class WaitingClient {
  readonly #parts: WaitingClientParts;
  #admission: Admission | null = null;
  #socket: WaitingSocket | null = null;
  #putBack: (() => void) | null = null;
  /** Whether nothing is waited for any longer: it was admitted or refused, or has gone. */
  isOver = false;

  constructor(parts: WaitingClientParts) {
    this.#parts = parts;
    parts.stream.once('close', this.#closed);
  }

  /** Whether the handshake is done. */
  get isDone(): boolean {
    return this.#socket !== null;
  }

  /** The handshake is done. @returns the decision, if it came before */
  accepted(socket: MooredSocket): Admission | null {
    const { server, stream, pending, refusalSender, who } = this.#parts;
    this.#putBack = withdraw(server, socket);
    this.#socket = new WaitingSocket({
      socket,
      stream,
      answersPings: (server.options as { readonly autoPong?: boolean }).autoPong !== false,
      whenGone: () => {
        this.giveBack();
        refusalSender.awaitClose({ socket, stream }, who);
      },
    });
    if (this.isOver) {
      socket.terminate();
      return null;
    }
    if (this.#admission === null) pending.accepted?.(this.#socket);
    return this.#admission;
  }

  /** There is a decision; for a client that has gone it is undone. @returns the socket, if the handshake is done */
  decided(admission: Admission): MooredSocket | null {
    this.#admission = admission;
    if (this.isOver) admission.ticket?.cancel();
    return this.#socket?.socket ?? null;
  }

  /** The client is gone, or cannot be let in: its place or its slot is given back. */
  giveBack(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.#admission === null) this.#parts.pending.cancel();
    else this.#admission.ticket?.cancel();
  }

  refuse(refusal: RefusalError): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.isOver = true;
    socket.refuse();
    const { refusalSender, stream, who } = this.#parts;
    refusalSender.refuseOpen({ socket: socket.socket, stream }, refusal, who);
  }

  /** @param open gives the socket to the application, which has it among its clients by then */
  admit(connection: ManagedConnection, open: () => void): void {
    this.isOver = true;
    this.#parts.stream.off('close', this.#closed);
    this.#putBack?.();
    this.#socket?.admit(connection, open);
  }

  readonly #closed = (): void => {
    this.giveBack();
  };
}

/**
 * Takes a socket that `ws` has just made out of the server's clients, with the listener that `ws` added for it.
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
  // The server keeps no clients.
}
