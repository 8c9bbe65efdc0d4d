import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type CleanupContext, type Victim } from './victim.js';

/** Managers that failed, or whose reported error stood too long. */
export function errored(
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
