import { ApiError, send } from './api.js';
import { SseParser, type SseMessage } from './sse.js';
import { Store } from './store.js';

/** How the stream is. */
export type StreamState = 'connecting' | 'live' | 'lost';

/** The server sends something at least every 15 seconds; after this long without it the connection is closed. */
const silentMs = 45_000;
const firstPauseMs = 500;
const longestPauseMs = 15_000;

interface StreamOptions {
  /** The query of the address, without `?`. */
  readonly query: string;
  /** The last event that was seen. @default only new events */
  readonly lastEventId?: string;
  readonly onMessages: (messages: readonly SseMessage[]) => void;
}

/**
 * Reads the event stream of the server, and resumes it after a lost connection. A hidden page closes its connection until it
 * is visible again: a browser has six connections to a host, so a seventh page would get no answer.
 */
export class EventWatch {
  readonly state = new Store<StreamState>('connecting');
  /** Why the server refused, if it did. */
  readonly problem = new Store<ApiError | null>(null);
  readonly #options: StreamOptions;
  readonly #ending = new AbortController();
  #lastEventId = '';
  #helloId = '';

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#lastEventId = options.lastEventId ?? '';
    void this.#watch();
  }

  /** The id to resume from. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  close(): void {
    this.#ending.abort();
  }

  async #watch(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#ending.signal.aborted) {
      await shown(this.#ending.signal);
      const hiding = new Hiding();
      const hasRead = await this.#readOnce(hiding.signal);
      hiding.end();
      if (this.#isOver) return;
      if (hiding.signal.aborted) {
        this.state.set('connecting');
        continue;
      }
      this.state.set('lost');
      pauseMs = hasRead ? firstPauseMs : Math.min(2 * pauseMs, longestPauseMs);
      await pause(pauseMs, this.#ending.signal);
    }
  }

  get #isOver(): boolean {
    return this.#ending.signal.aborted;
  }

  /** @returns whether anything was received */
  async #readOnce(hidden: AbortSignal): Promise<boolean> {
    const silence = new Silence(AbortSignal.any([this.#ending.signal, hidden]));
    let hasRead = false;
    try {
      const body = await this.#open(silence.signal);
      const parser = new SseParser();
      for await (const text of textsOf(body)) {
        hasRead = true;
        silence.isBroken();
        this.state.set('live');
        this.problem.set(null);
        this.#take(parser.push(text), parser.lastEventId);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status > 0) this.problem.set(error);
      if (error instanceof ApiError && [401, 403].includes(error.status)) this.close();
    } finally {
      silence.end();
    }
    return hasRead;
  }

  async #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const headers: Record<string, string> = this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId };
    const { query } = this.#options;
    const path = `api/v1/events${query && `?${query}`}`;
    const { body } = await send(path, { signal, timeoutMs: null, headers });
    if (body === null) throw new ApiError(0, 'The stream has no body.');
    return body;
  }

  #take(messages: readonly SseMessage[], lastEventId: string): void {
    if (this.#isOver) return;
    for (const message of messages) this.#note(message);
    if (lastEventId !== '') this.#lastEventId = lastEventId;
    const told = messages.filter(({ type }) => type !== 'stream.hello' && type !== 'stream.position');
    if (told.length > 0) this.#options.onMessages(told);
  }

  /**
   * `stream.hello` has the id to resume from if the connection is lost before the first event. After a gap the stream goes
   * on from there, too, so that the gap is reported once.
   */
  #note({ type, data }: SseMessage): void {
    if (type === 'stream.hello') this.#helloId = idIn(data);
    if (type === 'stream.gap' || this.#lastEventId === '') this.#lastEventId = this.#helloId;
  }
}

/** Aborts its signal when the page is hidden. */
class Hiding {
  readonly #hidden = new AbortController();
  readonly signal = this.#hidden.signal;
  readonly #look = (): void => {
    if (document.hidden) this.#hidden.abort();
  };

  constructor() {
    document.addEventListener('visibilitychange', this.#look);
    this.#look();
  }

  end(): void {
    document.removeEventListener('visibilitychange', this.#look);
  }
}

/** Resolves when the page is visible, or when the signal is aborted. */
function shown(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}

/** Aborts its signal if nothing is received for too long. */
class Silence {
  readonly #ending = new AbortController();
  readonly signal: AbortSignal;
  #timer = 0;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#ending.signal]);
    this.isBroken();
  }

  isBroken(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ending.abort(), silentMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#ending.abort();
  }
}

async function* textsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function idIn(data: string): string {
  try {
    const { id } = JSON.parse(data) as { id?: unknown };
    return typeof id === 'string' ? id : '';
  } catch {
    return '';
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
