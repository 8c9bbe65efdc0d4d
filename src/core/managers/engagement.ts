import type { WebSocketManager } from './manager.js';

/** What counts as being in use. */
export interface EngagementRule {
  /** Within this time of inbound activity a manager is engaged. */
  readonly floorMs: number;
  /** Within this time of outbound activity it is streaming, and engaged as long as the client was active within `idleManagerTimeoutMs`. */
  readonly streamingWindowMs: number;
  readonly idleManagerTimeoutMs: number;
}

/**
 * When the manager stops, or stopped, being engaged if nothing more happens; holds apart.
 * @source spec section 2 "engaged"
 */
export function engagedUntilMs(manager: WebSocketManager, rule: EngagementRule): number {
  return Math.max(manager.lastInboundAtMs + rule.floorMs, streamingUntilMs(manager, rule));
}

/** Whether the connection is in use: then nothing closes it to make room. */
export function isEngaged(manager: WebSocketManager, rule: EngagementRule): boolean {
  return manager.isHeld || engagedUntilMs(manager, rule) > manager.host.clock.now();
}

/** Whether something was written to it within the streaming window, whoever listens. */
export function isStreaming(manager: WebSocketManager, { streamingWindowMs }: EngagementRule): boolean {
  return manager.lastOutboundAtMs + streamingWindowMs > manager.host.clock.now();
}

/** How long until the manager could make room for somebody; one that is held or streaming counts as the whole floor. */
export function timeToFloorMs(manager: WebSocketManager, rule: EngagementRule): number {
  const now = manager.host.clock.now();
  if (manager.isHeld || streamingUntilMs(manager, rule) > now) return rule.floorMs;
  return Math.max(0, manager.lastInboundAtMs + rule.floorMs - now);
}

/** Something is being written to it, and its client was there not long ago. */
function streamingUntilMs({ lastInboundAtMs, lastOutboundAtMs }: WebSocketManager, rule: EngagementRule): number {
  return Math.min(lastOutboundAtMs + rule.streamingWindowMs, lastInboundAtMs + rule.idleManagerTimeoutMs);
}
