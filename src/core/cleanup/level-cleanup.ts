import { levelFloorMs } from '../bounds.js';
import type { EventStream } from '../events.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { LevelAction } from '../pressure/monitor.js';
import { usageRatio, type Thresholds } from '../pressure/level.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import { levelEvictions } from './playbook.js';
import { Tally } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';
import { describe } from '../errors.js';

interface LevelCleanupParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly config: WebSocketConfig;
  readonly thresholds: Thresholds;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
}

/**
 * What a rising level does: the routine strategies and, under `forcedEviction: 'by-level'`, evictions. It pings
 * no connection and waits for nothing.
 */
export class LevelCleanup {
  readonly #parts: LevelCleanupParts;

  constructor(parts: LevelCleanupParts) {
    this.#parts = parts;
  }

  /** Never throws. */
  act(action: LevelAction): void {
    const { clock, events, registry, config } = this.#parts;
    const { userId } = action;
    const tally = new Tally(0);
    const startedAtMs = clock.now();
    try {
      this.#parts.userCleanup.clean(userId, { trigger: 'level', tally });
      if (config.forcedEviction === 'by-level' && !action.isLowered) this.#evict(action, tally);
    } catch (error) {
      events.emit('cleanup.failed', { userId, trigger: 'level', error: describe(error) });
    }
    events.emit('cleanup.completed', {
      userId,
      trigger: 'level',
      cleaned: tally.cleaned,
      byStrategy: tally.byStrategy,
      attempts: 1,
      timedOut: false,
      durationMs: clock.now() - startedAtMs,
      remaining: registry.countOf(userId),
    });
  }

  #evict({ userId, level, maxManagers }: LevelAction, tally: Tally): void {
    const { registry, userCleanup, thresholds, config } = this.#parts;
    for (const { applies, keep, maxCount } of levelEvictions[level]) {
      const count = registry.countOf(userId);
      if (!applies(usageRatio(count, maxManagers), thresholds)) continue;
      const excess = count - keep(maxManagers, thresholds);
      const floorMs = levelFloorMs(config);
      userCleanup.evict(userId, { trigger: 'level', tally, maxCount: Math.min(maxCount, excess), floorMs });
    }
  }
}
