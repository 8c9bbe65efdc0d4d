import { evictionFloorMs } from '../bounds.js';
import { standingIdleTimeoutMs } from '../idle-timeout.js';
import type { WebSocketConfig } from '../settings.js';
import type { WebSocketManager } from './manager.js';

/** Which managers count as engaged, which means in use. */
export interface EngagementRule {
  /** A manager is engaged for this time after inbound activity. */
  readonly floorMs: number;
  /** After outbound activity it is streaming for this time, and engaged if its client was active within the idle timeout. */
  readonly streamingWindowMs: number;
  /** If a connection has an idle timeout of its own, its floor is longer or shorter in the same ratio to this one. */
  readonly idleManagerTimeoutMs: number;
}

/** The rule by these settings. @param floorMs @default the eviction floor */
export function engagementRuleOf(config: WebSocketConfig, floorMs = evictionFloorMs(config)): EngagementRule {
  const { streamingWindowMs, idleManagerTimeoutMs } = config;
  return { floorMs, streamingWindowMs, idleManagerTimeoutMs: standingIdleTimeoutMs(idleManagerTimeoutMs) };
}

/** When the manager stops, or stopped, being engaged if nothing more happens. Holds are left out. */
export function engagedUntilMs(manager: WebSocketManager, rule: EngagementRule): number {
  return Math.max(manager.lastInboundAtMs + floorMsOf(manager, rule), streamingUntilMs(manager, rule));
}

/**
 * Whether the manager is engaged: then it is not evicted. A hold that was neither taken nor renewed within the idle
 * timeout does not count, unless a message went either way within it.
 */
export function isEngaged(manager: WebSocketManager, rule: EngagementRule): boolean {
  return manager.isHoldFresh || engagedUntilMs(manager, rule) > manager.lifecycle.clock.now();
}

/** Whether there was outbound activity within the streaming window. */
export function isStreaming(manager: WebSocketManager, { streamingWindowMs }: EngagementRule): boolean {
  return manager.lastOutboundAtMs + streamingWindowMs > manager.lifecycle.clock.now();
}

/** In how many milliseconds the manager could be evicted. If it is held or streaming, the whole floor. */
export function timeToFloorMs(manager: WebSocketManager, rule: EngagementRule): number {
  const now = manager.lifecycle.clock.now();
  const floorMs = floorMsOf(manager, rule);
  if (manager.isHoldFresh || streamingUntilMs(manager, rule) > now) return floorMs;
  return Math.max(0, manager.lastInboundAtMs + floorMs - now);
}

function streamingUntilMs(manager: WebSocketManager, rule: EngagementRule): number {
  const { lastInboundAtMs, lastOutboundAtMs } = manager;
  return Math.min(lastOutboundAtMs + rule.streamingWindowMs, lastInboundAtMs + idleTimeoutMsOf(manager, rule));
}

function idleTimeoutMsOf({ ownIdleTimeoutMs }: WebSocketManager, rule: EngagementRule): number {
  return ownIdleTimeoutMs === undefined ? rule.idleManagerTimeoutMs : standingIdleTimeoutMs(ownIdleTimeoutMs);
}

/** The floor is a part of the idle timeout: of the connection's own, if it has one. */
function floorMsOf(manager: WebSocketManager, rule: EngagementRule): number {
  return (rule.floorMs * idleTimeoutMsOf(manager, rule)) / rule.idleManagerTimeoutMs;
}
