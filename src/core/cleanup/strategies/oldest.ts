import { engagedUntilMs, isEngaged, isStreaming } from '../../managers/engagement.js';
import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type CleanupContext, type Victim } from './victim.js';

/**
 * Forced eviction: of the managers that are not engaged, those without activity for the longest time. Managers that
 * something streams to go last: their clients were not active within the idle timeout, but may still read.
 * @param maxCount how many at most
 */
export function oldest(
  managers: Iterable<WebSocketManager>,
  context: Pick<CleanupContext, 'engagement'>,
  maxCount: number,
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
    .slice(0, Math.max(0, maxCount))
    .map(({ manager }) => ({ manager, strategy: 'oldest', reason: 'evicted', limitMs: engagement.floorMs }));
}
