import type { Socket } from 'socket.io';
import type { EngineConnection } from './engine-connection.js';
import { closeSession, type EngineSocket } from './engine.js';
import type { Connect } from './refuser.js';
import { toldOf } from './told.js';

/** What the sockets of all sessions of one server share. */
export interface SocketsContext {
  /** The event before a close; `null`: none. */
  readonly announcement: string | null;
  /** Whether packets do not show what the application emits to one socket, so that its calls of `emit` must. */
  readonly watchesEmit: boolean;
  /** Whether packets are not text, so that events show what arrives. */
  readonly watchesEvents: boolean;
}

/** The sockets of a session, one for each namespace of Mooring's that it has joined. */
export class SessionSockets {
  /** Told of what packets do not show. */
  link: EngineConnection | null = null;
  readonly #session: EngineSocket;
  readonly #context: SocketsContext;
  readonly #sockets = new Set<Socket>();

  constructor(session: EngineSocket, context: SocketsContext) {
    this.#session = session;
    this.#context = context;
  }

  /** The first that is still connected. */
  get first(): Socket | undefined {
    return this.#connected[0];
  }

  /** Lets a socket in. */
  join({ socket, next }: Connect): void {
    this.#sockets.add(socket);
    socket.once('disconnect', () => {
      this.#sockets.delete(socket);
      // Socket.IO closes the session after it has told its sockets.
      process.nextTick(() => this.link?.closingBegan());
    });
    if (this.#context.watchesEmit) this.#watchEmit(socket);
    if (this.#context.watchesEvents)
      socket.onAny((event: string, ...args: unknown[]) => this.link?.arrived(event, args));
    next();
  }

  /** Closes the session. Sockets that have joined just now are connected, and can be told anything, in the next tick. */
  close(code: number, reason: string): void {
    const close = (): void => {
      this.#closeNow(code, reason);
    };
    if ([...this.#sockets].every(({ connected }) => connected)) close();
    else process.nextTick(close);
  }

  /** A client that should not come back by itself is disconnected from its namespaces; another one loses its session. */
  #closeNow(code: number, reason: string): void {
    const { announcement } = this.#context;
    const told = toldOf({ code, reason });
    const connected = this.#connected;
    if (announcement !== null) for (const socket of connected) socket.emit(announcement, told);
    if (told.retryAfterMs === null) connected[0]?.disconnect(true);
    closeSession(this.#session);
  }

  /** Not those whose application has removed our listener. */
  get #connected(): Socket[] {
    return [...this.#sockets].filter(({ connected }) => connected);
  }

  #watchEmit(socket: Socket): void {
    const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
    socket.emit = (event: string, ...args: unknown[]) => {
      this.link?.emitted(event, args);
      return emit(event, ...args);
    };
  }
}
