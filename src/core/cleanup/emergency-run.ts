import { describe, type CleanupTrigger, type EventStream, type StrategyTally } from '../events.js';
import { ProbePatience, type Patience } from '../liveness/patience.js';
import { noFindings, Probe, type ProbeFindings, type ProbeParts } from '../liveness/probe.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';
import type { Timer } from '../time.js';
import { Tally } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';

/** How an emergency cleanup ended. @source spec section 5 */
export interface EmergencyCleanupResult {
  readonly userId: string;
  /** Managers released. */
  readonly cleaned: number;
  readonly byStrategy: StrategyTally;
  /** Passes made. */
  readonly attempts: number;
  /** Whether it was cut off at `emergencyCleanupTimeoutMs`. */
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** Managers left to the user. */
  readonly remaining: number;
}

/** What somebody who asks for a cleanup wants beyond the harmless part. With both, no more than either allows. */
export interface EvictionRequest {
  /** Evict up to this many managers that are not engaged. */
  readonly evict?: number;
  /** Evict managers that are not engaged until this many are left. */
  readonly keep?: number;
}

/** How many somebody wants evicted, at most, of so many managers. */
export function mostToEvict({ evict, keep }: EvictionRequest, count: number): number {
  if (evict === undefined && keep === undefined) return 0;
  return Math.min(evict ?? Infinity, count - (keep ?? 0));
}

/** Where newcomers wait, as cleanup sees it. */
export interface WaitingRoom {
  /** How many of the user's newcomers wait now. */
  sizeOf(userId: string): number;
}

/** What runs share. */
export interface RunParts extends ProbeParts {
  readonly events: EventStream;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
  readonly waitingRoom: WaitingRoom;
}

/**
 * One emergency cleanup of one user: a pass at once, one after the first ping of a probe, one after the second, and
 * forced eviction only in the last. It ends early once nobody wants it any longer.
 * @source seed fix 1; spec section 5 "Emergency cleanup"
 */
export class EmergencyRun {
  readonly #parts: RunParts;
  readonly #userId: string;
  readonly #whenOver: (run: EmergencyRun) => void;
  readonly #patience: ProbePatience;
  readonly #tally = new Tally();
  readonly #probes = new Set<Probe>();
  readonly #waiters: ((result: EmergencyCleanupResult) => void)[] = [];
  readonly #wishes: EvictionRequest[] = [];
  #isRequested = false;
  #attempts = 0;
  #startedAtMs: number;
  #deadline: Timer | null = null;
  #isOver = false;
  /** Its place in the order of everything; places taken earlier are settled when it ends. 0 until it starts. */
  serial = 0;

  constructor(parts: RunParts, userId: string, whenOver: (run: EmergencyRun) => void) {
    this.#parts = parts;
    this.#patience = new ProbePatience(parts.config);
    this.#userId = userId;
    this.#whenOver = whenOver;
    this.#startedAtMs = parts.clock.now();
  }

  get userId(): string {
    return this.#userId;
  }

