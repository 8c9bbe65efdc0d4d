import type { Mooring } from '../core/mooring.js';
import { releaseReasons, strategyNames, type ReleaseReason, type StrategyTally } from '../core/vocabulary.js';
import type { Overview, Sample } from './schemas.js';

/** How often a sample is taken, and how many are kept: a quarter of an hour. */
const sampleEveryMs = 5_000;
const mostSamples = 180;

type SampleCounts = Omit<Sample, 'at' | 'managers' | 'waiting'>;

const nothing: SampleCounts = Object.freeze({
  admitted: 0,
  takenOver: 0,
  refused: 0,
  released: 0,
  cleaned: 0,
  longestEmergencyMs: null,
});

/** Counts the events since the start, and those of each five seconds of the last quarter of an hour. */
export class Recorder {
  readonly startedAt = new Date();
  readonly #startedAtMs = performance.now();
  readonly #mooring: Mooring;
  readonly #ends: (() => void)[];
  readonly #timer: NodeJS.Timeout;
  /** Of the last quarter of an hour, oldest first. */
  readonly samples: Sample[] = [];
  /** Since the start. */
  readonly totals: Overview['totals'] = {
    admitted: 0,
    takenOver: 0,
    refused: {},
    released: zeros(Object.keys(releaseReasons) as ReleaseReason[]),
    cleaned: zeros(strategyNames),
  };
  /** Managers whose connection is attached. */
  connections: number;
  /** Since the last sample. */
  #current = { ...nothing };

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
    this.connections = countConnections(mooring);
    this.#ends = [
      mooring.on('connection.opened', () => {
        this.connections += 1;
      }),
      mooring.on('manager.admitted', ({ waitedMs }) => {
        this.totals.admitted += 1;
        this.#current.admitted += 1;
        if (waitedMs > 0) this.#noteEmergency(waitedMs);
      }),
      mooring.on('connection.replaced', () => {
        this.totals.takenOver += 1;
        this.#current.takenOver += 1;
      }),
      mooring.on('admission.refused', ({ closeCause }) => {
        const { refused } = this.totals;
        refused[closeCause] = (refused[closeCause] ?? 0) + 1;
        this.#current.refused += 1;
      }),
      mooring.on('manager.released', ({ reason, generation }) => {
        if (generation > 0) this.connections -= 1;
        this.totals.released[reason] += 1;
        this.#current.released += 1;
      }),
      mooring.on('cleanup.completed', ({ byStrategy, trigger, durationMs }) => {
        this.#addCleaned(byStrategy);
        if (trigger === 'admission' || trigger === 'request') this.#noteEmergency(durationMs);
      }),
      mooring.on('background.completed', ({ byStrategy }) => {
        this.#addCleaned(byStrategy);
      }),
    ];
    this.#timer = mooring.clock.contexts.outside(() =>
      setInterval(() => {
        this.#sample();
      }, sampleEveryMs).unref(),
    );
  }

  /** Since the start, in milliseconds. */
  get uptimeMs(): number {
    return Math.round(performance.now() - this.#startedAtMs);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const end of this.#ends) end();
  }

  #addCleaned(byStrategy: StrategyTally): void {
    for (const strategy of strategyNames) {
      this.totals.cleaned[strategy] += byStrategy[strategy];
      this.#current.cleaned += byStrategy[strategy];
    }
  }

  #noteEmergency(durationMs: number): void {
    this.#current.longestEmergencyMs = Math.max(this.#current.longestEmergencyMs ?? 0, durationMs);
  }

  #sample(): void {
    const { managerCount, waitingCount } = this.#mooring;
    const at = new Date().toISOString();
    this.samples.push({ at, managers: managerCount, waiting: waitingCount, ...this.#current });
    if (this.samples.length > mostSamples) this.samples.shift();
    this.#current = { ...nothing };
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

/** Connections that were open before the recorder began. Later ones are counted as they open and close. */
function countConnections(mooring: Mooring): number {
  let count = 0;
  for (const [, managers] of mooring.managersByUser())
    for (const { state } of managers.values()) if (state === 'attached') count += 1;
  return count;
}
