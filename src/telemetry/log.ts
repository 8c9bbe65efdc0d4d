import type { MooringEvent, MooringEventName } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';

/** The part of a pino logger that is used. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** How loud each event is. */
const levels = Object.freeze({
  'manager.admitted': 'debug',
  'manager.released': 'debug',
  'connection.opened': 'debug',
  'connection.replaced': 'info',
  'connection.left': 'debug',
  'connection.resumed': 'debug',
  'hold.expired': 'warn',
  'hold.forgotten': 'warn',
  'connection.answeredLate': 'warn',
  'connection.neverAnswers': 'warn',
  'heartbeat.missed': 'debug',
  'admission.queued': 'debug',
  'admission.refused': 'warn',
  'admission.cancelled': 'debug',
  'level.changed': 'info',
  'cleanup.completed': 'info',
  'cleanup.failed': 'error',
  'background.completed': 'debug',
  'hook.failed': 'error',
  'listener.failed': 'error',
  'limit.rejected': 'error',
  'idleTimeout.rejected': 'error',
  'keepalive.failed': 'error',
  'ledger.failed': 'error',
  'claim.lost': 'error',
  'leak.found': 'warn',
  'leak.gone': 'info',
  'process.stalled': 'warn',
  'authentication.failed': 'error',
  'attempts.uncounted': 'warn',
  'socket.rejected': 'warn',
  'admin.acted': 'info',
  'admin.refused': 'warn',
  'admin.failed': 'error',
  'viewer.missed': 'debug',
  'viewer.dropped': 'warn',
  'server.draining': 'info',
  'server.stopped': 'info',
} satisfies Record<MooringEventName, keyof Logger>);

/** Of how many events of one kind each is a line of its own, within the window; the rest is summed up in one. */
const linesPerWindow = 5;
const windowMs = 10_000;

/** What every newcomer may cause must not fill the disk: these are sampled, by kind and cause. */
const sampled: ReadonlySet<MooringEventName> = new Set([
  'admission.refused',
  'socket.rejected',
  'authentication.failed',
  'limit.rejected',
  'idleTimeout.rejected',
  'hold.expired',
  'hold.forgotten',
  'ledger.failed',
  'claim.lost',
  'leak.found',
  'leak.gone',
  'admin.refused',
  'viewer.dropped',
]);

/**
 * Writes the event stream to a log.
 * @param logger a pino logger, or anything with its four methods
 * @returns ends it
 */
export function logEvents(mooring: Mooring, logger: Logger): () => void {
  const sampler = new Sampler(logger);
  return mooring.events.onAny((event) => {
    if (!sampled.has(event.type) || sampler.admits(kindOf(event), mooring.now())) write(logger, event);
  });
}

/** The logger stamps its own time. */
function write(logger: Logger, { type, ...event }: MooringEvent): void {
  logger[levels[type]]({ ...event, atMs: undefined }, type);
}

/** What repeats itself: the same event for the same cause. */
function kindOf(event: MooringEvent): string {
  return 'closeCause' in event ? `${event.type} ${String(event.closeCause)}` : event.type;
}

/** Keeps what is said too often out of a log. Its summary comes with the first of the kind after the window. */
export class Sampler {
  readonly #logger: Logger;
  readonly #lines: number;
  readonly #windows = new Map<string, { endsAtMs: number; count: number }>();

  /** @param lines how many of a kind are written in ten seconds @default 5 */
  constructor(logger: Logger, lines = linesPerWindow) {
    this.#logger = logger;
    this.#lines = lines;
  }

  /** Whether a line of this kind may be written now. @param atMs on a clock that never goes back */
  admits(kind: string, atMs: number): boolean {
    const window = this.#windows.get(kind);
    if (window === undefined || atMs >= window.endsAtMs) {
      if (window !== undefined) this.#sumUp(kind, window.count);
      this.#windows.set(kind, { endsAtMs: atMs + windowMs, count: 1 });
      return true;
    }
    window.count += 1;
    return window.count <= this.#lines;
  }

  #sumUp(kind: string, count: number): void {
    const suppressed = count - this.#lines;
    if (suppressed > 0) this.#logger.warn({ suppressed, windowMs }, `${kind}: more of the same`);
  }
}
