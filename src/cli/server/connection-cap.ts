import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { watchClosing } from '../../adapters/closing-streams.js';
import { addressKey } from '../../runtime/client-address.js';

/**
 * Lets an HTTP server have at most `most` connections. For one more, it destroys, in this order:
 *
 * 1. the WebSocket that has been closing for the longest time, refused or not;
 * 2. the connection that has been without a request for the longest time, silent or with half a request: of the
 *    newcomer's own address if that has more than a quarter of them, else of all;
 * 3. the first connection whose request has a body that does not arrive;
 * 4. the first connection that does not read its response;
 * 5. the newcomer itself.
 *
 * Why not `server.maxConnections`: that refuses the newcomer, so that clients that open connections and send nothing,
 * or never read their response, keep out everybody else.
 * @param whenFull called for each connection beyond the limit
 */
export function capConnections(server: Server, most: number, whenFull?: () => void): Connections {
  const connections = new Connections();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    if (connections.size <= most) return;
    whenFull?.();
    connections.leastUseful(socket).destroy();
  });
  server.on('request', (request, response) => {
    connections.requestStarted(request);
    response.once('close', () => connections.requestEnded(request));
  });
  return connections;
}

/**
 * `idle`: without a request; `busy`: with requests that are not answered yet; `upgraded`: HTTP has let go of it, for a
 * WebSocket; `closing`: its WebSocket closes.
 */
type Phase = 'idle' | 'busy' | 'upgraded' | 'closing';

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  phase: Phase;
  /** The open requests: a client may send several at once. */
  requests?: Set<IncomingMessage>;
  /** To be called once no request is open. */
  afterAnswers?: (() => void)[];
}

const ignore = (): void => undefined;

/** The connections of one HTTP server, by what they are used for. */
export class Connections {
  readonly #all = new Map<Socket, Connection>();
  /** In the order in which they entered the phase. */
  readonly #inPhase: Readonly<Record<Phase, Set<Connection>>> = {
    idle: new Set(),
    busy: new Set(),
    upgraded: new Set(),
    closing: new Set(),
  };
  readonly #idleByAddress = new Map<string, Set<Connection>>();

  get size(): number {
    return this.#all.size;
  }

  /** A new connection, or one that HTTP takes back after an upgrade request. */
  add(socket: Socket): void {
    if (socket.destroyed) return;
    const known = this.#all.get(socket);
    const connection = known ?? { socket, address: addressKey(socket.remoteAddress), phase: 'idle' };
    this.#enter(connection, 'idle');
    if (known !== undefined) return;
    this.#all.set(socket, connection);
    // After an upgrade Node no longer listens to its errors, and one may still come. Its close tells the same.
    socket.on('error', ignore);
    socket.once('close', () => {
      this.#leave(connection);
      this.#all.delete(socket);
    });
    watchClosing(socket, () => {
      if (connection.phase === 'upgraded') this.#enter(connection, 'closing');
    });
  }

  requestStarted(request: IncomingMessage): void {
    const connection = this.#all.get(request.socket);
    if (connection === undefined) return;
    if (!isBusy(connection)) this.#enter(connection, 'busy');
    (connection.requests ??= new Set()).add(request);
  }

  requestEnded(request: IncomingMessage): void {
    const connection = this.#all.get(request.socket);
    if (connection?.requests?.delete(request) !== true || isBusy(connection)) return;
    const acts = connection.afterAnswers ?? [];
    delete connection.afterAnswers;
    if (acts.length === 0) this.#enter(connection, 'idle');
    for (const act of acts) act();
  }

  /** HTTP has let go of the connection. Earlier requests on it may still be unanswered. */
  upgraded(socket: Socket): void {
    this.afterAnswers(socket, (connection) => this.#enter(connection, 'upgraded'));
  }

  /** Calls `act` once every request of the connection is answered; at once if none is open, never if it is closed. */
  afterAnswers(socket: Socket, act: (connection: Connection) => void): void {
    const connection = this.#all.get(socket);
    if (connection === undefined) return;
    if (!isBusy(connection)) act(connection);
    else (connection.afterAnswers ??= []).push(() => act(connection));
  }

  /** The connection to destroy so that the newcomer has room. */
  leastUseful(newcomer: Socket): Socket {
    const [closing] = this.#inPhase.closing;
    const connection = closing ?? this.#longestIdle(newcomer) ?? this.#firstStuck();
    return connection?.socket ?? newcomer;
  }

  destroyAll(): void {
    for (const socket of [...this.#all.keys()]) socket.destroy();
  }

  #enter(connection: Connection, phase: Phase): void {
    this.#leave(connection);
    connection.phase = phase;
    this.#inPhase[phase].add(connection);
    if (phase !== 'idle') return;
    const sameAddress = this.#idleByAddress.get(connection.address) ?? new Set();
    this.#idleByAddress.set(connection.address, sameAddress.add(connection));
  }

  #leave(connection: Connection): void {
    this.#inPhase[connection.phase].delete(connection);
    const sameAddress = this.#idleByAddress.get(connection.address);
    if (sameAddress?.delete(connection) === true && sameAddress.size === 0)
      this.#idleByAddress.delete(connection.address);
  }

  #longestIdle(newcomer: Socket): Connection | undefined {
    const { idle } = this.#inPhase;
    const own = this.#idleByAddress.get(addressKey(newcomer.remoteAddress)) ?? new Set();
    const [longest, next] = own.size * 4 > idle.size && own.size > 1 ? own : idle;
    return longest?.socket === newcomer ? next : longest;
  }

  /** The first whose request has not come whole, else the first whose client does not read the response. */
  #firstStuck(): Connection | undefined {
    const busy = [...this.#inPhase.busy];
    const isUnfinished = ({ requests = new Set() }: Connection): boolean =>
      [...requests].some((each) => !each.complete);
    return busy.find(isUnfinished) ?? busy.find(({ socket }) => socket.writableLength > 0);
  }
}

function isBusy({ requests }: Connection): boolean {
  return requests !== undefined && requests.size > 0;
}
