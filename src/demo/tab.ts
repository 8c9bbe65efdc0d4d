import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { shouldReconnect } from '../client/should-reconnect.js';

/** What a connection says of its own accord, and how often. */
export interface Habit {
  readonly says: string;
  readonly everyMs: number;
}

/** How a connection ended. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** A tab whose user types: what it says is activity. */
export const chatting = (everyMs: number): Habit => ({ says: 'hello', everyMs });

/** A tab that nobody looks at: it only keeps its connection open. */
export const unused: Habit = Object.freeze({ says: '{"type":"ping"}', everyMs: 4_000 });

/** Waits without a `retry` are drawn at random; here everybody draws the same, so that the demo goes the same way. */
const drawn = (): number => 0.5;

/** A tab, or an app, with one real connection at a time. */
export class Tab {
  readonly #url: string;
  readonly #habit: Habit;
  #socket: WebSocket | null = null;
  #stream: Socket | null = null;
  #saying: NodeJS.Timeout | null = null;
  #ending: Promise<Ended> | null = null;
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

  /** Connects, and waits until it is let in. @returns `null`, or how it was turned away */
  open(): Promise<Ended | null> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false });
    this.#socket = socket;
    this.#ended = null;
    socket.once('upgrade', (response) => {
      this.#stream = response.socket;
    });
    socket.once('open', () => {
      socket.send(this.#habit.says);
    });
    // What is wrong is told by the close.
    socket.on('error', () => undefined);
    const ending = new Promise<Ended>((resolve) => {
      socket.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
      });
    }).then((ended) => {
      if (this.#socket === socket) this.#closed(ended);
      return ended;
    });
    this.#ending = ending;
    // A refused socket is accepted too, and closed at once: only an answer shows that it is admitted.
    const admission = new Promise<null>((resolve) => {
      socket.once('message', () => {
        this.#speak();
        resolve(null);
      });
    });
    return Promise.race([admission, ending]);
  }

  /** Comes back by itself for as long as it should. @returns the close after which it should not, or after it was left */
  async stay(): Promise<Ended | null> {
    let attempt = 0;
    for (;;) {
      const ended = await this.#ending;
      if (ended === null || this.#isLeft) return ended;
      const { retry, delayMs } = shouldReconnect(ended, attempt, drawn);
      if (!retry) return ended;
      await sleep(delayMs);
      if (this.#hasLeft()) return ended;
      attempt = (await this.open()) === null ? 0 : attempt + 1;
    }
  }

  /** As {@link stay}; where it should not come back by itself, its user opens it again after a while. */
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

  /** Its device sleeps: nothing is read any longer, so no ping is ever answered, and nobody says goodbye. */
  fallAsleep(): void {
    this.#hush();
    this.#socket?.pause();
  }

  /** What came meanwhile is read now. */
  wakeUp(): void {
    this.#socket?.resume();
    if (this.#ended === null) this.#speak();
  }

  /** Its process dies: the connection is reset. */
  crash(): void {
    this.#stream?.resetAndDestroy();
  }

  /** Has the backend say that the connection is broken. It says nothing more, since that would show that it is not. */
  fail(): void {
    this.#hush();
    this.#socket?.send('{"type":"fail"}');
  }

  /** Says goodbye, for good. */
  leave(): void {
    this.#isLeft = true;
    this.#socket?.close(1000);
  }

  #closed(ended: Ended): void {
    this.#hush();
    this.#ended = ended;
  }

  #speak(): void {
    this.#hush();
    this.#saying = setInterval(() => {
      this.#socket?.send(this.#habit.says);
    }, this.#habit.everyMs);
  }

  #hush(): void {
    if (this.#saying !== null) clearInterval(this.#saying);
  }

  /** Asked anew after a wait, in which it may have changed. */
  #hasLeft(): boolean {
    return this.#isLeft;
  }
}
