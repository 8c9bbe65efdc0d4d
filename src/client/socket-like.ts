/** What the functions of this module need of a socket; browsers' `WebSocket` and that of `ws` have it. */
export interface SocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** How many bytes still wait to be sent. */
  readonly bufferedAmount: number;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'message' | 'open', listener: () => void): void;
  removeEventListener(type: 'close' | 'message' | 'open', listener: () => void): void;
  send(message: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  /** That of `ws`: ends the connection without waiting for the other side. */
  terminate?(): void;
}

/** `readyState` of an open socket. */
export const isOpen = ({ readyState }: SocketLike): boolean => readyState === 1;

/** Whether a socket is closing, or closed. */
export const isEnding = ({ readyState }: SocketLike): boolean => readyState > 1;
