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
  const streaming = Math.min(
    manager.lastOutboundAtMs + rule.streamingWindowMs,
    manager.lastInboundAtMs + rule.idleManagerTimeoutMs,
  );
  return Math.max(manager.lastInboundAtMs + rule.floorMs, streaming);
}

/** Whether the connection is in use: then nothing closes it to make room. */
export function isEngaged(manager: WebSocketManager, rule: EngagementRule): boolean {
  return manager.isHeld || engagedUntilMs(manager, rule) > manager.host.clock.now();
}

/** How long until the manager could make room for somebody; one that is held or streaming counts as the whole floor. */
export function timeToFloorMs(manager: WebSocketManager, rule: EngagementRule): number {
  const now = manager.host.clock.now();
  const left = manager.lastInboundAtMs + rule.floorMs - now;
  const isStreaming = engagedUntilMs(manager, rule) > now && left <= 0;
  return manager.isHeld || isStreaming ? rule.floorMs : Math.max(0, left);
}
