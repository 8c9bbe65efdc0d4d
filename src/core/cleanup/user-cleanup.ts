import { evictionFloorMs } from '../config.js';
import type { CleanupTrigger } from '../events.js';
import { noFindings, type ProbeFindings } from '../liveness/probe.js';
import { sample } from '../liveness/silence.js';
import type { EngagementRule } from '../managers/engagement.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { Releaser } from '../managers/release.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import { harmless, patience } from './playbook.js';
import { oldest } from './strategies/oldest.js';
import type { Sight, Strategy, Victim } from './strategies/victim.js';
import type { Tally } from './tally.js';

interface UserCleanupOptions {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly releaser: Releaser;
}

/** For whom it is done, where it is counted, and what a probe told. */
export interface CleaningOrder {
  readonly trigger: CleanupTrigger;
  readonly tally: Tally;
  readonly findings?: ProbeFindings;
}

/** Applies strategies to one user's managers: each chooses purely, then its choice is released. */
export class UserCleanup {
  readonly #options: UserCleanupOptions;

  constructor(options: UserCleanupOptions) {
    this.#options = options;
  }

  /** Releases what is dead, idle for whoever asks, or in error. */
  clean(userId: string, { trigger, tally, findings = noFindings }: CleaningOrder): void {
    this.#sampleAll(userId);
    const sight = this.#sight(trigger, findings);
    for (const strategy of harmless) this.#apply(strategy, userId, { sight, tally });
  }

  /** As {@link clean} in the background, for one manager only. @returns whether it was released */
  cleanOne(manager: WebSocketManager, tally: Tally): boolean {
    if (manager.link !== null) sample(manager.link);
    const sight = this.#sight('background', noFindings);
    for (const strategy of harmless) this.#release(strategy([manager], sight), tally);
    return manager.isReleased;
  }

  /** Forced eviction of up to `most` managers that have not been engaged for `floorMs`. */
  evict(userId: string, tally: Tally, { most, floorMs }: { most: number; floorMs?: number }): void {
    this.#sampleAll(userId);
    const engagement = this.engagement(floorMs);
    this.#release(oldest(this.#managersOf(userId), { engagement }, most), tally);
  }

  /** What counts as engaged. @param floorMs @default the configured floor */
  engagement(floorMs = evictionFloorMs(this.#options.config)): EngagementRule {
    const { streamingWindowMs, idleManagerTimeoutMs } = this.#options.config;
    return { floorMs, streamingWindowMs, idleManagerTimeoutMs };
  }

  #apply(strategy: Strategy, userId: string, { sight, tally }: { sight: Sight; tally: Tally }): void {
    this.#release(strategy(this.#managersOf(userId), sight), tally);
  }

  #release(victims: readonly Victim[], tally: Tally): void {
    for (const { manager, strategy, reason, closeCause } of victims) {
      if (this.#options.releaser.release(manager, reason, { closeCause })) tally.add(strategy);
    }
  }

  #managersOf(userId: string): Iterable<WebSocketManager> {
    return this.#options.registry.ofUser(userId).values();
  }

  #sampleAll(userId: string): void {
    for (const { link } of this.#managersOf(userId)) if (link !== null) sample(link);
  }

  #sight(trigger: CleanupTrigger, findings: ProbeFindings): Sight {
    const { config, clock } = this.#options;
    return {
      nowMs: clock.now(),
      idleLimitMs: patience[trigger](config),
      reportedErrorTimeoutMs: config.reportedErrorTimeoutMs,
      engagement: this.engagement(),
      ...findings,
    };
  }
}
