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

interface LevelCleanupOptions {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly config: WebSocketConfig;
  readonly thresholds: Thresholds;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
}

/**
 * What a rising level does: everything that cannot hurt a connection in use and, if so configured, the seed's
 * evictions. It asks nobody and waits for nothing.
 * @source seed fix 4, `_handle_resource_alert`; spec section 5
 */
export class LevelCleanup {
  readonly #options: LevelCleanupOptions;

  constructor(options: LevelCleanupOptions) {
    this.#options = options;
  }

  /** Never throws. */
  act(action: LevelAction): void {
    const { clock, events, registry, config } = this.#options;
    const { userId } = action;
    const tally = new Tally();
    const startedAtMs = clock.now();
    try {
      this.#options.userCleanup.clean(userId, { trigger: 'level', tally });
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
    const { registry, userCleanup, thresholds, config } = this.#options;
    for (const { applies, keep, most } of levelEvictions[level]) {
      const count = registry.countOf(userId);
      if (!applies(usageRatio(count, maxManagers), thresholds)) continue;
      const excess = count - keep(maxManagers, thresholds);
      const floorMs = levelFloorMs(config);
      userCleanup.evict(userId, { trigger: 'level', tally, most: Math.min(most, excess), floorMs });
    }
  }
}
