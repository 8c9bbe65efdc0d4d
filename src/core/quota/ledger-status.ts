import type { EventStream } from '../events.js';
import type { Clock } from '../time.js';
import type { LedgerConfig, LedgerStatus } from './quota-ledger.js';

interface StatusParts {
  readonly clock: Clock;
  readonly config: Pick<LedgerConfig, 'maxManagersPerUser'>;
  readonly events: EventStream;
}

/** What the ledger says about itself. */
export class StatusOfLedger {
  readonly #parts: StatusParts;
  /** Limits of other processes that were told of. */
  readonly #otherLimits = new Set<number>();
  #status: LedgerStatus | null = null;
  #sinceMs: number;

  constructor(parts: StatusParts) {
    this.#parts = parts;
    this.#sinceMs = parts.clock.now();
  }

  /** The state, and for how long it is that; `null` if the ledger has not said. */
  get now(): (LedgerStatus & { readonly forMs: number }) | null {
    return this.#status && { ...this.#status, forMs: this.#parts.clock.now() - this.#sinceMs };
  }

  changed(status: LedgerStatus): void {
    const { clock, events } = this.#parts;
    const { state: previous = 'suspended' } = this.#status ?? {};
    const afterMs = clock.now() - this.#sinceMs;
    this.#status = status;
    if (status.state === previous) return;
    this.#sinceMs = clock.now();
    events.emit('ledger.changed', { ...status, previous, afterMs });
  }

  limitDiffers(theirs: number): void {
    const { config, events } = this.#parts;
    const ours = config.maxManagersPerUser;
    if (theirs === ours || this.#otherLimits.has(theirs)) return;
    this.#otherLimits.add(theirs);
    events.emit('ledger.mismatch', { ours, theirs });
  }
}
