import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type Sight, type Victim } from './victim.js';

/** Managers that failed, or whose reported error stood too long. @source seed, `_cleanup_error_state_managers` */
export function errored(
  managers: Iterable<WebSocketManager>,
  sight: Pick<Sight, 'nowMs' | 'reportedErrorTimeoutMs'>,
): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    if (!isEligible(manager)) continue;
    if (manager.hasFailed) victims.push({ manager, strategy: 'error', reason: 'error' });
    else if (hasStoodTooLong(manager, sight))
      victims.push({ manager, strategy: 'error', reason: 'error', limitMs: sight.reportedErrorTimeoutMs });
  }
  return victims;
}

function hasStoodTooLong(manager: WebSocketManager, sight: Pick<Sight, 'nowMs' | 'reportedErrorTimeoutMs'>): boolean {
  const reportedAtMs = manager.errorReportedAtMs;
  return reportedAtMs !== null && sight.nowMs - reportedAtMs >= sight.reportedErrorTimeoutMs;
}
