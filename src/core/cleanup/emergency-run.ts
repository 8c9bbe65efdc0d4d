import type { EventStream } from '../events.js';
import { ProbeTiming } from '../liveness/probe-timing.js';
import { noFindings, Probe, probeShare, type ProbeFindings, type ProbeParts } from '../liveness/probe.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';
import type { Timer } from '../time.js';
import { newcomerPollMs, type SuspectPlaces, type WaitingRoom } from './suspect-places.js';
import type { Chosen } from './chosen.js';
import { Tally } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';
import { describe } from '../errors.js';
import type { CleanupTrigger, StrategyTally } from '../vocabulary.js';

/** How an emergency cleanup ended. */
export interface EmergencyCleanupResult {
  readonly userId: string;
  /** Managers released. */
  readonly cleaned: number;
  /** These managers, with the figures that decided it. */
  readonly chosen: readonly Chosen[];
  readonly byStrategy: StrategyTally;
  /** Passes made. */
  readonly attempts: number;
  /** Whether it was cut off at `emergencyCleanupTimeoutMs`. */
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** Managers left to the user. */
  readonly remaining: number;
}

/** How many managers a caller wants evicted beyond the routine strategies. With both fields, no more than either allows. */
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

/** What runs share. */
export interface RunParts extends Omit<ProbeParts, 'config'> {
  readonly events: EventStream;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
  readonly suspectPlaces: SuspectPlaces;
  readonly waitingRoom: WaitingRoom;
}

/**
 * One emergency cleanup of one user. It makes a pass at once, one when a probe's second pings leave, and one when the
 * probe is over; forced eviction comes with the last. The place of a suspect goes to a newcomer in the moment it is one,
 * whatever the pass. After the last pass, connections whose unsent data stands still give up theirs. It ends early when
 * no newcomer waits any longer and nobody asked for its result; whom it had asked twice by then can still become a suspect.
 */
export class EmergencyRun {
  readonly #parts: RunParts;
  readonly #userId: string;
  readonly #whenOver: (run: EmergencyRun) => void;
  readonly #waiters: ((result: EmergencyCleanupResult) => void)[] = [];
  readonly #wishes: EvictionRequest[] = [];
  readonly #timers = new Set<Timer>();
  #probe: Probe | null = null;
  #isRequested = false;
  #attempts = 0;
  #startedAtMs: number;
  #isOver = false;
  /** What it has released so far. */
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

  /** Whether a newcomer waits, or a caller asked for its result. */
  get isNeeded(): boolean {
    return this.#isRequested || this.#parts.waitingRoom.sizeOf(this.#userId) > 0;
  }

