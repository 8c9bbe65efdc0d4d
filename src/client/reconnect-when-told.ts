import { explainClose, type CloseExplanation } from './explain-close.js';

/** What a server with Mooring tells a client of Socket.IO: in the event `mooring`, or as `data` of a `connect_error`. */
interface Told {
  readonly cause: string;
  readonly code: number;
  readonly retryAfterMs: number | null;
  readonly max: number | null;
}

/** What {@link reconnectWhenTold} needs of a socket; those of `socket.io-client` have it. */
export interface SocketIoLike {
  auth: Record<string, unknown> | ((send: (auth: object) => void) => void);
  on(event: string, listener: unknown): unknown;
  off(event: string, listener: unknown): unknown;
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
  const formerAuth = socket.auth;
  let told: Told | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function comeBack(last: Told): void {
    clearTimeout(timer);
    if (last.retryAfterMs !== null) timer = setTimeout(() => socket.connect(), last.retryAfterMs);
    onTold?.(explained(last));
  }

  const listeners = {
    [event]: (last: unknown): void => {
      told = isTold(last) ? last : null;
    },
    connect_error: ({ data }: { data?: unknown }): void => {
      if (isTold(data)) comeBack(data);
    },
    disconnect: (): void => {
      if (told === null) return;
      const last = told;
      told = null;
      socket.disconnect(); // so that it does not come back by itself
      comeBack(last);
    },
    connect: (): void => {
      clearTimeout(timer);
      told = null;
    },
  };

  socket.auth = authWith(formerAuth);
  for (const [name, listener] of Object.entries(listeners)) socket.on(name, listener);
  return () => {
    clearTimeout(timer);
    socket.auth = formerAuth;
    for (const [name, listener] of Object.entries(listeners)) socket.off(name, listener);
  };
}

/** Tells the server that this client listens. */
function authWith(auth: SocketIoLike['auth']): SocketIoLike['auth'] {
  if (typeof auth !== 'function') return { ...auth, mooring: 1 };
  return (send) => {
    auth((given) => {
      send({ ...given, mooring: 1 });
    });
  };
}

function explained({ cause, code, retryAfterMs, max }: Told): CloseExplanation {
  const retry = retryAfterMs === null ? '' : `;retry=${String(retryAfterMs / 1_000)}`;
  return explainClose({ code, reason: `${cause}${retry}${max === null ? '' : `;max=${String(max)}`}` });
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && 'retryAfterMs' in value && 'code' in value;
}
