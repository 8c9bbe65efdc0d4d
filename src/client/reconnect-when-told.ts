import { explainClose, type CloseCauseName, type CloseExplanation } from './explain-close.js';

/** What a server with Mooring tells a client of Socket.IO: in the event `mooring`, or as `data` of a `connect_error`. */
export interface Told {
  readonly cause: CloseCauseName;
  /** The close code of Mooring, though Socket.IO has none of its own. */
  readonly code: number;
  /** In how many milliseconds to come back; `null`: not by itself. */
  readonly retryAfterMs: number | null;
  /** How many connections the user may have, if that is the cause; else `null`. */
  readonly max: number | null;
}

/** What {@link reconnectWhenTold} needs of a socket; those of `socket.io-client` have it, whatever their events are. */
export interface SocketIoLike {
  auth: Record<string, unknown> | ((send: (auth: object) => void) => void);
  on(event: never, listener: never): unknown;
  off(event: never, listener: never): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

export interface ReconnectWhenToldOptions {
  /** Called after each refusal and each close by Mooring, with what to tell the person and whether it comes back by itself. */
  readonly onTold?: (explanation: CloseExplanation) => void;
  /** The event in which the server tells; its option `announce`. @default 'mooring' */
  readonly event?: string;
}

/**
 * Has a socket of `socket.io-client` come back when the server with Mooring told it to, and not before, or not at all.
 * Without it a client that was refused hears nothing for some time and then tries again. Closes that Mooring did not make
 * are left to `socket.io-client`.
 *
 * @example
 * const socket = io();
 * reconnectWhenTold(socket, { onTold: ({ message }) => showNotice(message) });
 *
 * @returns ends it: the socket behaves as before
 */
export function reconnectWhenTold(
  socket: SocketIoLike,
  { onTold, event = 'mooring' }: ReconnectWhenToldOptions = {},
): () => void {
  let told: Told | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stopAnnouncing = announceTo(socket);

  function comeBack(last: Told): void {
    clearTimeout(timer);
    if (last.retryAfterMs !== null) timer = setTimeout(() => socket.connect(), last.retryAfterMs);
    onTold?.(explained(last));
  }

  const listeners: Readonly<Record<string, (given: unknown) => void>> = {
    [event]: (last) => {
      told = isTold(last) ? last : null;
    },
    connect_error: (error) => {
      const { data } = error as { readonly data?: unknown };
      if (isTold(data)) comeBack(data);
    },
    disconnect: () => {
      if (told === null) return;
      const last = told;
      told = null;
      disconnect(); // so that it does not come back by itself
      comeBack(last);
    },
    connect: () => {
      clearTimeout(timer);
      told = null;
    },
  };

  // An application that disconnects the socket does not want it to come back.
  const disconnect = socket.disconnect.bind(socket);
  const disconnectForGood = (): unknown => {
    clearTimeout(timer);
    told = null;
    return disconnect();
  };
  socket.disconnect = disconnectForGood;
  for (const [name, listener] of Object.entries(listeners)) socket.on(name as never, listener as never);
  return () => {
    clearTimeout(timer);
    stopAnnouncing();
    if (socket.disconnect === disconnectForGood) socket.disconnect = disconnect;
    for (const [name, listener] of Object.entries(listeners)) socket.off(name as never, listener as never);
  };
}

/** From now on the server hears in `auth` that this client listens, also when the application gives it another `auth`. */
function announceTo(socket: SocketIoLike): () => void {
  let { auth } = socket;
  Object.defineProperty(socket, 'auth', {
    configurable: true,
    enumerable: true,
    get: () => withAnnouncement(auth),
    set: (given: SocketIoLike['auth']) => {
      auth = given;
    },
  });
  return () => {
    Object.defineProperty(socket, 'auth', { configurable: true, enumerable: true, writable: true, value: auth });
  };
}

/** An object stays the same one, since the application may change it. */
function withAnnouncement(auth: SocketIoLike['auth']): SocketIoLike['auth'] {
  if (typeof auth === 'function')
    return (send) => {
      auth((given) => {
        send({ ...given, mooring: 1 });
      });
    };
  return Object.isExtensible(auth) ? Object.assign(auth, { mooring: 1 }) : { ...auth, mooring: 1 };
}

function explained({ cause, code, retryAfterMs, max }: Told): CloseExplanation {
  const retry = retryAfterMs === null ? '' : `;retry=${String(retryAfterMs / 1_000)}`;
  return explainClose({ code, reason: `${cause}${retry}${max === null ? '' : `;max=${String(max)}`}` });
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && 'retryAfterMs' in value && 'code' in value;
}
