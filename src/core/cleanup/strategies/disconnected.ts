import { stateOf } from '../../liveness/silence.js';
import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type Sight, type Victim } from './victim.js';

/** Dead connections: not open, silent to a probe, or stuck. @source seed, `_cleanup_disconnected_managers` */
export function disconnected(managers: Iterable<WebSocketManager>, sight: Sight): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    const { link } = manager;
    if (link === null || !isEligible(manager)) continue;
    if (sight.stuck.has(link)) victims.push({ ...dead(manager), closeCause: 'slow' });
    else if (sight.silent.has(link) || stateOf(link) === 'closed') victims.push(dead(manager));
  }
  return victims;
}

function dead(manager: WebSocketManager): Victim {
  return { manager, strategy: 'disconnected', reason: 'disconnected' };
}
