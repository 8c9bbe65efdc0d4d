import type { AsyncContexts } from '../core/async-contexts.js';
import type { EventStream, MooringEvent } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';
import type { Asker } from './access.js';
import type { ProblemError } from './problems.js';

/** What is told of a status within a minute, one by one. */
const toldPerWindow = 30;
const windowMs = 60_000;

/** More of what strangers send is not worth telling. */
const mostLength = 200;

type Refusal = Omit<MooringEvent<'admin.refused'>, 'type' | 'atMs' | 'more'>;

interface Window {
  readonly timer: NodeJS.Timeout;
  told: number;
  untold: number;
  last: Refusal | null;
}

/**
 * Tells who was turned away.
 *
 * Why not everybody: strangers must not be able to fill the stream that operators watch. Those beyond so many a minute
 * are counted, and told in sum at its end, with the last of them.
 */
export class Refusals {
  readonly #events: EventStream;
  readonly #contexts: AsyncContexts;
  readonly #windows = new Map<number, Window>();

  constructor({ events, clock }: Mooring) {
    this.#events = events;
    this.#contexts = clock.contexts;
  }

  tell({ problem: { status, detail }, who }: ProblemError, { method, url, address }: Asker): void {
    const request = shortened(`${method} ${url.pathname}`);
    const refusal = { status, reason: shortened(detail), who, request, address: address ?? null };
    const window = this.#windows.get(status) ?? this.#begin(status);
    if (window.told < toldPerWindow) {
      window.told += 1;
      this.#events.emit('admin.refused', { ...refusal, more: 0 });
    } else {
      window.untold += 1;
      window.last = refusal;
    }
  }

  /** Tells what is left to tell, and leaves no timer. */
  close(): void {
    for (const status of [...this.#windows.keys()]) this.#end(status);
  }

  #begin(status: number): Window {
    const timer = this.#contexts.outside(() =>
      setTimeout(() => {
        this.#end(status);
      }, windowMs).unref(),
    );
    const window = { timer, told: 0, untold: 0, last: null };
    this.#windows.set(status, window);
    return window;
  }

  #end(status: number): void {
    const window = this.#windows.get(status);
    if (window === undefined) return;
    clearTimeout(window.timer);
    this.#windows.delete(status);
    if (window.last !== null) this.#events.emit('admin.refused', { ...window.last, more: window.untold - 1 });
  }
}

function shortened(text: string): string {
  return text.slice(0, mostLength);
}
