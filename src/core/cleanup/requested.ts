import type { EventStream } from '../events.js';
import { noFindings, Probe, type ProbeFindings, type ProbeParts } from '../liveness/probe.js';
import type { ManagerRegistry } from '../managers/registry.js';
import { routineStrategyNames, type RoutineStrategyName, type StrategyTally } from '../vocabulary.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { WebSocketResourceMonitor } from '../pressure/monitor.js';
import type { WebSocketConfig } from '../settings.js';
import type { Slices } from '../slices.js';
import { chosenOf, type Chosen } from './chosen.js';
import { checkEviction } from './emergency.js';
import { maxToEvict, type EvictionRequest } from './emergency-run.js';
import { strategiesByName } from './playbook.js';
import { errored } from './strategies/errored.js';
import { idle } from './strategies/idle.js';
import type { Victim } from './strategies/victim.js';
import { Tally } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';

/** What a background cycle would do now. */
export interface BackgroundPreview {
  /** The first {@link maxListed} of them. */
  readonly chosen: readonly Chosen[];
  /** By strategy, all of them. */
  readonly byStrategy: StrategyTally;
  /** How many, and of how many users. */
  readonly count: number;
  readonly users: number;
}

/** How many managers a preview of a background cycle lists at most. */
export const maxListed = 1_000;

/** What is wanted of a cleanup of one user. */
export interface CleanupRequest {
  /** @default all that cannot hurt a connection in use */
  readonly strategies?: readonly RoutineStrategyName[];
  /** Only choose, and release none. @default false */
  readonly dryRun?: boolean;
}

/** How a cleanup of one user went, or would go. */
export interface CleanupResult {
  readonly userId: string;
  readonly dryRun: boolean;
  readonly chosen: readonly Chosen[];
  /** Managers released; none by a dry run. */
  readonly cleaned: number;
  /** By strategy, those chosen. */
  readonly byStrategy: StrategyTally;
  readonly durationMs: number;
  /** Managers left to the user; of a dry run, that would be. */
  readonly remaining: number;
}

interface RequestedParts extends ProbeParts {
  readonly events: EventStream;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
  readonly slices: Slices;
  readonly monitor: Pick<WebSocketResourceMonitor, 'isPressed'>;
}

interface Order {
  readonly userId: string;
  readonly trigger: 'background' | 'request';
  readonly strategies: readonly RoutineStrategyName[];
  readonly wanted: EvictionRequest;
  readonly dryRun: boolean;
}

/**
 * Cleanups that a person asks for, and previews of all cleanups. Connections are pinged before they are judged alive or
 * dead, since only an answer counts; a dry run pings too, and releases none.
 */
export class RequestedCleanup {
  readonly #parts: RequestedParts;
  /** Probes under way, and the callbacks that wait for them. */
  readonly #probes = new Map<Probe, (findings: ProbeFindings) => void>();
  #isStopped = false;

  constructor(parts: RequestedParts) {
    this.#parts = parts;
  }

  /** Dead connections, and what is idle or in error by the measure of the background cleanup. Never rejects. */
  clean(
    userId: string,
    { strategies = routineStrategyNames, dryRun = false }: CleanupRequest = {},
  ): Promise<CleanupResult> {
    return this.#run({ userId, trigger: 'background', strategies, wanted: {}, dryRun });
  }

  /** What an emergency cleanup with this wish would do now. Never rejects. @throws TypeError as that does */
  previewEmergency(userId: string, wanted: EvictionRequest = {}): Promise<CleanupResult> {
    checkEviction(wanted);
    return this.#run({ userId, trigger: 'request', strategies: routineStrategyNames, wanted, dryRun: true });
  }

  /**
   * What a background cycle would do now, level by level: a walk through all managers, in slices, that changes nothing.
   * Never rejects.
   */
  previewBackground(): Promise<BackgroundPreview> {
    const { slices, registry, userCleanup, monitor, clock } = this.#parts;
    const tally = new Tally(maxListed);
    const users = new Set<string>();
    const everybody: Iterator<WebSocketManager, void> = registry.all();
    const step = (): boolean => {
      const { done, value: manager } = everybody.next();
      if (done === true) return false;
      const trigger = monitor.isPressed(manager.userId) ? 'level' : 'background';
      // In the background only what is due is looked at; what is found then may also turn out to be closed.
      const isLookedAt = trigger === 'level' || userCleanup.chooseOne(manager, trigger, [idle, errored]) !== null;
      const victim = isLookedAt ? userCleanup.chooseOne(manager, trigger) : null;
      if (victim === null) return true;
      tally.add(chosenOf(victim, clock.now()));
      users.add(manager.userId);
      return true;
    };
    return new Promise((resolve) => {
      slices.run(step, () => {
        const { chosen, byStrategy, cleaned: count } = tally;
        resolve({ chosen, byStrategy, count, users: users.size });
      });
    });
  }

  /** Leaves no timer. Probes under way end without findings. */
  stop(): void {
    this.#isStopped = true;
    for (const [probe, resolve] of this.#probes) {
      probe.cancel();
      resolve(noFindings);
    }
    this.#probes.clear();
  }

  async #run(order: Order): Promise<CleanupResult> {
    const { clock, registry, userCleanup } = this.#parts;
    const { userId, strategies, dryRun } = order;
    const startedAtMs = clock.now();
    const findings = strategies.includes('disconnected') ? await this.#ask(userId) : noFindings;
    const victims = this.#choose(order, findings);
    const tally = new Tally();
    if (dryRun) for (const victim of victims) tally.add(chosenOf(victim, clock.now()));
    else userCleanup.release(victims, { by: 'request', tally });
    const { byStrategy, chosen } = tally;
    const cleaned = dryRun ? 0 : tally.cleaned;
    const remaining = registry.countOf(userId) - (dryRun ? chosen.length : 0);
    const result = { userId, dryRun, chosen, cleaned, byStrategy, durationMs: clock.now() - startedAtMs, remaining };
    if (!dryRun) this.#announce(result);
    return result;
  }

  #choose({ userId, trigger, strategies, wanted }: Order, findings: ProbeFindings): Victim[] {
    const { registry, userCleanup } = this.#parts;
    const maxCount = maxToEvict(wanted, registry.countOf(userId));
    return userCleanup.choose(userId, {
      trigger,
      findings,
      maxCount,
      strategies: strategies.map((name) => strategiesByName[name]),
    });
  }

  #ask(userId: string): Promise<ProbeFindings> {
    if (this.#isStopped) return Promise.resolve(noFindings);
    const connections = this.#parts.registry.connectionsOf(userId);
    return new Promise((resolve) => {
      const onDone = (findings: ProbeFindings): void => {
        this.#probes.delete(probe);
        resolve(findings);
      };
      const probe: Probe = new Probe(this.#parts, { connections, onDone });
      this.#probes.set(probe, resolve);
      probe.start();
    });
  }

  #announce({ userId, cleaned, byStrategy, durationMs, remaining }: CleanupResult): void {
    const said = { cleaned, byStrategy, attempts: 1, timedOut: false, durationMs, remaining };
    this.#parts.events.emit('cleanup.completed', { userId, trigger: 'request', ...said });
  }
}
