import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { ProbeTiming } from '../liveness/probe-timing.js';
import { noFindings, Probe, probeShare, type ProbeFindings, type ProbeParts } from '../liveness/probe.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';
import type { Timer } from '../time.js';
import type { CleanupTrigger, StrategyTally } from '../vocabulary.js';
import { newcomerPollMs, type NewcomerQueue, type SuspectSlots } from './suspect-slots.js';
import { Tally, type Chosen } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';

/** How an emergency cleanup ended. */
export interface EmergencyCleanupResult {
  readonly userId: string;
  /** Managers released. */
  readonly cleaned: number;
  /** The first 1,000 of them, with the figures that decided it. */
  readonly chosen: readonly Chosen[];
  /** How many of them each strategy chose. It counts all, also those that `chosen` leaves out. */
  readonly byStrategy: StrategyTally;
  /** Passes made. */
  readonly attempts: number;
  /** Whether it was cut off at `emergencyCleanupTimeoutMs`. */
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** Managers left to the user. */
  readonly remaining: number;
}

/** How many managers a caller wants evicted beyond the routine strategies. If both fields are given, both must allow it. */
export interface EvictionRequest {
  /** Evict up to this many managers that are not engaged. */
  readonly evict?: number;
  /** Evict managers that are not engaged until this many are left. */
  readonly keep?: number;
}

/** How many of `count` managers the caller wants evicted at most. */
export function maxToEvict({ evict, keep }: EvictionRequest, count: number): number {
  if (evict === undefined && keep === undefined) return 0;
  return Math.min(evict ?? Infinity, count - (keep ?? 0));
}

/** The parts that all runs share. */
export interface RunParts extends Omit<ProbeParts, 'config'> {
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  readonly queue: NewcomerQueue;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
  readonly suspectSlots: SuspectSlots;
  /** What is known of the user's slots in other processes. */
  readonly confirmations: {
    mayBeFreeSoon(userId: string, sinceMs: number): boolean;
    askAgain(userId: string): void;
  };
}

/**
 * One emergency cleanup of one user. It makes a pass at once, a second pass when the second pings of its probe leave, and
 * a third when the probe is over. After the third come evictions, and then connections whose unsent data does not move
 * lose their slots. A suspect loses its slot to a newcomer as soon as it is a suspect, at any time of the run.
 *
 * The run ends early if no newcomer waits any longer, unless a caller waits for its result. Connections that it pinged
 * twice can become suspects after that.
 */
export class EmergencyRun {
  readonly #parts: RunParts;
  readonly #userId: string;
  readonly #whenOver: (run: EmergencyRun) => void;
  readonly #waiters: ((result: EmergencyCleanupResult) => void)[] = [];
  readonly #evictions: EvictionRequest[] = [];
  readonly #timers = new Set<Timer>();
  #probe: Probe | null = null;
  #isRequested = false;
  #attempts = 0;
  #startedAtMs: number;
  #isOver = false;
  /** Whether the ledger has been asked once more, before newcomers are refused. */
  #isLastAsked = false;
  /** What it has released so far. A pass that throws does not change that. */
  readonly tally = new Tally();
  /** Sequence number shared with the places of the queue: places with a lower number are settled when it ends. 0 until it starts. */
  serial = 0;

  constructor(parts: RunParts, userId: string, whenOver: (run: EmergencyRun) => void) {
    this.#parts = parts;
    this.#userId = userId;
    this.#whenOver = whenOver;
    this.#startedAtMs = parts.clock.now();
  }

  get userId(): string {
    return this.#userId;
  }

  get hasStarted(): boolean {
    return this.serial > 0;
  }

  /** Whether a newcomer waits, or a caller asked for its result. */
  get isNeeded(): boolean {
    return this.#isRequested || this.#parts.queue.sizeOf(this.#userId) > 0;
  }

