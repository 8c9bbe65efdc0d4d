import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { shouldReconnect } from '../client/should-reconnect.js';

/** The message that a connection sends again and again. */
export interface Habit {
  readonly message: string;
  readonly everyMs: number;
}

export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** A tab whose user types: its messages count as activity. */
export const chatting = (everyMs: number): Habit => ({ message: 'hello', everyMs });

/** A tab that is not used: it only sends keepalives. */
export const unused: Habit = Object.freeze({ message: '{"type":"ping"}', everyMs: 4_000 });

/** Reconnect delays are random; here always the same, so that each run of the demo is the same. */
const fixedRandom = (): number => 0.5;

/** A tab, or an app, with one real connection at a time. */
export class Tab {
  readonly #url: string;
  readonly #habit: Habit;
  #socket: WebSocket | null = null;
  #tcpSocket: Socket | null = null;
  #sending: NodeJS.Timeout | null = null;
  #closed: Promise<Ended> | null = null;
  #ended: Ended | null = null;
  #isLeft = false;

  /** @param url with the user and the thread in it */
  constructor(url: string, habit: Habit) {
    this.#url = url;
    this.#habit = habit;
  }

  /** How its connection ended; `null` while it is open. */
  get ended(): Ended | null {
    return this.#ended;
  }

  /** Connects, and waits until it is admitted. @returns `null`, or the close frame of the refusal */
  open(): Promise<Ended | null> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false });
    this.#socket = socket;
    this.#ended = null;
    socket.once('upgrade', (response) => {
      this.#tcpSocket = response.socket;
    });
    socket.once('open', () => {
      socket.send(this.#habit.message);
    });
    // The close event follows, and has the reason.
    socket.on('error', () => undefined);
    const closed = new Promise<Ended>((resolve) => {
      socket.once('close', (code, reason) => {
        const ended = { code, reason: reason.toString() };
        if (this.#socket === socket) {
          this.#stopSending();
          this.#ended = ended;
        }
        resolve(ended);
      });
    });
    this.#closed = closed;
    // A refused socket is accepted too, and closed at once: only an answer shows that it is admitted.
    const admission = new Promise<null>((resolve) => {
      socket.once('message', () => {
        this.#startSending();
        resolve(null);
      });
    });
    return Promise.race([admission, closed]);
  }

  /** Reconnects as long as `shouldReconnect` says so. @returns the last close */
  async stay(): Promise<Ended | null> {
    let attempt = 0;
    for (;;) {
      const ended = await this.#closed;
      if (ended === null || this.#isLeft) return ended;
      const { retry, delayMs } = shouldReconnect(ended, attempt, fixedRandom);
      if (!retry) return ended;
      await sleep(delayMs);
      if (this.#hasLeft()) return ended;
      attempt = (await this.open()) === null ? 0 : attempt + 1;
    }
  }

  /** As {@link stay}; when it may no longer reconnect by itself, its user opens it again after a while. */
  async live(reopensAfterMs: number): Promise<void> {
    while (!this.#isLeft) {
      await this.stay();
      await sleep(reopensAfterMs);
      if (!this.#hasLeft()) await this.open();
    }
  }

  /** Starts an answer that takes its time; the server holds the connection meanwhile. */
  run(tokens: number, everyMs: number): void {
    this.#socket?.send(JSON.stringify({ type: 'run', tokens, everyMs }));
  }

  /** Its device sleeps: it reads nothing, answers no ping, and sends no close frame. */
  fallAsleep(): void {
    this.#stopSending();
    this.#socket?.pause();
  }

  /** Reads again, first what came meanwhile. */
  wakeUp(): void {
    this.#socket?.resume();
    if (this.#ended === null) this.#startSending();
  }

  /** Its process dies: the connection is reset. */
  crash(): void {
    this.#tcpSocket?.resetAndDestroy();
  }

  /** Has the backend report the connection as broken. It sends nothing more: a message would show that it works. */
  fail(): void {
    this.#stopSending();
    this.#socket?.send('{"type":"fail"}');
  }

  /** Closes for good. */
  leave(): void {
    this.#isLeft = true;
    this.#socket?.close(1000);
  }

  #startSending(): void {
    this.#stopSending();
    this.#sending = setInterval(() => {
      this.#socket?.send(this.#habit.message);
    }, this.#habit.everyMs);
  }

  #stopSending(): void {
    if (this.#sending !== null) clearInterval(this.#sending);
  }

  /** Asked anew after a wait, in which it may have changed. */
  #hasLeft(): boolean {
    return this.#isLeft;
  }
}
