import type { WebSocketConfig } from '../core/settings.js';

/** The settings that the demo is made for: as in production, with seconds instead of minutes. */
export const demoSettings = Object.freeze({
  maxManagersPerUser: 20,
  proactiveCleanupThreshold: 0.6,
  idleManagerTimeoutMs: 40_000,
  backgroundCleanupIntervalMs: 5_000,
  emergencyCleanupTimeoutMs: 4_000,
  heartbeatIntervalMs: 5_000,
  slowConsumerTimeoutMs: 20_000,
  streamingWindowMs: 2_000,
  resumeGraceMs: 3_000,
  drainHoldTimeoutMs: 1_000,
  cleanupCooldownMs: 2_000,
  kpiWindowMs: 300_000,
}) satisfies Partial<WebSocketConfig>;
