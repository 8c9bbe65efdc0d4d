import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets an HTTP server have no more than so many connections. For one too many goes, in this order: the one that has been
 * without a request for the longest; the first of those that do not take what they asked for; the newcomer itself.
 *
 * Why not `server.maxConnections`: that turns the newcomer away, so that whoever opens connections and says nothing, or
 * asks and never reads, keeps out everybody else.
 */
export function capConnections(server: Server, most: number): void {
  const connections = new Connections();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    if (connections.size > most) connections.leastUseful(socket).destroy();
  });
  server.on('request', ({ socket }, response) => {
    connections.asked(socket);
    response.once('close', () => {
      connections.answered(socket);
    });
  });
}

class Connections {
  /** In the order in which they began to be without a request. */
  readonly #idle = new Set<Socket>();
  /** With the requests that are open, as some send several at once; in the order in which the first of those came. */
  readonly #busy = new Map<Socket, number>();

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  add(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#busy.delete(socket);
    });
  }

  asked(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
  }

  answered(socket: Socket): void {
    const open = this.#busy.get(socket);
    if (open === undefined) return; // it is closed
    if (open > 1) this.#busy.set(socket, open - 1);
    else {
      this.#busy.delete(socket);
      this.#idle.add(socket);
    }
  }

  leastUseful(newcomer: Socket): Socket {
    const [oldest = newcomer] = this.#idle;
    return oldest === newcomer ? (this.#firstStuck() ?? newcomer) : oldest;
  }

  /** Something waits for its peer to take it. */
  #firstStuck(): Socket | undefined {
    return [...this.#busy.keys()].find(({ writableLength }) => writableLength > 0);
  }
}
