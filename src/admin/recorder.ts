import type { MooringEvent } from '../core/events.js';
import { releaseReasons, strategyNames, type ReleaseReason } from '../core/vocabulary.js';
import type { Mooring } from '../core/mooring.js';
import type { Overview, Sample } from './schemas.js';

/** How often a sample is taken, and how many are kept: a quarter of an hour. */
const sampleEveryMs = 5_000;
const mostSamples = 180;

type Counted = Omit<Sample, 'at' | 'managers' | 'waiting'>;

const nothing: Counted = Object.freeze({
  admitted: 0,
  takenOver: 0,
  refused: 0,
  released: 0,
  cleaned: 0,
  longestEmergencyMs: null,
});

/** What happened since it began, in all and in the last quarter of an hour: from the event stream alone. */
export class Recorder {
  readonly startedAt = new Date();
  readonly #startedAtMs = performance.now();
  readonly #mooring: Mooring;
  readonly #ends: (() => void)[];
  readonly #timer: NodeJS.Timeout;
  readonly #samples: Sample[] = [];
  readonly #refused: Record<string, number> = {};
  readonly #released = Object.fromEntries(Object.keys(releaseReasons).map((reason) => [reason, 0])) as Record<
    ReleaseReason,
    number
  >;
  readonly #cleaned = { disconnected: 0, idle: 0, error: 0, oldest: 0 };
  #connections: number;
  #admitted = 0;
  #takenOver = 0;
  #now = { ...nothing };

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
    this.#connections = countConnections(mooring);
    this.#ends = [
      mooring.on('connection.opened', () => {
        this.#connections += 1;
      }),
      mooring.on('manager.admitted', ({ waitedMs }) => {
        this.#admitted += 1;
        this.#now.admitted += 1;
        if (waitedMs > 0) this.#took(waitedMs);
      }),
      mooring.on('connection.replaced', () => {
        this.#takenOver += 1;
        this.#now.takenOver += 1;
      }),
      mooring.on('admission.refused', ({ closeCause }) => {
        this.#refused[closeCause] = (this.#refused[closeCause] ?? 0) + 1;
        this.#now.refused += 1;
      }),
      mooring.on('manager.released', ({ reason, generation }) => {
        if (generation > 0) this.#connections -= 1;
        this.#released[reason] += 1;
        this.#now.released += 1;
      }),
      mooring.on('cleanup.completed', (event) => {
        this.#whenCleaned(event);
      }),
      mooring.on('background.completed', ({ byStrategy }) => {
        this.#addCleaned(byStrategy);
      }),
    ];
    this.#timer = mooring.clock.contexts.outside(() =>
      setInterval(() => {
        this.#sample();
      }, sampleEveryMs),
    );
    this.#timer.unref();
  }

  /** Since the start, in milliseconds. */
  get uptimeMs(): number {
    return Math.round(performance.now() - this.#startedAtMs);
  }

  /** Managers whose connection is attached. */
  get connections(): number {
    return this.#connections;
  }

  /** All since the start. */
  totals(): Overview['totals'] {
    return {
      admitted: this.#admitted,
      takenOver: this.#takenOver,
      refused: { ...this.#refused },
      released: { ...this.#released },
      cleaned: { ...this.#cleaned },
    };
  }

  /** The last quarter of an hour, oldest first. */
  samples(): Sample[] {
    return [...this.#samples];
  }

  close(): void {
    clearInterval(this.#timer);
    for (const end of this.#ends) end();
  }

  #whenCleaned({ byStrategy, trigger, durationMs }: MooringEvent<'cleanup.completed'>): void {
    this.#addCleaned(byStrategy);
    if (trigger === 'admission' || trigger === 'request') this.#took(durationMs);
  }

  #addCleaned(byStrategy: MooringEvent<'cleanup.completed'>['byStrategy']): void {
    for (const strategy of strategyNames) {
      this.#cleaned[strategy] += byStrategy[strategy];
      this.#now.cleaned += byStrategy[strategy];
    }
  }

  #took(durationMs: number): void {
    this.#now.longestEmergencyMs = Math.max(this.#now.longestEmergencyMs ?? 0, durationMs);
  }

  #sample(): void {
    const { managerCount, waitingCount } = this.#mooring;
    const at = new Date().toISOString();
    this.#samples.push({ at, managers: managerCount, waiting: waitingCount, ...this.#now });
    if (this.#samples.length > mostSamples) this.#samples.shift();
    this.#now = { ...nothing };
  }
}

/** Of those who were there before: all others are counted as they come. */
function countConnections(mooring: Mooring): number {
  let count = 0;
  for (const [, managers] of mooring.managersByUser())
    for (const { state } of managers.values()) if (state === 'attached') count += 1;
  return count;
}
