import { describe } from '../errors.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { Timer } from '../time.js';
import { EmergencyRun, type EmergencyCleanupResult, type EvictionRequest, type RunParts } from './emergency-run.js';
import { newcomerPollMs, type WaitingNewcomer } from './suspect-places.js';

interface EmergencyParts extends RunParts {
  readonly lifecycle: Pick<Lifecycle, 'runEnded'>;
}

/**
 * The emergency cleanups of all users: one run per user at a time, their starts at least `emergencyCleanupSpacingMs`
 * apart; a caller that asks while one runs, or is due, joins it. Users never wait for each other.
 *
 * A newcomer that finds enough suspects gets the place of one after a poll phase, without a run.
 */
export class EmergencyCleanup {
  readonly #parts: EmergencyParts;
  readonly #runs = new Map<string, EmergencyRun>();
  /** Users whose next run may not start yet. */
  readonly #spacing = new Map<string, Timer>();
  /** Users whose suspects wait for a newcomer to be heard of. */
  readonly #polls = new Map<string, Timer>();
  #serial = 0;
  #isStopped = false;

  constructor(parts: EmergencyParts) {
    this.#parts = parts;
  }

  /** The next number of the sequence that places and runs share. */
  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Whether the user's run has started and not ended. */
  isRunning(userId: string): boolean {
    return (this.#runs.get(userId)?.serial ?? 0) > 0;
  }

  /** A newcomer waits: it gets a suspect's place, or there shall be a run. */
  wake(userId: string): void {
    if (this.#isStopped) return;
    const { clock, config, suspectPlaces, waitingRoom } = this.#parts;
    if (this.#runs.has(userId)) {
      // It joins that run, unless an earlier one has left suspects.
      if (suspectPlaces.standing(userId) > 0)
        clock.afterPoll(() => {
          this.suspected(userId);
        });
      return;
    }
    if (suspectPlaces.standing(userId) < waitingRoom.sizeOf(userId)) {
      this.#launch(this.#newRun(userId));
      return;
    }
    clock.afterPoll(() => {
      if (this.#isStopped) return;
      this.#giveSuspects(userId);
      if (waitingRoom.sizeOf(userId) === 0 || this.#runs.has(userId)) return;
      // A suspect was heard of, or the newcomer was not yet: it has as long to answer as anybody.
      const isAnswerMissing = suspectPlaces.standing(userId) >= waitingRoom.sizeOf(userId);
      this.#space(userId, isAnswerMissing ? config.probeTimeoutMs : 0);
      this.#launch(this.#newRun(userId));
    });
  }

  /** A newcomer was accepted and waits as an open socket: it is asked at once whether it is there. */
  accepted(newcomer: WaitingNewcomer): void {
    this.#parts.suspectPlaces.askNewcomer(newcomer);
  }

  /** Connections of this user have become suspects: as many give their places as newcomers wait. */
  suspected(userId: string): void {
    this.#giveSuspects(userId);
    this.#runs.get(userId)?.finishUnlessNeeded();
  }

  /**
   * Somebody asks for a run and wants its result: dead, idle and errored managers go, all suspects, and as many that are
   * not engaged as they say.
   * @throws TypeError where what they say is no number of managers
   */
  request(userId: string, wanted: EvictionRequest = {}): Promise<EmergencyCleanupResult> {
    checkEviction(wanted);
    const running = this.#runs.get(userId);
    if (running !== undefined) return running.join(wanted);
    const run = this.#newRun(userId);
    const result = run.join(wanted);
    this.#launch(run);
    return result;
  }

  /** Ends every run; none starts again. */
  stop(): void {
    this.#isStopped = true;
    for (const run of [...this.#runs.values()]) run.finish();
    for (const timers of [this.#spacing, this.#polls]) {
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
    }
  }

  #newRun(userId: string): EmergencyRun {
    return new EmergencyRun(this.#parts, userId, this.#ended);
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
    this.#space(run.userId, this.#parts.config.emergencyCleanupSpacingMs);
    run.start(this.nextSerial());
  }

  /** The user's next run starts in so long at the earliest; one that is due by then, and still needed, starts then. */
  #space(userId: string, forMs: number): void {
    if (this.#spacing.has(userId)) return;
    const timer = this.#parts.clock.setTimer(() => {
      this.#spacing.delete(userId);
      const due = this.#runs.get(userId);
      if (due?.serial !== 0) return;
      if (due.isNeeded) this.#start(due);
      else this.#runs.delete(userId);
    }, forMs);
    this.#spacing.set(userId, timer);
  }

  /** Newcomers that were not heard of are looked at again, as long as suspects could give them their places. */
  #giveSuspects(userId: string): void {
    const { clock, suspectPlaces, waitingRoom } = this.#parts;
    suspectPlaces.give(userId, this.#runs.get(userId)?.tally ?? null);
    const isWanted = waitingRoom.sizeOf(userId) > 0 && suspectPlaces.standing(userId) > 0;
    if (!isWanted || this.#isStopped || this.#polls.has(userId)) return;
    const timer = clock.setTimer(() => {
      this.#polls.delete(userId);
      clock.afterPoll(() => {
        this.suspected(userId);
      });
    }, newcomerPollMs);
    this.#polls.set(userId, timer);
  }

  readonly #ended = (run: EmergencyRun): void => {
    if (this.#runs.get(run.userId) === run) this.#runs.delete(run.userId);
    if (run.serial === 0) return;
    this.#parts.lifecycle.runEnded(run.userId, run.serial);
    if (this.#parts.waitingRoom.sizeOf(run.userId) > 0) this.wake(run.userId);
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
