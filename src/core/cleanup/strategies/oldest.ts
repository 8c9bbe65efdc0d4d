import { engagedUntilMs, isEngaged, isStreaming } from '../../managers/engagement.js';
import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type CleanupContext, type Victim } from './victim.js';

/**
 * Forced eviction: of the managers that are not engaged, those left alone longest; one that something streams to goes
 * last.
 * @param most how many at most
 * @source seed, `_force_cleanup_oldest_managers`
 */
export function oldest(
  managers: Iterable<WebSocketManager>,
  context: Pick<CleanupContext, 'engagement'>,
  most: number,
): Victim[] {
  const { engagement } = context;
  return [...managers]
    .filter((manager) => isEligible(manager) && !isEngaged(manager, engagement))
    .map((manager) => ({
      manager,
      streams: Number(isStreaming(manager, engagement)),
      untilMs: engagedUntilMs(manager, engagement),
    }))
    .sort((a, b) => a.streams - b.streams || a.untilMs - b.untilMs || a.manager.admittedAtMs - b.manager.admittedAtMs)
    .slice(0, Math.max(0, most))
    .map(({ manager }) => ({ manager, strategy: 'oldest', reason: 'evicted', limitMs: engagement.floorMs }));
}
