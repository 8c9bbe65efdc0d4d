import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type CleanupContext, type Victim } from './victim.js';

/** Managers that failed, or whose reported error stood too long. */
export function errored(
  managers: Iterable<WebSocketManager>,
  context: Pick<CleanupContext, 'nowMs' | 'reportedErrorTimeoutMs'>,
): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    if (!isEligible(manager)) continue;
    if (manager.hasFailed) victims.push({ manager, strategy: 'error', reason: 'error' });
    else if (hasStoodTooLong(manager, context))
      victims.push({ manager, strategy: 'error', reason: 'error', limitMs: context.reportedErrorTimeoutMs });
  }
  return victims;
}

function hasStoodTooLong(
  manager: WebSocketManager,
  context: Pick<CleanupContext, 'nowMs' | 'reportedErrorTimeoutMs'>,
): boolean {
  const reportedAtMs = manager.errorReportedAtMs;
  return reportedAtMs !== null && context.nowMs - reportedAtMs >= context.reportedErrorTimeoutMs;
}
