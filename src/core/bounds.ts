import { standingIdleTimeoutMs } from './idle-timeout.js';
import type { WebSocketConfig } from './settings.js';

/** How long after its last activity a manager is not evicted. */
export function evictionFloorMs(config: WebSocketConfig): number {
  return config.evictionFloorRatio * standingIdleTimeoutMs(config.idleManagerTimeoutMs);
}

/** How long after its last activity a manager is not evicted by a level. */
export function levelFloorMs(config: WebSocketConfig): number {
  return config.patienceRatio * standingIdleTimeoutMs(config.idleManagerTimeoutMs);
}

/** How much of a cap one address or user may take: a quarter, and at least 1. */
export function quarterOf(limit: number): number {
  return Math.max(1, Math.floor(limit / 4));
}

/**
 * How many sockets may be unauthenticated at once, and how many may wait; `Infinity` if neither that nor
 * `maxTotalManagers` is set.
 */
export function unadmittedLimit(config: WebSocketConfig): number {
  if (config.maxUnadmittedSockets !== null) return config.maxUnadmittedSockets;
  if (config.maxTotalManagers === null) return Infinity;
  return Math.max(100, Math.floor(config.maxTotalManagers / 10));
}

/**
 * How many connections may be in a closing handshake at once. Together with the managers they are at most a tenth more
 * than `maxTotalManagers`, or 100 more if that is more. `Infinity` without that setting.
 */
export function closingLimit({ maxTotalManagers }: WebSocketConfig, managers: number): number {
  if (maxTotalManagers === null) return Infinity;
  return Math.max(0, maxTotalManagers - managers) + Math.max(100, Math.floor(maxTotalManagers / 10));
}
