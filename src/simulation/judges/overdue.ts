import type { WebSocketManager } from '../../core/managers/manager.js';
import { forever } from '../forever.js';
import type { SimulatedSocket } from '../socket.js';
import { Judge } from './judge.js';

const lookEveryMs = 30_000;

/** Looks for idle and silent connections that should have been closed by now. */
export class OverdueJudge extends Judge {
  step(): void {
    if (!this.isTimeToLook(lookEveryMs)) return;
    const nowMs = this.world.now();
    for (const [socket, manager] of this.world.current()) {
      this.#checkIdle(manager, socket, nowMs);
      this.#checkSilent(manager, socket, nowMs);
    }
  }

  /** While a newer connection of the thread is about to take over, nothing ends the one before. */
  #overdue(invariant: 'idle goes' | 'silent goes', { key, successor }: WebSocketManager, message: string): void {
    if (successor === null) this.report(invariant, `the connection of ${key} ${message}`);
  }

  #checkIdle(manager: WebSocketManager, socket: SimulatedSocket, nowMs: number): void {
    const { idleManagerTimeoutMs, backgroundCleanupIntervalMs } = this.world.config;
    // Most connections are not idle, and cost no more than this.
    if (idleManagerTimeoutMs === null || nowMs - socket.activeAtMs < idleManagerTimeoutMs) return;
    const dueAtMs = Math.max(socket.activeAtMs + idleManagerTimeoutMs, socket.heldUntilMs);
    const lateMs = nowMs - dueAtMs - 2 * backgroundCleanupIntervalMs - this.#noticedAfterMs(socket);
    if (lateMs > this.world.slackSince(socket.activeAtMs))
      this.#overdue('idle goes', manager, `was last used ${nowMs - socket.activeAtMs} ms ago`);
  }

  /** The first ping comes an interval after its last byte. Unsent data excuses its silence for a while. */
  #checkSilent(manager: WebSocketManager, socket: SimulatedSocket, nowMs: number): void {
    const { heartbeatIntervalMs, maxHeartbeatMisses, slowConsumerTimeoutMs } = this.world.config;
    const silentSinceMs = Math.min(socket.unreachableSinceMs, socket.pausedSinceMs);
    if (silentSinceMs === forever) return;
    // Data that still leaves prolongs an excuse.
    const sinceMs = socket.hasExcuse ? Math.max(silentSinceMs, socket.outboundAtMs) : silentSinceMs;
    const excusedMs = socket.hasExcuse ? slowConsumerTimeoutMs + heartbeatIntervalMs : 0;
    const dueMs = (maxHeartbeatMisses + 1) * heartbeatIntervalMs + lateMs(heartbeatIntervalMs);
    const maxMs = dueMs + excusedMs + this.#noticedAfterMs(socket);
    const silentMs = nowMs - sinceMs;
    if (silentMs > maxMs + this.world.slackSince(sinceMs))
      this.#overdue('silent goes', manager, `has been silent for ${silentMs} ms`);
  }

  /** The core notices parts of a message only when it looks, and takes that time for their arrival. */
  #noticedAfterMs({ hasSentInParts }: SimulatedSocket): number {
    return hasSentInParts ? this.world.config.heartbeatIntervalMs : 0;
  }
}

/** The heartbeat visits connections in steps, and data under way arrives after the network is cut. */
function lateMs(heartbeatIntervalMs: number): number {
  return 2_000 + heartbeatIntervalMs / 10;
}
