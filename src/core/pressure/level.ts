import type { WebSocketConfig } from '../settings.js';
import { alertLevels, type AlertLevel } from '../vocabulary.js';

/** The usage at which each level begins. */
export type Thresholds = Readonly<Record<Exclude<AlertLevel, 'normal'>, number>>;

/** `warning` is the proactive threshold of the environment, `info` two thirds of it. */
export function thresholdsOf(config: WebSocketConfig): Thresholds {
  const warning = config.proactiveCleanupThreshold;
  return Object.freeze({
    info: Math.round((warning * 2000) / 3) / 1000,
    warning,
    critical: config.criticalThreshold,
    emergency: config.emergencyThreshold,
  });
}

/**
 * The part of the limit in use. A limit of 0 counts as 1 here, so that the ratio stays a number.
 *
 * Compare it with a threshold; never compare a count with `limit * threshold`, as 100 × 0.29 is 28.999….
 */
export function usageRatio(managerCount: number, limit: number): number {
  return managerCount / Math.max(limit, 1);
}

/** Users with a smaller limit have no higher level than `info`, since two of two is nothing unusual. */
const minLimitWithLevels = 5;

export function levelOf(managerCount: number, limit: number, thresholds: Thresholds): AlertLevel {
  if (limit < minLimitWithLevels) return managerCount >= Math.max(limit, 1) ? 'info' : 'normal';
  const ratio = usageRatio(managerCount, limit);
  if (ratio >= thresholds.emergency) return 'emergency';
  if (ratio >= thresholds.critical) return 'critical';
  if (ratio >= thresholds.warning) return 'warning';
  return ratio >= thresholds.info ? 'info' : 'normal';
}

/** The counts at which the level of a user with this limit changes, lowest first. */
export function levelTotals(limit: number, thresholds: Thresholds): number[] {
  const counts = Array.from({ length: Number.isFinite(limit) ? limit : 0 }, (_, index) => index + 1);
  return counts.filter((count) => levelOf(count, limit, thresholds) !== levelOf(count - 1, limit, thresholds));
}

export function isAtLeast(level: AlertLevel, lowest: AlertLevel): boolean {
  return alertLevels.indexOf(level) >= alertLevels.indexOf(lowest);
}

/** How many managers are at most at this threshold, and not above it. */
export function maxWithin(threshold: number, limit: number): number {
  let count = Math.ceil(threshold * limit);
  while (usageRatio(count, limit) > threshold) count--;
  return count;
}
