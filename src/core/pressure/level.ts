import type { WebSocketConfig } from '../settings.js';
import { alertLevels, type AlertLevel } from '../vocabulary.js';

/** From which usage on each level holds. */
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
 * Why a quotient: compared as `count / limit >= threshold`, never against a product; 100 × 0.29 is 28.999….
 */
export function usageRatio(managerCount: number, limit: number): number {
  return managerCount / Math.max(limit, 1);
}

/** Of a smaller limit no level but `info` tells anything: two of two is nothing unusual. */
const leastTelling = 5;

/** The level of so many managers of a limit. */
export function levelOf(managerCount: number, limit: number, thresholds: Thresholds): AlertLevel {
  if (limit < leastTelling) return managerCount >= Math.max(limit, 1) ? 'info' : 'normal';
  const ratio = usageRatio(managerCount, limit);
  if (ratio >= thresholds.emergency) return 'emergency';
  if (ratio >= thresholds.critical) return 'critical';
  if (ratio >= thresholds.warning) return 'warning';
  return ratio >= thresholds.info ? 'info' : 'normal';
}

/** Whether one level is at least another. */
export function isAtLeast(level: AlertLevel, least: AlertLevel): boolean {
  return alertLevels.indexOf(level) >= alertLevels.indexOf(least);
}

/** The most managers that are not above a threshold. */
export function maxWithin(threshold: number, limit: number): number {
  let most = Math.ceil(threshold * limit);
  while (usageRatio(most, limit) > threshold) most--;
  return most;
}
