import type { EventStream } from '../core/events.js';
import type { Asker } from './access.js';
import type { ProblemError } from './problems.js';

/** What is told of a status within a minute. */
const toldPerWindow = 30;
const windowMs = 60_000;

/** More of a request is not worth telling. */
const mostRequestLength = 200;

interface Window {
  beganAtMs: number;
  told: number;
  untold: number;
}

/**
 * Tells who was turned away.
 *
 * Why not everybody: strangers must not be able to fill the stream that operators watch. Those beyond so many a minute
 * are counted, and told in sum with the next one.
 */
export class Refusals {
  readonly #events: EventStream;
  readonly #windows = new Map<number, Window>();

  constructor(events: EventStream) {
    this.#events = events;
  }

  tell({ problem: { status, detail }, who }: ProblemError, { method, url, address }: Asker): void {
    const more = this.#moreToTell(status);
    if (more === null) return;
    const request = `${method} ${url.pathname}`.slice(0, mostRequestLength);
    this.#events.emit('admin.refused', { status, reason: detail, who, request, address: address ?? null, more });
  }

  /** How many are told beside this one; `null` where this one waits as well. */
  #moreToTell(status: number): number | null {
    const now = performance.now();
    const window = this.#windows.get(status) ?? { beganAtMs: now, told: 0, untold: 0 };
    this.#windows.set(status, window);
    if (now - window.beganAtMs >= windowMs) Object.assign(window, { beganAtMs: now, told: 0 });
    if (window.told >= toldPerWindow) {
      window.untold += 1;
      return null;
    }
    const more = window.untold;
    window.told += 1;
    window.untold = 0;
    return more;
  }
}
