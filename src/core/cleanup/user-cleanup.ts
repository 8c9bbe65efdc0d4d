import { levelFloorMs } from '../bounds.js';
import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { noFindings, type ProbeFindings } from '../liveness/probe.js';
import { sample } from '../liveness/silence.js';
import { engagementRuleOf, type EngagementRule } from '../managers/engagement.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import { usageRatio, type Thresholds } from '../pressure/level.js';
import type { LevelAction } from '../pressure/monitor.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import type { CleanupTrigger } from '../vocabulary.js';
import { idleRatios, levelEvictions } from './playbook.js';
import { oldest } from './strategies/oldest.js';
import type { CleanupContext, RoutineStrategy, Victim } from './strategies/victim.js';
import { chosenOf, Tally } from './tally.js';

interface UserCleanupParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  readonly thresholds: Thresholds;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
  /** Those of every cleanup, in their order. */
  readonly strategies: readonly RoutineStrategy[];
}

interface CleaningOrder {
  readonly trigger: CleanupTrigger;
  readonly tally: Tally;
  readonly findings?: ProbeFindings;
}

interface ChoosingOrder {
  readonly trigger: CleanupTrigger;
  readonly findings: ProbeFindings;
  readonly strategies: readonly RoutineStrategy[];
  /** How many are to go in all: if the strategies choose fewer, managers that are not engaged are evicted too. */
  readonly maxCount: number;
}

interface ReleaseOrder {
  readonly by: CleanupTrigger;
  /** `null`: the releases are not counted. */
  readonly tally: Tally | null;
  /** Whether freed slots go first to newcomers that have answered. @default false */
  readonly isForReady?: boolean;
}

interface EvictionOrder {
  readonly trigger: CleanupTrigger;
  readonly tally: Tally;
  readonly maxCount: number;
  /** @default the configured floor */
  readonly floorMs?: number;
}

/** Applies strategies to one user's managers: each strategy only chooses, then its choice is released. */
export class UserCleanup {
  readonly #parts: UserCleanupParts;

  constructor(parts: UserCleanupParts) {
    this.#parts = parts;
  }

  /**
   * Applies the routine strategies in the order of their table. How long a manager may be idle
   * depends on the trigger: its whole idle timeout in the background, a part of it (`patienceRatio`) under pressure.
   */
  clean(userId: string, { trigger, tally, findings = noFindings }: CleaningOrder): void {
    this.#sampleAll(userId);
    const context = this.#context(trigger, findings);
    for (const { choose } of this.#parts.strategies)
      this.release(choose(this.#managersOf(userId), context), { by: trigger, tally });
  }

  /**
   * The cleanup that a rising level starts: the routine strategies and, under `forcedEviction: 'by-level'`, evictions. It
   * pings no connection and waits for nothing. Never throws.
   */
  cleanForLevel(action: LevelAction): void {
    const { clock, events, registry, config } = this.#parts;
    const { userId } = action;
    const tally = new Tally(0);
    const startedAtMs = clock.now();
    try {
      this.clean(userId, { trigger: 'level', tally });
      if (config.forcedEviction === 'by-level' && !action.isLowered) this.#evictForLevel(action, tally);
    } catch (error) {
      events.emit('cleanup.failed', { userId, trigger: 'level', error: describe(error) });
    }
    events.emit('cleanup.completed', {
      userId,
      trigger: 'level',
      cleaned: tally.count,
      byStrategy: tally.byStrategy,
      attempts: 1,
      timedOut: false,
      durationMs: clock.now() - startedAtMs,
      remaining: registry.countOf(userId),
    });
  }

  /** The managers that some strategies, and an eviction, would release now, each once. Releases none. */
  choose(userId: string, { trigger, findings, strategies, maxCount }: ChoosingOrder): Victim[] {
    this.#sampleAll(userId);
    const context = this.#context(trigger, findings);
    const chosen = new Map<WebSocketManager, Victim>();
    const note = (victims: readonly Victim[]): void => {
      for (const victim of victims) if (!chosen.has(victim.manager)) chosen.set(victim.manager, victim);
    };
    for (const strategy of strategies) note(strategy.choose(this.#managersOf(userId), context));
    const others = [...this.#managersOf(userId)].filter((manager) => !chosen.has(manager));
    note(oldest(others, context, maxCount - chosen.size));
    return [...chosen.values()];
  }

  /** This manager, if one of the strategies would release it now; else `null`. */
  chooseOne(manager: WebSocketManager, trigger: CleanupTrigger, strategies = this.#parts.strategies): Victim | null {
    if (manager.connection !== null) sample(manager.connection);
    const context = this.#context(trigger, noFindings);
    for (const { choose } of strategies) for (const victim of choose([manager], context)) return victim;
    return null;
  }

  /** Releases the chosen managers. */
  release(victims: readonly Victim[], { by, tally, isForReady = false }: ReleaseOrder): void {
    const { lifecycle, clock } = this.#parts;
    for (const victim of victims) {
      const { manager, reason, closeCause, limitMs, finding } = victim;
      const chosen = chosenOf(victim, clock.now());
      if (lifecycle.release(manager, reason, { closeCause, limitMs, finding, by, isForReady })) tally?.add(chosen);
    }
  }

  /** As {@link clean} in the background, for one manager only. @returns whether it was released */
  cleanOne(manager: WebSocketManager, tally: Tally): boolean {
    const victim = this.chooseOne(manager, 'background');
    if (victim !== null) this.release([victim], { by: 'background', tally });
    return manager.isReleased;
  }

  /**
   * Forced eviction of up to `maxCount` managers that are not engaged, which means not in use. A manager is engaged for
   * `floorMs` after its client was last active, while something streams to it, and while the application holds it
   * ({@link EngagementRule} has the details).
   */
  evict(userId: string, { trigger, tally, maxCount, floorMs }: EvictionOrder): void {
    this.#sampleAll(userId);
    const engagement = this.engagement(floorMs);
    this.release(oldest(this.#managersOf(userId), { engagement }, maxCount), { by: trigger, tally, isForReady: true });
  }

  /** Which managers count as engaged. @param floorMs @default the configured floor */
  engagement(floorMs?: number): EngagementRule {
    return engagementRuleOf(this.#parts.config, floorMs);
  }

  #evictForLevel({ userId, level, maxManagers }: LevelAction, tally: Tally): void {
    const { registry, thresholds, config } = this.#parts;
    const floorMs = levelFloorMs(config);
    for (const { applies, keep, maxCount } of levelEvictions[level]) {
      const count = registry.countOf(userId);
      if (!applies(usageRatio(count, maxManagers), thresholds)) continue;
      const excess = count - keep(maxManagers, thresholds);
      this.evict(userId, { trigger: 'level', tally, maxCount: Math.min(maxCount, excess), floorMs });
    }
  }

  #managersOf(userId: string): Iterable<WebSocketManager> {
    return this.#parts.registry.ofUser(userId).values();
  }

  #sampleAll(userId: string): void {
    for (const { connection } of this.#managersOf(userId)) if (connection !== null) sample(connection);
  }

  #context(trigger: CleanupTrigger, findings: ProbeFindings): CleanupContext {
    const { config, clock } = this.#parts;
    return {
      nowMs: clock.now(),
      idleRatio: idleRatios[trigger](config),
      reportedErrorTimeoutMs: config.reportedErrorTimeoutMs,
      engagement: this.engagement(),
      ...findings,
    };
  }
}
