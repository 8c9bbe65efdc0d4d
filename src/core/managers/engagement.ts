import { evictionFloorMs } from '../bounds.js';
import type { WebSocketConfig } from '../settings.js';
import { standingIdleTimeoutMs } from '../idle-timeout.js';
import type { WebSocketManager } from './manager.js';

/** What counts as being in use. */
export interface EngagementRule {
  /** Within this time of inbound activity a manager is engaged. */
  readonly floorMs: number;
  /** Within this time of outbound activity it is streaming, and engaged as long as the client was active within `idleManagerTimeoutMs`. */
  readonly streamingWindowMs: number;
  /** Of connections that have no idle timeout of their own; it is in proportion to this that theirs changes the floor. */
  readonly idleManagerTimeoutMs: number;
}

/** What counts as being in use by these settings. @param floorMs @default the eviction floor */
export function engagementRuleOf(config: WebSocketConfig, floorMs = evictionFloorMs(config)): EngagementRule {
  const { streamingWindowMs, idleManagerTimeoutMs } = config;
  return { floorMs, streamingWindowMs, idleManagerTimeoutMs: standingIdleTimeoutMs(idleManagerTimeoutMs) };
}

/**
 * When the manager stops, or stopped, being engaged if nothing more happens; holds apart.
 */
export function engagedUntilMs(manager: WebSocketManager, rule: EngagementRule): number {
  return Math.max(manager.lastInboundAtMs + floorMsOf(manager, rule), streamingUntilMs(manager, rule));
}

/**
 * Whether the connection is in use: then nothing closes it to make room. A hold that was forgotten, with nothing said
 * for an idle timeout, does not protect a connection.
 */
export function isEngaged(manager: WebSocketManager, rule: EngagementRule): boolean {
  return manager.isHoldFresh || engagedUntilMs(manager, rule) > manager.lifecycle.clock.now();
}

/** Whether something was written to it within the streaming window, whether or not the client is there. */
export function isStreaming(manager: WebSocketManager, { streamingWindowMs }: EngagementRule): boolean {
  return manager.lastOutboundAtMs + streamingWindowMs > manager.lifecycle.clock.now();
}

/** How long until the manager could make room for a newcomer. A hold or streaming counts as the whole floor. */
export function timeToFloorMs(manager: WebSocketManager, rule: EngagementRule): number {
  const now = manager.lifecycle.clock.now();
  const floorMs = floorMsOf(manager, rule);
  if (manager.isHoldFresh || streamingUntilMs(manager, rule) > now) return floorMs;
  return Math.max(0, manager.lastInboundAtMs + floorMs - now);
}

/** Something is being written to it, and its client was there not long ago. */
function streamingUntilMs(manager: WebSocketManager, rule: EngagementRule): number {
  const { lastInboundAtMs, lastOutboundAtMs } = manager;
  return Math.min(lastOutboundAtMs + rule.streamingWindowMs, lastInboundAtMs + idleTimeoutMsOf(manager, rule));
}

function idleTimeoutMsOf({ ownIdleTimeoutMs }: WebSocketManager, rule: EngagementRule): number {
  return ownIdleTimeoutMs === undefined ? rule.idleManagerTimeoutMs : standingIdleTimeoutMs(ownIdleTimeoutMs);
}

/** The floor is a part of the idle timeout, and so of the connection's own if it has one. */
function floorMsOf(manager: WebSocketManager, rule: EngagementRule): number {
  return (rule.floorMs * idleTimeoutMsOf(manager, rule)) / rule.idleManagerTimeoutMs;
}