  get #trigger(): CleanupTrigger {
    return this.#isRequested ? 'request' : 'admission';
  }

  /** Somebody who wants the result joins: whoever wants the most evicted gets it. */
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
    this.#deadline = clock.setTimer(() => {
      this.finish(true);
    }, config.emergencyCleanupTimeoutMs);
    if (config.maxCleanupRetries > 1) this.#pass();
    if (!this.#isNeeded()) this.finish();
    else
      this.#whenPolled(() => {
        this.#probe();
      });
  }

  /** Right after a stall, bytes that came before it may not have been read; as an answer to a ping they would be stale. */
  #whenPolled(act: () => void): void {
    const { clock, config } = this.#parts;
    if (clock.now() - clock.lastStallEndedAtMs < config.probeTimeoutMs) clock.afterPoll(act);
    else act();
  }

  /** Ends it now, whatever is still open. */
  finish(timedOut = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.cancel();
    for (const probe of this.#probes) probe.cancel();
    const result = this.#result(timedOut);
    this.#whenOver(this);
    this.#parts.events.emit('cleanup.completed', { ...result, trigger: this.#trigger });
    for (const resolve of this.#waiters) resolve(result);
  }

  /** The quick are judged without waiting for the slow, where there is a pass for each. */
  #probe(): void {
    if (this.#isOver) return;
    const { maxCleanupRetries } = this.#parts.config;
    const { fast, slow, slowestMs } = this.#sortBySpeed();
    const { usual } = this.#patience;
    const hasMiddlePass = maxCleanupRetries > 2;
    if (slow.length === 0) this.#newProbe(fast, usual, hasMiddlePass);
    else if (!hasMiddlePass) this.#newProbe([...fast, ...slow], this.#patience.with(slowestMs));
    else {
      this.#newProbe(fast, usual);
      this.#newProbe(slow, this.#patience.with(slowestMs));
    }
    for (const probe of [...this.#probes]) probe.start();
  }

  #newProbe(links: ManagedConnection[], patience: Patience, passesHalfway = false): void {
    const probe: Probe = new Probe(this.#parts, {
      links,
      ...patience,
      ...(passesHalfway && {
        onHalf: () => {
          this.#middlePass();
        },
      }),
      onDone: (findings) => {
        this.#probed(probe, findings);
      },
    });
    this.#probes.add(probe);
  }

  #probed(probe: Probe, findings: ProbeFindings): void {
    this.#probes.delete(probe);
    if (this.#probes.size > 0) {
      this.#middlePass(findings);
      return;
    }
    this.#pass(findings);
    this.#makeRoom();
    this.finish();
  }

  #middlePass(findings?: ProbeFindings): void {
    this.#pass(findings);
    if (!this.#isNeeded()) this.finish();
  }

  /** One pass. What it throws is reported; what it had released stays counted. */
  #pass(findings: ProbeFindings = noFindings): void {
    this.#attempts += 1;
    this.#guarded(() => {
      this.#parts.userCleanup.clean(this.#userId, { trigger: this.#trigger, tally: this.#tally, findings });
    });
  }

  #makeRoom(): void {
    this.#guarded(() => {
      const { registry, userCleanup, waitingRoom } = this.#parts;
      const count = registry.countOf(this.#userId);
      const waiting = waitingRoom.sizeOf(this.#userId);
      const most = this.#wishes.reduce((strongest, wish) => Math.max(strongest, mostToEvict(wish, count)), waiting);
      userCleanup.evict(this.#userId, { trigger: this.#trigger, tally: this.#tally, most });
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

  #isNeeded(): boolean {
    return this.#isRequested || this.#parts.waitingRoom.sizeOf(this.#userId) > 0;
  }

  /** Who gets longer; with one too slow for the run's time, it is not asked. */
  #sortBySpeed(): { fast: ManagedConnection[]; slow: ManagedConnection[]; slowestMs: number } {
    const patience = this.#patience;
    const fast: ManagedConnection[] = [];
    const slow: ManagedConnection[] = [];
    let slowestMs = 0;
    for (const { link } of this.#parts.registry.ofUser(this.#userId).values()) {
      if (link === null || patience.isTooSlow(link.roundTripMs)) continue;
      const roundTripMs = patience.roundTripOf(link);
      (patience.isUsual(roundTripMs) ? fast : slow).push(link);
      slowestMs = Math.max(slowestMs, roundTripMs);
    }
    return { fast, slow, slowestMs };
  }

  #result(timedOut: boolean): EmergencyCleanupResult {
    return {
      userId: this.#userId,
      cleaned: this.#tally.cleaned,
      byStrategy: this.#tally.byStrategy,
      attempts: this.#attempts,
      timedOut,
      durationMs: this.#parts.clock.now() - this.#startedAtMs,
      remaining: this.#parts.registry.countOf(this.#userId),
    };
  }
}
