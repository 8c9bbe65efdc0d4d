import { describe } from '../core/errors.js';
import { stateOf } from '../core/liveness/silence.js';
import { engagementRuleOf, isEngaged } from '../core/managers/engagement.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import { finiteOrNull, type UserResources } from '../core/pressure/monitor.js';
import type { ManagerView, UserResources as UserResourcesView } from './schemas.js';

export function viewResources(resources: UserResources): UserResourcesView {
  return { ...resources, maxManagers: finiteOrNull(resources.maxManagers) };
}

export function viewManager(manager: WebSocketManager, mooring: Mooring): ManagerView {
  const now = mooring.now();
  const { connection, key, userId, threadId, state, generation, extras } = manager;
  const { lastInboundAtMs, lastOutboundAtMs, admittedAtMs } = manager;
  const suspect = mooring.suspicionOf(manager);
  const silentMs = connection === null ? null : now - connection.lastByteAtMs;
  const isInError = manager.hasFailed || manager.errorReportedAtMs !== null;
  return {
    key,
    userId,
    threadId,
    state,
    generation,
    liveness: suspect !== null ? 'suspect' : livenessOf(manager, silentMs, mooring.config.heartbeatIntervalMs),
    suspect,
    admittedAt: new Date(Date.now() - (now - admittedAtMs)).toISOString(),
    ageMs: now - admittedAtMs,
    connectedMs: connection === null ? null : now - connection.connectedAtMs,
    idleMs: now - manager.lastActivityAtMs,
    inboundIdleMs: now - lastInboundAtMs,
    outboundIdleMs: lastOutboundAtMs > 0 ? now - lastOutboundAtMs : null,
    silentMs,
    roundTripMs: connection === null || connection.roundTripMs < 0 ? null : connection.roundTripMs,
    misses: connection?.misses ?? 0,
    isHeld: manager.isHeld,
    isEngaged: isEngaged(manager, engagementRuleOf(mooring.config)),
    hasSuccessor: manager.successor !== null,
    error: extras !== null && isInError ? describe(extras.lastError) : null,
  };
}

function livenessOf(
  { connection, state }: WebSocketManager,
  silentMs: number | null,
  heartbeatIntervalMs: number,
): ManagerView['liveness'] {
  if (state === 'away') return 'away';
  if (connection === null || silentMs === null) return 'reserved';
  if (stateOf(connection) === 'closed') return 'not open';
  if (connection.misses > 0) return 'unanswered';
  return silentMs <= heartbeatIntervalMs ? 'heard' : 'quiet';
}
