import type { WebSocketConfig } from '../core/settings.js';

/** The longest that anything dead, away or unattached may stay, in milliseconds. */
export function quietMs(config: WebSocketConfig): number {
  const { heartbeatIntervalMs, maxHeartbeatMisses, slowConsumerTimeoutMs, ticketMs } = config;
  const { resumeGraceMs, drainHoldTimeoutMs } = config;
  const foundDeadMs = (maxHeartbeatMisses + 2) * heartbeatIntervalMs + slowConsumerTimeoutMs;
  return foundDeadMs + 2 * ticketMs + resumeGraceMs + drainHoldTimeoutMs;
}
