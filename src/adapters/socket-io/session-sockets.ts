import type { Socket } from 'socket.io';
import { EngineConnection, type ConnectionContext } from './engine-connection.js';
import { closeSession, type EngineSocket } from './engine.js';
import type { Connect } from './refuser.js';
import { toldOf } from './told.js';

/** What the sockets of all sessions of one server share. */
export interface SocketsContext {
  /** The event before a close; `null`: none. */
  readonly announcement: string | null;
  /** Whether packets do not show what the application emits to one socket, so that its calls of `emit` must. */
  readonly watchesEmit: boolean;
  readonly connection: ConnectionContext;
}

/** The sockets of a session, one for each namespace of Mooring's that it has joined, over one connection. */
export class SessionSockets {
  readonly link: EngineConnection;
  readonly #context: SocketsContext;
  readonly #sockets = new Set<Socket>();

  constructor(
    readonly session: EngineSocket,
    context: SocketsContext,
  ) {
    this.#context = context;
    this.link = new EngineConnection(session, this, context.connection);
  }

  /** The first that is still connected. */
  get first(): Socket | undefined {
    return this.#connected[0];
  }

  /** Lets a socket in. */
  join({ socket, next }: Connect): void {
    const { link } = this;
    this.#sockets.add(socket);
    socket.once('disconnect', () => {
      this.#sockets.delete(socket);
      // Socket.IO closes the session after it has told its sockets.
      process.nextTick(() => {
        link.closingBegan();
      });
    });
    if (this.#context.watchesEmit) watchEmit(socket, link);
    if (this.#context.connection.readsEvents)
      socket.onAny((event: string, ...args: unknown[]) => {
        link.arrived(event, args);
      });
    next();
  }

  /** Closes the session. A socket that is let in just now can be told when it is connected. */
  close(code: number, reason: string): void {
    const close = (): void => {
      this.#closeNow(code, reason);
    };
    if (this.#sockets.size > 0 && [...this.#sockets].every(({ connected }) => connected)) close();
    else setImmediate(close);
  }

  /** A client that should not come back by itself is disconnected from its namespaces; another one loses its session. */
  #closeNow(code: number, reason: string): void {
    const { announcement } = this.#context;
    const told = toldOf({ code, reason });
    const connected = this.#connected;
    if (announcement !== null) for (const socket of connected) socket.emit(announcement, told);
    if (told.retryAfterMs === null) connected[0]?.disconnect(true);
    closeSession(this.session);
  }

  /** Not those whose application has removed our listener. */
  get #connected(): Socket[] {
    return [...this.#sockets].filter(({ connected }) => connected);
  }
}

function watchEmit(socket: Socket, link: EngineConnection): void {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  socket.emit = (event: string, ...args: unknown[]) => {
    link.emitted(event, args);
    return emit(event, ...args);
  };
}
