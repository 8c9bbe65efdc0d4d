import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type Sight, type Victim } from './victim.js';

/** Managers without activity for as long as whoever asks allows, unless held. @source seed, `_cleanup_idle_managers` */
export function idle(managers: Iterable<WebSocketManager>, sight: Pick<Sight, 'nowMs' | 'idleLimitMs'>): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    if (isEligible(manager) && isIdle(manager, sight))
      victims.push({ manager, strategy: 'idle', reason: 'idle', limitMs: sight.idleLimitMs });
  }
  return victims;
}

function isIdle(manager: WebSocketManager, { nowMs, idleLimitMs }: Pick<Sight, 'nowMs' | 'idleLimitMs'>): boolean {
  return nowMs - manager.lastActivityAtMs >= idleLimitMs && !manager.isHeld;
}
