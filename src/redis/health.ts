import type { LedgerState } from '../core/vocabulary.js';
import type { RedisError } from './redis-errors.js';

/** After how many calls without an answer, one after the other, or beats, Redis counts as down; and when as back. */
const counts = Object.freeze({ callsToDown: 3, beatsToDown: 2, beatsToUp: 2 });

/**
 * Whether Redis can be asked about one partition. The beat decides: calls for newcomers are no probes, so that none of them
 * waits for a Redis that is down.
 */
export class Health {
  readonly #onChanged: () => void;
  #state: LedgerState = 'suspended';
  #error: RedisError | null = null;
  #failedCalls = 0;
  #missedBeats = 0;
  #goodBeats = 0;

  /** @param onChanged called after each change of the state */
  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  get state(): LedgerState {
    return this.#state;
  }

  /** The last error; `null` while it is up. */
  get error(): RedisError | null {
    return this.#error;
  }

  /** Whether it has been answering for long enough to be asked again, once it knows what this process holds. */
  get isBack(): boolean {
    return this.#state === 'down' && this.#goodBeats >= counts.beatsToUp;
  }

  callAnswered(): void {
    this.#failedCalls = 0;
  }

  callFailed(error: RedisError): void {
    this.#failedCalls += 1;
    this.#failed(error, this.#failedCalls >= counts.callsToDown);
  }

  beatAnswered(): void {
    this.#missedBeats = 0;
    this.#failedCalls = 0;
    this.#goodBeats += 1;
    if (this.#state === 'suspended') this.#become('up', null);
  }

  beatMissed(error: RedisError): void {
    this.#missedBeats += 1;
    this.#failed(error, this.#missedBeats >= counts.beatsToDown);
  }

  /** Redis knows again what this process holds. */
  restored(): void {
    if (this.#state === 'down') this.#become('up', null);
  }

  #failed(error: RedisError, isDown: boolean): void {
    this.#goodBeats = 0;
    if (this.#state === 'down') this.#error = error;
    else if (isDown) this.#become('down', error);
    else this.#become('suspended', error);
  }

  #become(state: LedgerState, error: RedisError | null): void {
    this.#error = error;
    if (state === this.#state) return;
    this.#state = state;
    this.#onChanged();
  }
}
