import type { CleanupTrigger } from '../vocabulary.js';
import { noFindings, type ProbeFindings } from '../liveness/probe.js';
import { sample } from '../liveness/silence.js';
import { engagementRuleOf, type EngagementRule } from '../managers/engagement.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import { chosenOf } from './chosen.js';
import { idleRatios, routineStrategies } from './playbook.js';
import { oldest } from './strategies/oldest.js';
import type { CleanupContext, Strategy, Victim } from './strategies/victim.js';
import type { Tally } from './tally.js';

interface UserCleanupParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
}

/** Why managers are cleaned up, where releases are counted, and what a probe found. */
export interface CleaningOrder {
  readonly trigger: CleanupTrigger;
  readonly tally: Tally;
  readonly findings?: ProbeFindings;
}

/** What a choice goes by. */
export interface ChoosingOrder {
  readonly trigger: CleanupTrigger;
  readonly findings?: ProbeFindings;
  /** @default all routine ones */
  readonly strategies?: readonly Strategy[];
  /** How many are to go in all: if strategies choose fewer, managers that are not engaged are evicted too. @default 0 */
  readonly maxCount?: number;
}

/** What releases, and where it is counted. */
interface ReleaseOrder {
  readonly by: CleanupTrigger;
  readonly tally: Tally;
  /** Whether freed places are for newcomers that were heard of. @default false */
  readonly isForHeard?: boolean;
}

/** How many may be evicted, and why. */
export interface EvictionOrder {
  readonly trigger: CleanupTrigger;
  readonly tally: Tally;
  readonly maxCount: number;
  /** @default the configured floor */
  readonly floorMs?: number;
}

/** Applies strategies to one user's managers: each chooses purely, then its choice is released. */
export class UserCleanup {
  readonly #parts: UserCleanupParts;

  constructor(parts: UserCleanupParts) {
    this.#parts = parts;
  }

  /** Releases managers that are dead, in error, or idle for longer than this cleanup allows. */
  clean(userId: string, { trigger, tally, findings = noFindings }: CleaningOrder): void {
    this.#sampleAll(userId);
    const context = this.#context(trigger, findings);
    for (const strategy of routineStrategies)
      this.release(strategy(this.#managersOf(userId), context), { by: trigger, tally });
  }

  /** The managers that some strategies, and an eviction, would release now, each once. Releases none. */
  choose(
    userId: string,
    { trigger, findings = noFindings, strategies = routineStrategies, maxCount = 0 }: ChoosingOrder,
  ): Victim[] {
    this.#sampleAll(userId);
    const context = this.#context(trigger, findings);
    const chosen = new Map<WebSocketManager, Victim>();
    const note = (victims: readonly Victim[]): void => {
      for (const victim of victims) if (!chosen.has(victim.manager)) chosen.set(victim.manager, victim);
    };
    for (const strategy of strategies) note(strategy(this.#managersOf(userId), context));
    const others = [...this.#managersOf(userId)].filter((manager) => !chosen.has(manager));
    note(oldest(others, context, maxCount - chosen.size));
    return [...chosen.values()];
  }

  /** Whether some strategies would release this manager now, and which of them. */
  chooseOne(manager: WebSocketManager, trigger: CleanupTrigger, strategies = routineStrategies): Victim | null {
    if (manager.connection !== null) sample(manager.connection);
    const context = this.#context(trigger, noFindings);
    for (const strategy of strategies) for (const victim of strategy([manager], context)) return victim;
    return null;
  }

  /** Releases the chosen managers. */
  release(victims: readonly Victim[], { by, tally, isForHeard = false }: ReleaseOrder): void {
    const { lifecycle, clock } = this.#parts;
    for (const victim of victims) {
      const { manager, reason, closeCause, limitMs, finding } = victim;
      const chosen = chosenOf(victim, clock.now());
      if (lifecycle.release(manager, reason, { closeCause, limitMs, finding, by, isForHeard })) tally.add(chosen);
    }
  }

  /** As {@link clean} in the background, for one manager only. @returns whether it was released */
  cleanOne(manager: WebSocketManager, tally: Tally): boolean {
    const victim = this.chooseOne(manager, 'background');
    if (victim !== null) this.release([victim], { by: 'background', tally });
    return manager.isReleased;
  }

  /** Forced eviction of up to `maxCount` managers that have not been engaged for `floorMs`. */
  evict(userId: string, { trigger, tally, maxCount, floorMs }: EvictionOrder): void {
    this.#sampleAll(userId);
    const engagement = this.engagement(floorMs);
    this.release(oldest(this.#managersOf(userId), { engagement }, maxCount), { by: trigger, tally, isForHeard: true });
  }

  /** What counts as engaged. @param floorMs @default the configured floor */
  engagement(floorMs?: number): EngagementRule {
    return engagementRuleOf(this.#parts.config, floorMs);
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
