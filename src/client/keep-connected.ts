import { createWatchdog } from './create-watchdog.js';
import { explainClose, type CloseExplanation } from './explain-close.js';
import type { CloseEventLike } from './should-reconnect.js';
import { isEnding, type SocketLike } from './socket-like.js';
import { checkedWatchdogOptions, type WatchdogOptions } from './watchdog-options.js';

export interface KeepConnectedOptions {
  /** Called after each close, with what to tell the person and whether the next attempt comes by itself. */
  readonly onClosed?: (explanation: CloseExplanation) => void;
  /**
   * A connection that lasted this long, or brought a message, counts as working: the next wait is short again. Why not
   * at once: a refused client is let in first, and then told why not.
   * @default 10000
   */
  readonly workingAfterMs?: number;
  /**
   * Watches each connection with {@link createWatchdog}. When one is lost, `onClosed` is told and the next attempt planned
   * at once; the late `close` of the lost socket changes nothing.
   * @default none: a link that breaks silently is found when the browser finds it
   */
  readonly watchdog?: Omit<WatchdogOptions, 'onLost'>;
}

/** A connection that is made again after each close that allows it. */
export interface KeptConnection<Socket> {
  /** The newest socket, open or not. */
  readonly socket: Socket;
  /**
   * Connects now if there is no connection, for example when the person continues or has signed in. One that is closing
   * counts as none.
   */
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
 * @throws TypeError if an option of the watchdog is not valid
 */
export function keepConnected<Socket extends SocketLike>(
  open: () => Socket,
  { onClosed, workingAfterMs = 10_000, watchdog }: KeepConnectedOptions = {},
): KeptConnection<Socket> {
  if (watchdog !== undefined) checkedWatchdogOptions(watchdog); // before there is a socket
  let [attempt, isStopped, isConnected] = [0, false, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unwatch: () => void;
  let socket = start();

  function start(): Socket {
    const next = open();
    isConnected = true;
    const worked = (): void => {
      attempt = 0;
    };
    const working = setTimeout(worked, workingAfterMs);
    const onEnd = (event: CloseEventLike): void => {
      if (socket !== next || !isConnected || isStopped) return;
      isConnected = false;
      unwatch();
      comeBack(explainClose(event, attempt));
    };
    next.addEventListener('message', worked);
    next.addEventListener('close', onEnd);
    const stopWatchdog = watchdog && createWatchdog(next, { ...watchdog, onLost: onEnd });
    unwatch = () => {
      clearTimeout(working);
      stopWatchdog?.();
    };
    return next;
  }

  function comeBack(explanation: CloseExplanation): void {
    attempt += 1;
    if (explanation.retry) timer = setTimeout(connect, explanation.delayMs);
    onClosed?.(explanation);
  }

  function connect(): void {
    clearTimeout(timer);
    if (isStopped || (isConnected && !isEnding(socket))) return;
    unwatch();
    try {
      socket = start();
    } catch {
      isConnected = false;
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
      unwatch();
      socket.close(1000);
    },
  };
}
