import { stateOf } from '../../liveness/silence.js';
import type { WebSocketManager } from '../../managers/manager.js';
import type { Finding } from '../../managers/release-reason.js';
import { isEligible, type Sight, type Victim } from './victim.js';

/** Dead connections: not open, silent to a probe, or stuck. @source seed, `_cleanup_disconnected_managers` */
export function disconnected(managers: Iterable<WebSocketManager>, sight: Sight): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    const { link } = manager;
    if (link === null || !isEligible(manager)) continue;
    if (sight.stuck.has(link)) victims.push({ ...dead(manager, 'stuck'), closeCause: 'slow' });
    else if (stateOf(link) === 'closed') victims.push(dead(manager, 'closed'));
    else if (sight.silent.has(link)) victims.push(dead(manager, 'silent'));
  }
  return victims;
}

function dead(manager: WebSocketManager, finding: Finding): Victim {
  return { manager, strategy: 'disconnected', reason: 'disconnected', finding };
}
