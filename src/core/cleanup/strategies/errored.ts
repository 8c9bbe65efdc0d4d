import type { WebSocketManager } from '../../managers/manager.js';
import type { WebSocketConfig } from '../../settings.js';
import { isEligible, type CleanupContext, type RoutineStrategy, type Victim } from './victim.js';

/** Managers that failed, or whose reported error stood too long. */
export const errored: RoutineStrategy = Object.freeze({ choose, usesProbe: false, dueAtMs });

function choose(
  managers: Iterable<WebSocketManager>,
  { nowMs, reportedErrorTimeoutMs: limitMs }: Pick<CleanupContext, 'nowMs' | 'reportedErrorTimeoutMs'>,
): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    if (!isEligible(manager)) continue;
    const reportedAtMs = manager.errorReportedAtMs ?? Infinity;
    if (manager.hasFailed) victims.push({ manager, strategy: 'error', reason: 'error' });
    else if (nowMs - reportedAtMs >= limitMs) victims.push({ manager, strategy: 'error', reason: 'error', limitMs });
  }
  return victims;
}

function dueAtMs({ hasFailed, errorReportedAtMs }: WebSocketManager, config: WebSocketConfig): number {
  if (hasFailed) return -Infinity;
  return errorReportedAtMs === null ? Infinity : errorReportedAtMs + config.reportedErrorTimeoutMs;
}
