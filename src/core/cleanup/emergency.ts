import { describe } from '../errors.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { Timer } from '../time.js';
import { EmergencyRun, type EmergencyCleanupResult, type EvictionRequest, type RunParts } from './emergency-run.js';
import { newcomerPollMs, type WaitingNewcomer } from './suspect-slots.js';

interface EmergencyParts extends RunParts {
  readonly lifecycle: Pick<Lifecycle, 'runEnded'>;
}

/**
 * The emergency cleanups of all users. A user has one run at a time, and its runs start at least
 * `emergencyCleanupSpacingMs` apart. A caller joins the run that goes on, or is due. Users never wait for each other.
 *
 * If a user has as many suspects as newcomers, the newcomers get their slots after a poll phase, without a run.
 */
export class EmergencyCleanup {
  readonly #parts: EmergencyParts;
  readonly #runs = new Map<string, EmergencyRun>();
  /** Users whose next run may not start yet. */
  readonly #spacing = new Map<string, Timer>();
  /** Users with suspects whose newcomers have not answered yet. */
  readonly #polls = new Map<string, Timer>();
  #serial = 0;
  #isStopped = false;

  constructor(parts: EmergencyParts) {
    this.#parts = parts;
  }

  /** The next number of the sequence that places in the queue and runs share. */
  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Whether the user's run has started and not ended. */
  isRunning(userId: string): boolean {
    return this.#runs.get(userId)?.hasStarted ?? false;
  }

  /** A newcomer waits: gives it the slot of a suspect, or starts a run. */
  wake(userId: string): void {
    if (this.#isStopped) return;
    const { clock, config, suspectSlots, queue } = this.#parts;
    if (this.#runs.has(userId)) {
      // The newcomer waits for that run, unless an earlier run has left suspects.
      if (suspectSlots.countOf(userId) > 0)
        clock.afterPoll(() => {
          this.suspectsFound(userId);
        });
      return;
    }
    if (suspectSlots.countOf(userId) < queue.sizeOf(userId)) {
      this.#launch(this.#newRun(userId));
      return;
    }
    clock.afterPoll(() => {
      if (this.#isStopped) return;
      this.#giveSuspects(userId);
      if (queue.sizeOf(userId) === 0 || this.#runs.has(userId)) return;
      // There are suspects, but the newcomer has not answered yet: it gets as long to answer as a connection.
      const isAnswerMissing = suspectSlots.countOf(userId) >= queue.sizeOf(userId);
      // With 0 it starts in a later turn: newcomers of this one share it.
      this.#space(userId, isAnswerMissing ? config.probeTimeoutMs : 0);
      this.#launch(this.#newRun(userId));
    });
  }

  /** A newcomer was accepted and waits as an open socket: it is pinged at once. */
  newcomerAccepted(newcomer: WaitingNewcomer): void {
    this.#parts.suspectSlots.pingNewcomer(newcomer);
  }

  /**
   * Connections of this user have become suspects, mostly in the midst of a run: gives their slots to newcomers that have
   * answered, and ends the run if no newcomer waits any longer.
   */
  suspectsFound(userId: string): void {
    this.#giveSuspects(userId);
    this.#runs.get(userId)?.finishUnlessNeeded();
  }

  /**
   * Runs a cleanup for a caller that wants its result: releases dead, idle and errored managers, all suspects, and as many
   * managers that are not engaged as the caller wants.
   * @throws TypeError if `evict` or `keep` is no integer of at least 0
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

  /** Starts the run now, or when the user's next run may start. */
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

  /** Delays the user's next run. A run that waits for that, and is still needed, starts then. */
  #space(userId: string, forMs: number): void {
    if (this.#spacing.has(userId)) return;
    const timer = this.#parts.clock.setTimer(() => {
      this.#spacing.delete(userId);
      const due = this.#runs.get(userId);
      if (due === undefined || due.hasStarted) return;
      if (due.isNeeded) this.#start(due);
      else this.#runs.delete(userId);
    }, forMs);
    this.#spacing.set(userId, timer);
  }

  /** Gives the slots of suspects to newcomers that have answered. If one has not, all are checked again soon. */
  #giveSuspects(userId: string): void {
    const { clock, suspectSlots, queue } = this.#parts;
    suspectSlots.give(userId, this.#runs.get(userId)?.tally ?? null);
    const isAnswerMissing = queue.sizeOf(userId) > 0 && suspectSlots.countOf(userId) > 0;
    if (!isAnswerMissing || this.#isStopped || this.#polls.has(userId)) return;
    const timer = clock.setTimer(() => {
      this.#polls.delete(userId);
      clock.afterPoll(() => {
        this.suspectsFound(userId);
      });
    }, newcomerPollMs);
    this.#polls.set(userId, timer);
  }

  readonly #ended = (run: EmergencyRun): void => {
    this.#runs.delete(run.userId);
    if (!run.hasStarted) return;
    this.#parts.lifecycle.runEnded(run.userId, run.serial);
    if (this.#parts.queue.sizeOf(run.userId) > 0) this.wake(run.userId);
  };
}

/** @throws TypeError if a field is no integer of at least 0 */
export function checkEviction({ evict, keep }: EvictionRequest): void {
  checkCount('evict', evict);
  checkCount('keep', keep);
}

function checkCount(name: string, count: unknown): void {
  if (count === undefined || (Number.isSafeInteger(count) && Number(count) >= 0)) return;
  throw new TypeError(`${name}: got ${describe(count)}, wanted an integer of at least 0`);
}
