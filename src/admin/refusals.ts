import type { AsyncContexts } from '../core/async-contexts.js';
import type { EventStream, MooringEvent } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';
import type { Caller } from './access.js';
import type { ProblemError } from './problems.js';

/** How many refusals with the same status get an event of their own within a minute. */
const maxPerWindow = 30;
const windowMs = 60_000;

/** The longest text of a request in an event: clients can send texts of any length. */
const maxTextLength = 200;

type Refusal = Omit<MooringEvent<'admin.refused'>, 'type' | 'atMs' | 'more'>;

interface Window {
  readonly timer: NodeJS.Timeout;
  count: number;
  /** The last refusal beyond the limit. */
  last: Refusal | null;
}

/**
 * Emits `admin.refused` for requests that were refused.
 *
 * Why not for all of them: strangers must not be able to flood the event stream. Refusals beyond the limit are counted, and
 * one event at the end of the minute stands for them.
 */
export class Refusals {
  readonly #events: EventStream;
  readonly #contexts: AsyncContexts;
  readonly #windows = new Map<number, Window>();

  constructor({ events, clock }: Mooring) {
    this.#events = events;
    this.#contexts = clock.contexts;
  }

  report({ problem: { status, detail }, who }: ProblemError, { method, url, address }: Caller): void {
    const request = shortened(`${method} ${url.pathname}`);
    const refusal = { status, reason: shortened(detail), who, request, address: address ?? null };
    const window = this.#windows.get(status) ?? this.#begin(status);
    window.count += 1;
    if (window.count <= maxPerWindow) this.#events.emit('admin.refused', { ...refusal, more: 0 });
    else window.last = refusal;
  }

  /** Emits the events that are due, and leaves no timer. */
  close(): void {
    for (const status of [...this.#windows.keys()]) this.#end(status);
  }

  #begin(status: number): Window {
    const timer = this.#contexts.outside(() =>
      setTimeout(() => {
        this.#end(status);
      }, windowMs).unref(),
    );
    const window = { timer, count: 0, last: null };
    this.#windows.set(status, window);
    return window;
  }

  #end(status: number): void {
    const window = this.#windows.get(status);
    if (window === undefined) return;
    clearTimeout(window.timer);
    this.#windows.delete(status);
    const { last, count } = window;
    if (last !== null) this.#events.emit('admin.refused', { ...last, more: count - maxPerWindow - 1 });
  }
}

function shortened(text: string): string {
  return text.slice(0, maxTextLength);
}
