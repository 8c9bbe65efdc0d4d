import { stateOf } from '../../liveness/silence.js';
import type { WebSocketManager } from '../../managers/manager.js';
import type { Finding } from '../../vocabulary.js';
import { isEligible, type CleanupContext, type RoutineStrategy, type Victim } from './victim.js';

/** Connections that are not open, silent to a probe (for the caller of a requested cleanup), or stuck. */
export const disconnected: RoutineStrategy = Object.freeze({ choose, usesProbe: true, dueAtMs: null });

function choose(managers: Iterable<WebSocketManager>, context: CleanupContext): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    const { connection } = manager;
    if (connection === null || !isEligible(manager)) continue;
    if (context.stuck.has(connection)) victims.push({ ...dead(manager, 'stuck'), closeCause: 'slow' });
    else if (stateOf(connection) === 'closed') victims.push(dead(manager, 'closed'));
    else if (context.silent.has(connection)) victims.push(dead(manager, 'silent'));
  }
  return victims;
}

function dead(manager: WebSocketManager, finding: Finding): Victim {
  return { manager, strategy: 'disconnected', reason: 'disconnected', finding };
}