  get #trigger(): CleanupTrigger {
    return this.#isRequested ? 'request' : 'admission';
  }

  /** Joins a caller to this run. If callers ask for different evictions, the largest wins. */
  join(wanted: EvictionRequest): Promise<EmergencyCleanupResult> {
    this.#isRequested = true;
    this.#evictions.push(wanted);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Makes the first pass and sends the first pings. With `maxCleanupRetries: 1` the only pass is that after the probe. */
  start(serial: number): void {
    const { clock, config } = this.#parts;
    this.serial = serial;
    this.#startedAtMs = clock.now();
    this.#after(config.emergencyCleanupTimeoutMs, () => {
      this.finish(true);
    });
    if (config.maxCleanupRetries > 1) this.#pass();
    if (!this.isNeeded) this.finish();
    else
      this.#whenPolled(() => {
        this.#startProbe();
      });
  }

  /** Ends it now. */
  finish(timedOut = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#probe?.pingNoMore();
    const summary = this.#summary(timedOut);
    const result = { ...summary, chosen: this.tally.chosen };
    this.#whenOver(this);
    this.#parts.events.emit('cleanup.completed', { ...summary, trigger: this.#trigger });
    for (const resolve of this.#waiters) resolve(result);
  }

  /** Ends it if no newcomer and no caller needs it any longer. */
  finishUnlessNeeded(): void {
    if (this.hasStarted && !this.isNeeded) this.finish();
  }

  #after(delayMs: number, act: () => void): void {
    const timer = this.#parts.clock.setTimer(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Soon after a stall, old bytes may not have been read yet. They must not be taken for the answer to a ping. */
  #whenPolled(act: () => void): void {
    const { clock, config } = this.#parts;
    if (clock.now() - clock.lastStallEndedAtMs < config.probeTimeoutMs) clock.afterPoll(act);
    else act();
  }

  /** Pings every connection, and every newcomer that waits as an open socket. */
  #startProbe(): void {
    if (this.#isOver) return;
    const { registry, suspectSlots, config } = this.#parts;
    suspectSlots.pingNewcomers(this.#userId);
    this.#probe = new Probe(this.#parts, {
      connections: registry.connectionsOf(this.#userId),
      onDone: (findings) => {
        this.#afterProbe(findings);
      },
    });
    // The pass in the middle: what closed or answered meanwhile.
    if (config.maxCleanupRetries > 2) {
      this.#after(config.probeTimeoutMs, () => {
        this.#pass();
        this.finishUnlessNeeded();
      });
    }
    this.#probe.start();
  }

  /** Every connection has answered, gone, become a suspect or is excused. If callers wait, all suspects are released. */
  #afterProbe({ silent, stuck }: ProbeFindings): void {
    if (this.#isOver) return;
    this.#pass({ stuck, silent: this.#isRequested ? silent : noFindings.silent });
    const count = this.#parts.registry.countOf(this.#userId);
    this.#makeRoom(Math.max(0, ...this.#evictions.map((wanted) => maxToEvict(wanted, count))));
  }

  /**
   * Makes room for the newcomers that have answered. Newcomers that were accepted and have not answered yet get as long
   * as a connection whose round trip is not known.
   * @param minToEvict how many managers the callers of the run want evicted
   */
  #makeRoom(minToEvict: number): void {
    const { clock, config, suspectSlots, queue } = this.#parts;
    // A newcomer that has just answered may get the slot of a suspect.
    this.#guarded(() => {
      suspectSlots.give(this.#userId, this.tally);
    });
    this.#evict(minToEvict);
    const isAnswerMissing = queue.sizeOf(this.#userId) > queue.readyOf(this.#userId);
    if (!isAnswerMissing || clock.now() >= this.#startedAtMs + new ProbeTiming(config).waitForUnknownMs) {
      this.#giveBacklogs(0);
      return;
    }
    this.#makeRoomSoon();
  }

  /** With what was read meanwhile. */
  #makeRoomSoon(): void {
    this.#after(newcomerPollMs, () => {
      this.#parts.clock.afterPoll(() => {
        if (!this.#isOver) this.#makeRoom(0);
      });
    });
  }

  /** One pass of the routine strategies. */
  #pass(findings: ProbeFindings = noFindings): void {
    this.#attempts += 1;
    this.#guarded(() => {
      this.#parts.userCleanup.clean(this.#userId, { trigger: this.#trigger, tally: this.tally, findings });
    });
  }

  #evict(minToEvict: number): void {
    this.#guarded(() => {
      const { userCleanup, queue } = this.#parts;
      const maxCount = Math.max(minToEvict, queue.readyOf(this.#userId));
      userCleanup.evict(this.#userId, { trigger: this.#trigger, tally: this.tally, maxCount });
    });
  }

  /**
   * While newcomers still wait: gives them the slots of connections whose unsent data has not moved for long enough, and
   * waits for the first such connection. Ends the run if none can come in time.
   * @param minMs how long to wait at least: 1 after a try, so that a slot that cannot be given does not keep the run going
   */
  #giveBacklogs(minMs: number): void {
    const { clock, config, suspectSlots, queue } = this.#parts;
    const endsAtMs = this.#startedAtMs + probeShare * config.emergencyCleanupTimeoutMs;
    const inMs = queue.readyOf(this.#userId) > 0 ? suspectSlots.nextBacklogInMs(this.#userId) : null;
    if (inMs === null || inMs < minMs || clock.now() + inMs > endsAtMs + 1) {
      this.#finishUnlessLedgerHasRoom();
      return;
    }
    this.#after(inMs, () => {
      clock.afterPoll(() => {
        if (this.#isOver) return;
        this.#guarded(() => {
          suspectSlots.giveBacklogs(this.#userId, this.tally);
        });
        this.#giveBacklogs(1);
      });
    });
  }

  /**
   * The run made no more room in this process. With a quota ledger, a slot may be free elsewhere, so the run goes on:
   * - while the ledger is being asked for a newcomer: if it denies, room can be made for that newcomer;
   * - until each process that holds slots of the user has said since the start of the run that it is alive: a process that
   *   does not say so has died, and its slots are free soon;
   * - until the ledger has been asked once more: its last denial may be out of date.
   */
  #finishUnlessLedgerHasRoom(): void {
    const { queue, confirmations } = this.#parts;
    if (queue.isAsked(this.#userId)) this.#makeRoomSoon();
    else if (queue.sizeOf(this.#userId) === 0) this.finish();
    else if (confirmations.mayBeFreeSoon(this.#userId, this.#startedAtMs))
      this.#after(newcomerPollMs, () => this.#finishUnlessLedgerHasRoom());
    else if (this.#isLastAsked) this.finish();
    else {
      this.#isLastAsked = true;
      confirmations.askAgain(this.#userId);
      this.#finishUnlessLedgerHasRoom();
    }
  }

  /** Reports an error instead of throwing it. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      const { events } = this.#parts;
      events.emit('cleanup.failed', { userId: this.#userId, trigger: this.#trigger, error: describe(error) });
    }
  }

  #summary(timedOut: boolean): Omit<EmergencyCleanupResult, 'chosen'> {
    return {
      userId: this.#userId,
      cleaned: this.tally.count,
      byStrategy: this.tally.byStrategy,
      attempts: this.#attempts,
      timedOut,
      durationMs: this.#parts.clock.now() - this.#startedAtMs,
      remaining: this.#parts.registry.countOf(this.#userId),
    };
  }
}