  get #trigger(): CleanupTrigger {
    return this.#isRequested ? 'request' : 'admission';
  }

  /** Joins a caller to this run. If callers ask for different evictions, the largest wins. */
  join(wanted: EvictionRequest): Promise<EmergencyCleanupResult> {
    this.#isRequested = true;
    this.#wishes.push(wanted);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Makes the first pass and sends the first pings. */
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
        this.#ask();
      });
  }

  /** Ends it now, whatever is still open. */
  finish(timedOut = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#probe?.askNoMore();
    const said = this.#summary(timedOut);
    const result = { ...said, chosen: this.tally.chosen };
    this.#whenOver(this);
    this.#parts.events.emit('cleanup.completed', { ...said, trigger: this.#trigger });
    for (const resolve of this.#waiters) resolve(result);
  }

  /** Ends it if no newcomer and no caller needs it any longer. */
  finishUnlessNeeded(): void {
    if (this.serial > 0 && !this.isNeeded) this.finish();
  }

  #after(delayMs: number, act: () => void): void {
    const timer = this.#parts.clock.setTimer(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Right after a stall, bytes that came before it may not have been read; as an answer to a ping they would be stale. */
  #whenPolled(act: () => void): void {
    const { clock, config } = this.#parts;
    if (clock.now() - clock.lastStallEndedAtMs < config.probeTimeoutMs) clock.afterPoll(act);
    else act();
  }

  /** Asks every connection, and every newcomer that waits as an open socket. */
  #ask(): void {
    if (this.#isOver) return;
    const { registry, suspectPlaces, config } = this.#parts;
    suspectPlaces.askNewcomers(this.#userId);
    this.#probe = new Probe(this.#parts, {
      connections: registry.connectionsOf(this.#userId),
      onDone: (findings) => {
        this.#asked(findings);
      },
    });
    if (config.maxCleanupRetries > 2) {
      this.#after(config.probeTimeoutMs, () => {
        this.#pass();
        this.finishUnlessNeeded();
      });
    }
    this.#probe.start();
  }

  /** Every connection has answered, gone, become a suspect or is excused; for callers, all suspects are released. */
  #asked({ silent, stuck }: ProbeFindings): void {
    if (this.#isOver) return;
    this.#pass({ stuck, silent: this.#isRequested ? silent : noFindings.silent });
    const count = this.#parts.registry.countOf(this.#userId);
    this.#settleNewcomers(this.#wishes.reduce((wanted, wish) => Math.max(wanted, maxToEvict(wish, count)), 0));
  }

  /**
   * Makes room for the newcomers that were heard of. Those that were accepted and have not answered yet are waited for as
   * long as a connection whose round trip is not known.
   * @param minToEvict how many the callers of the run want evicted
   */
  #settleNewcomers(minToEvict: number): void {
    const { clock, config, suspectPlaces, waitingRoom } = this.#parts;
    // One that has just been heard of may have been waiting beside a suspect.
    this.#guarded(() => {
      suspectPlaces.give(this.#userId, this.tally);
    });
    this.#makeRoom(minToEvict);
    const isAnswerMissing = waitingRoom.sizeOf(this.#userId) > waitingRoom.heardOf(this.#userId);
    if (!isAnswerMissing || clock.now() >= this.#startedAtMs + new ProbeTiming(config).withUnknownMs) {
      this.#giveBacklogs(0);
      return;
    }
    this.#after(newcomerPollMs, () => {
      clock.afterPoll(() => {
        if (!this.#isOver) this.#settleNewcomers(0);
      });
    });
  }

  /** One pass. What it throws is reported; what it had released stays counted. */
  #pass(findings: ProbeFindings = noFindings): void {
    this.#attempts += 1;
    this.#guarded(() => {
      this.#parts.userCleanup.clean(this.#userId, { trigger: this.#trigger, tally: this.tally, findings });
    });
  }

  #makeRoom(minToEvict: number): void {
    this.#guarded(() => {
      const { userCleanup, waitingRoom } = this.#parts;
      const maxCount = Math.max(minToEvict, waitingRoom.heardOf(this.#userId));
      userCleanup.evict(this.#userId, { trigger: this.#trigger, tally: this.tally, maxCount });
    });
  }

  /**
   * The last ones, while newcomers still wait: waits until the first backlog has stood for long enough, then looks again.
   * @param minMs 1 after a look, so that what could not be given is not looked at for ever
   */
  #giveBacklogs(minMs: number): void {
    const { clock, config, suspectPlaces, waitingRoom } = this.#parts;
    const endsAtMs = this.#startedAtMs + probeShare * config.emergencyCleanupTimeoutMs;
    const inMs = waitingRoom.heardOf(this.#userId) > 0 ? suspectPlaces.nextBacklogInMs(this.#userId) : null;
    if (inMs === null || inMs < minMs || clock.now() + inMs > endsAtMs + 1) {
      this.finish();
      return;
    }
    this.#after(inMs, () => {
      clock.afterPoll(() => {
        if (this.#isOver) return;
        this.#guarded(() => {
          suspectPlaces.giveBacklogs(this.#userId, this.tally);
        });
        this.#giveBacklogs(1);
      });
    });
  }

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
      cleaned: this.tally.cleaned,
      byStrategy: this.tally.byStrategy,
      attempts: this.#attempts,
      timedOut,
      durationMs: this.#parts.clock.now() - this.#startedAtMs,
      remaining: this.#parts.registry.countOf(this.#userId),
    };
  }
}
