import { describe } from '../events.js';
import type { Timer } from '../time.js';
import { EmergencyRun, type EmergencyCleanupResult, type EvictionRequest, type RunParts } from './emergency-run.js';

/**
 * The emergency cleanups of all users: one run per user at a time, their starts at least `emergencyCleanupSpacingMs`
 * apart; whoever asks while one runs, or is due, joins it. Users never wait for each other.
 * @source seed fix 1, `_emergency_cleanup_with_timeout`; spec sections 3.5, 3.7, 5
 */
export class EmergencyCleanup {
  readonly #parts: RunParts;
  readonly #runs = new Map<string, EmergencyRun>();
  /** Users whose last run began less than the spacing ago. */
  readonly #spacing = new Map<string, Timer>();
  #serial = 0;
  #isStopped = false;
  #whenRunEnded: (userId: string, serial: number) => void = () => undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Who settles the places that had their chance in a run. */
  whenRunEnded(act: (userId: string, serial: number) => void): void {
    this.#whenRunEnded = act;
  }

  /** Numbers the order of places and runs. */
  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Whether the user's run has started and not ended. */
  isRunning(userId: string): boolean {
    return (this.#runs.get(userId)?.serial ?? 0) > 0;
  }

  /** A newcomer waits: there shall be a run. */
  wake(userId: string): void {
    this.#runOf(userId);
  }

  /**
   * Somebody asks for a run and wants its result: dead, idle and errored managers go, and as many that are not engaged
   * as they say.
   * @throws TypeError where what they say is no number of managers
   */
  request(userId: string, wanted: EvictionRequest = {}): Promise<EmergencyCleanupResult> {
    checkEviction(wanted);
    const running = this.#runs.get(userId);
    if (running !== undefined) return running.join(wanted);
    const run = new EmergencyRun(this.#parts, userId, this.#ended);
    const result = run.join(wanted);
    this.#launch(run);
    return result;
  }

  /** Ends every run; none starts again. */
  stop(): void {
    this.#isStopped = true;
    for (const run of [...this.#runs.values()]) run.finish();
    for (const timer of this.#spacing.values()) timer.cancel();
    this.#spacing.clear();
  }

  #runOf(userId: string): void {
    if (this.#runs.has(userId)) return;
    this.#launch(new EmergencyRun(this.#parts, userId, this.#ended));
  }

  /** Starts the run, or leaves it to the end of the spacing. */
  #launch(run: EmergencyRun): void {
    if (this.#isStopped) {
      run.finish();
      return;
    }
    this.#runs.set(run.userId, run);
    if (!this.#spacing.has(run.userId)) this.#start(run);
  }

  #start(run: EmergencyRun): void {
    const { clock, config } = this.#parts;
    const { userId } = run;
    const timer = clock.setTimer(() => {
      this.#spacing.delete(userId);
      const due = this.#runs.get(userId);
      if (due?.serial === 0) this.#start(due);
    }, config.emergencyCleanupSpacingMs);
    this.#spacing.set(userId, timer);
    run.start(this.nextSerial());
  }

  readonly #ended = (run: EmergencyRun): void => {
    if (this.#runs.get(run.userId) === run) this.#runs.delete(run.userId);
    if (run.serial === 0) return;
    this.#whenRunEnded(run.userId, run.serial);
    if (this.#parts.waitingRoom.sizeOf(run.userId) > 0) this.#runOf(run.userId);
  };
}

/** @throws TypeError where what is wanted is no number of managers */
export function checkEviction({ evict, keep }: EvictionRequest): void {
  checkCount('evict', evict);
  checkCount('keep', keep);
}

function checkCount(name: string, count: unknown): void {
  if (count === undefined || (Number.isSafeInteger(count) && Number(count) >= 0)) return;
  throw new TypeError(`${name}: got ${describe(count)}, wanted an integer of at least 0`);
}
