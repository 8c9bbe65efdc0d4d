import type { Severity } from '../core/event-row.js';

export type { Severity } from '../core/event-row.js';
import type { MooringEvent } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';
import { eventTable } from '../events/edge-events.js';

/** The part of a pino logger that is used. */
export type Logger = Record<Severity, (fields: object, text: string) => void>;

/** How many events of one kind get a line within the window. One line stands for all others. */
const linesPerWindow = 5;
const windowMs = 10_000;

/** How many lines of a kind are written in ten seconds. The debug level is for following one user's connections. */
const linesAt = Object.freeze({ debug: 1_000, info: 20, warn: linesPerWindow, error: linesPerWindow });

/** The longest error text in a line, in UTF-16 units: clients can cause errors with texts of any length. */
const maxTextLength = 500;

/**
 * Writes the event stream to a log.
 * @param logger a pino logger, or anything with its four methods
 * @returns ends it
 */
export function logEvents(mooring: Mooring, logger: Logger): () => void {
  const sampler = new Sampler(logger);
  const end = mooring.events.onAny((event) => {
    const { type } = event;
    const { severity, isSampled = true } = eventTable[type];
    if (!isSampled || sampler.admits(kindOf(event), mooring.now(), linesAt[severity])) write(logger, event);
  });
  return () => {
    end();
    sampler.end();
  };
}

/** The logger stamps its own time. */
function write(logger: Logger, { type, ...event }: MooringEvent): void {
  const fields: Record<string, unknown> = { ...event };
  delete fields['atMs'];
  if ('error' in fields) fields['error'] = String(fields['error']).slice(0, maxTextLength);
  logger[eventTable[type].severity](fields, type);
}

/** Events of the same name and cause are of one kind. */
function kindOf(event: MooringEvent): string {
  return 'closeCause' in event ? `${event.type} ${String(event.closeCause)}` : event.type;
}

interface Window {
  readonly endsAtMs: number;
  readonly lines: number;
  count: number;
}

/** @internal Limits how many lines of a kind a log gets. The summary of the others comes with the next event of the kind. */
export class Sampler {
  readonly #logger: Logger;
  readonly #lines: number;
  readonly #windows = new Map<string, Window>();

  /** @param lines how many of a kind are written in ten seconds @default 5 */
  constructor(logger: Logger, lines = linesPerWindow) {
    this.#logger = logger;
    this.#lines = lines;
  }

  /**
   * Whether a line of this kind may be written now.
   * @param nowMs on any clock that never goes back
   * @param lines how many of this kind are written in ten seconds @default as the sampler was made
   */
  admits(kind: string, nowMs: number, lines = this.#lines): boolean {
    const window = this.#windows.get(kind);
    if (window === undefined || nowMs >= window.endsAtMs) {
      if (window !== undefined) this.#sumUp(kind, window);
      this.#windows.set(kind, { endsAtMs: nowMs + windowMs, lines, count: 1 });
      return true;
    }
    window.count += 1;
    return window.count <= window.lines;
  }

  /** Writes the summaries that are due. */
  end(): void {
    for (const [kind, window] of this.#windows) this.#sumUp(kind, window);
    this.#windows.clear();
  }

  #sumUp(kind: string, { count, lines }: Window): void {
    const suppressed = count - lines;
    if (suppressed > 0) this.#logger.warn({ suppressed, windowMs }, `${kind}: more of the same`);
  }
}
