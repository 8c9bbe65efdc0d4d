import type { SocketLike } from '../../../src/client/socket-like.js';

interface Close {
  readonly code: number;
  readonly reason: string;
}

type Listener = ((event: Close) => void) & (() => void);

/** A socket that does what the test says. */
export class FakeSocket implements SocketLike {
  readyState = 1;
  bufferedAmount = 0;
  readonly closes: (number | undefined)[] = [];
  readonly sent: unknown[] = [];
  readonly #listeners = { open: new Set<Listener>(), message: new Set<Listener>(), close: new Set<Listener>() };

  addEventListener(type: 'close' | 'message' | 'open', listener: Listener): void {
    this.#listeners[type].add(listener);
  }

  removeEventListener(type: 'close' | 'message' | 'open', listener: Listener): void {
    this.#listeners[type].delete(listener);
  }

  get listenerCount(): number {
    return Object.values(this.#listeners).reduce((sum, { size }) => sum + size, 0);
  }

  send(message: string | ArrayBuffer): void {
    this.sent.push(message);
  }

  /** As on a dead link: nobody answers. */
  close(code?: number): void {
    this.closes.push(code);
    this.readyState = 2;
  }

  opened(): void {
    this.readyState = 1;
    this.#emit('open', { code: 0, reason: '' });
  }

  message(): void {
    this.#emit('message', { code: 0, reason: '' });
  }

  closed(code: number, reason = ''): void {
    this.readyState = 3;
    this.#emit('close', { code, reason });
  }

  #emit(type: 'close' | 'message' | 'open', event: Close): void {
    for (const listener of [...this.#listeners[type]]) listener(event);
  }
}
