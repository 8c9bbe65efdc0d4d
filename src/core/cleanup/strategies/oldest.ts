import { engagedUntilMs, isEngaged } from '../../managers/engagement.js';
import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type Sight, type Victim } from './victim.js';

/**
 * Forced eviction: of the managers that are not engaged, those left alone longest.
 * @param most how many at most
 * @source seed, `_force_cleanup_oldest_managers`
 */
export function oldest(managers: Iterable<WebSocketManager>, sight: Pick<Sight, 'engagement'>, most: number): Victim[] {
  const { engagement } = sight;
  return [...managers]
    .filter((manager) => isEligible(manager) && !isEngaged(manager, engagement))
    .map((manager) => ({ manager, untilMs: engagedUntilMs(manager, engagement) }))
    .sort((a, b) => a.untilMs - b.untilMs || a.manager.admittedAtMs - b.manager.admittedAtMs)
    .slice(0, Math.max(0, most))
    .map(({ manager }) => ({ manager, strategy: 'oldest', reason: 'evicted', limitMs: engagement.floorMs }));
}
