import type { WebSocketManager } from '../../managers/manager.js';
import { isEligible, type CleanupContext, type RoutineStrategy, type Victim } from './victim.js';

/** Managers without activity for as long as the cleanup allows, unless the application holds them. */
export const idle: RoutineStrategy = Object.freeze({ choose, usesProbe: false, dueAtMs });

function choose(managers: Iterable<WebSocketManager>, context: Pick<CleanupContext, 'nowMs' | 'idleRatio'>): Victim[] {
  const victims: Victim[] = [];
  for (const manager of managers) {
    const { idleTimeoutMs } = manager;
    if (idleTimeoutMs === null || !isEligible(manager)) continue;
    const limitMs = context.idleRatio * idleTimeoutMs;
    if (context.nowMs - manager.lastActivityAtMs >= limitMs && !manager.isHeld)
      victims.push({ manager, strategy: 'idle', reason: 'idle', limitMs });
  }
  return victims;
}

function dueAtMs({ idleTimeoutMs, lastActivityAtMs }: WebSocketManager): number {
  return idleTimeoutMs === null ? Infinity : lastActivityAtMs + idleTimeoutMs;
}
