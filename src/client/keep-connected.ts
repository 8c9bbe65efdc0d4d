import { explainClose, type CloseExplanation } from './explain-close.js';

/** What {@link keepConnected} needs of a socket; browsers' `WebSocket` and that of `ws` have it. */
export interface SocketLike {
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'message', listener: () => void): void;
  close(code?: number, reason?: string): void;
}

export interface KeepConnectedOptions {
  /** Called after each close, with what to tell the person and whether the next attempt comes by itself. */
  readonly onClosed?: (explanation: CloseExplanation) => void;
  /**
   * A connection that lasted this long, or brought a message, counts as working: the next wait is short again. Why not
   * at once: a refused client is let in first, and then told why not.
   * @default 10000
   */
  readonly workingAfterMs?: number;
}

/** A connection that is made again after each close that allows it. */
export interface KeptConnection<Socket> {
  /** The newest socket, open or not. */
  readonly socket: Socket;
  /** Connects now if there is no connection, for example when the person continues or has signed in. */
  connect(): void;
  /** Closes the connection, and makes no other. */
  stop(): void;
}

/**
 * Connects, and connects again after each close as {@link shouldReconnect} says: after the time that the server told, or
 * after longer and longer random waits. After a close that must not be repeated it waits for `connect()`.
 *
 * @param open makes a new socket, with the listeners of the application: `() => new WebSocket(url)`. What it throws in
 * the first call is thrown; later it counts as a failed attempt.
 */
export function keepConnected<Socket extends SocketLike>(
  open: () => Socket,
  { onClosed, workingAfterMs = 10_000 }: KeepConnectedOptions = {},
): KeptConnection<Socket> {
  let attempt = 0;
  let isStopped = false;
  let isConnected = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socket = start();

  function start(): Socket {
    const next = open();
    isConnected = true;
    const worked = (): void => {
      attempt = 0;
    };
    const working = setTimeout(worked, workingAfterMs);
    next.addEventListener('message', worked);
    next.addEventListener('close', (event) => {
      clearTimeout(working);
      if (socket !== next || isStopped) return;
      isConnected = false;
      comeBack(explainClose(event, attempt));
    });
    return next;
  }

  function comeBack(explanation: CloseExplanation): void {
    attempt += 1;
    if (explanation.retry) timer = setTimeout(connect, explanation.delayMs);
    onClosed?.(explanation);
  }

  function connect(): void {
    clearTimeout(timer);
    if (isStopped || isConnected) return;
    try {
      socket = start();
    } catch {
      comeBack(explainClose({ code: 1006 }, attempt));
    }
  }

  return {
    get socket() {
      return socket;
    },
    connect,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      socket.close(1000);
    },
  };
}
