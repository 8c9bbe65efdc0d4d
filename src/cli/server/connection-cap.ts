import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { addressKey } from '../../runtime/client-address.js';
import { watchClosing } from '../../adapters/closing-streams.js';

interface CapOptions {
  /** Told of each connection that was one too many. */
  readonly whenFull?: () => void;
}

/**
 * Lets an HTTP server have no more than `most` connections. For one too many goes, in this order:
 *
 * 1. the WebSocket that has been closing for the longest, refused or not;
 * 2. the connection that has been without a request for the longest, silent or with half a request: of the newcomer's
 *    own address if that has more than a quarter of them, else of all;
 * 3. the first whose request has a body that does not arrive;
 * 4. the first that does not take what it asked for;
 * 5. the newcomer itself.
 *
 * Why not `server.maxConnections`: that turns the newcomer away, so that whoever opens connections and says nothing, or
 * asks and never reads, keeps out everybody else.
 */
export function capConnections(server: Server, most: number, { whenFull }: CapOptions = {}): Connections {
  const connections = new Connections();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    if (connections.size <= most) return;
    whenFull?.();
    connections.leastUseful(socket).destroy();
  });
  server.on('request', (request, response) => {
    connections.asked(request);
    response.once('close', () => {
      connections.answered(request);
    });
  });
  return connections;
}

/** The connections of one HTTP server, by what they are good for. */
export class Connections {
  /** With their addresses, in the order in which they began to be without a request. */
  readonly #idle = new Map<Socket, string>();
  readonly #idleByAddress = new Map<string, Set<Socket>>();
  /** With the requests that are open, as some send several at once; in the order in which the first of those came. */
  readonly #busy = new Map<Socket, Set<IncomingMessage>>();
  /** That HTTP has let go of. */
  readonly #upgraded = new Set<Socket>();
  /** In the order in which they began to close. */
  readonly #departing = new Set<Socket>();
  readonly #waiting = new Map<Socket, () => void>();

  get size(): number {
    return this.#idle.size + this.#busy.size + this.#upgraded.size + this.#departing.size;
  }

  /** A connection that is new, or that HTTP takes back. */
  add(socket: Socket): void {
    const isNew = !this.#has(socket);
    this.#upgraded.delete(socket);
    this.#rest(socket);
    if (!isNew) return;
    // After an upgrade Node listens to its errors no longer, and one may still be on its way. Its close says the same.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#forget(socket);
    });
    watchClosing(socket, () => {
      if (this.#upgraded.delete(socket)) this.#departing.add(socket);
    });
  }

  asked(request: IncomingMessage): void {
    const { socket } = request;
    this.#unrest(socket);
    const open = this.#busy.get(socket);
    if (open === undefined) this.#busy.set(socket, new Set([request]));
    else open.add(request);
  }

  answered(request: IncomingMessage): void {
    const { socket } = request;
    const open = this.#busy.get(socket);
    if (open?.delete(request) !== true || open.size > 0) return;
    this.#busy.delete(socket);
    const act = this.#waiting.get(socket);
    this.#waiting.delete(socket);
    if (act === undefined) this.#rest(socket);
    else act();
  }

  /** HTTP has let go of the connection. Earlier requests on it may still be unanswered. */
  upgraded(socket: Socket): void {
    this.#unrest(socket);
    this.#afterAnswers(socket, () => {
      this.#upgraded.add(socket);
    });
  }

  /** Calls `act` once every request of the connection is answered; at once if none is open. */
  afterAnswers(socket: Socket, act: () => void): void {
    this.#afterAnswers(socket, act);
  }

  leastUseful(newcomer: Socket): Socket {
    const [departing] = this.#departing;
    return departing ?? this.#longestIdle(newcomer) ?? this.#firstUnfinished() ?? this.#firstStuck() ?? newcomer;
  }

  /** Ends all of them at once. */
  destroyAll(): void {
    for (const sockets of [this.#idle.keys(), this.#busy.keys(), this.#upgraded, this.#departing])
      for (const socket of [...sockets]) socket.destroy();
  }

  #afterAnswers(socket: Socket, act: () => void): void {
    if (!this.#busy.has(socket)) {
      act();
      return;
    }
    const before = this.#waiting.get(socket);
    this.#waiting.set(socket, () => {
      before?.();
      act();
    });
  }

  #has(socket: Socket): boolean {
    return (
      this.#idle.has(socket) || this.#busy.has(socket) || this.#upgraded.has(socket) || this.#departing.has(socket)
    );
  }

  /** The connection is without a request from now on. */
  #rest(socket: Socket): void {
    if (socket.destroyed) return;
    const address = addressKey(socket.remoteAddress);
    this.#idle.set(socket, address);
    const sockets = this.#idleByAddress.get(address);
    if (sockets === undefined) this.#idleByAddress.set(address, new Set([socket]));
    else sockets.add(socket);
  }

  #unrest(socket: Socket): void {
    const address = this.#idle.get(socket);
    if (address === undefined) return;
    this.#idle.delete(socket);
    const sockets = this.#idleByAddress.get(address);
    if (sockets?.delete(socket) === true && sockets.size === 0) this.#idleByAddress.delete(address);
  }

  #forget(socket: Socket): void {
    this.#unrest(socket);
    this.#busy.delete(socket);
    this.#upgraded.delete(socket);
    this.#departing.delete(socket);
    this.#waiting.delete(socket);
  }

  #longestIdle(newcomer: Socket): Socket | undefined {
    const own = this.#idleByAddress.get(addressKey(newcomer.remoteAddress)) ?? none;
    const [longest, next] = own.size * 4 > this.#idle.size && own.size > 1 ? own : this.#idle.keys();
    return longest === newcomer ? next : longest;
  }

  /** Of whose request the head has come, and the body has not. */
  #firstUnfinished(): Socket | undefined {
    for (const [socket, requests] of this.#busy) for (const { complete } of requests) if (!complete) return socket;
    return undefined;
  }

  /** Something waits for its peer to take it. */
  #firstStuck(): Socket | undefined {
    for (const socket of this.#busy.keys()) if (socket.writableLength > 0) return socket;
    return undefined;
  }
}

const none: ReadonlySet<Socket> = new Set();
