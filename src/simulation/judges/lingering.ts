import type { WebSocketManager } from '../../core/managers/manager.js';
import { forever } from '../forever.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import type { JudgedWorld } from '../judged-world.js';

/** How often it is looked for what should have gone. */
const lookEveryMs = 30_000;

/** Looks for what should be gone and is not. */
export class LingeringJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  #lookAtMs = 0;

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  step(): void {
    const nowMs = this.#world.now();
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = nowMs + lookEveryMs;
    for (const [socket, manager] of this.#world.current()) {
      this.#checkIdle(manager, socket, nowMs);
      this.#checkSilent(manager, socket, nowMs);
    }
  }

  /** While a newer connection of the thread is about to take over, nothing ends the one before. */
  #lingers(invariant: 'idle goes' | 'silent goes', { key, successor }: WebSocketManager, message: string): void {
    if (successor === null) this.#report(invariant, `the connection of ${key} ${message}`);
  }

  #checkIdle(manager: WebSocketManager, socket: SimulatedSocket, nowMs: number): void {
    const { idleManagerTimeoutMs, backgroundCleanupIntervalMs } = this.#world.config;
    // Mostly so; then no more of the socket is looked at.
    if (idleManagerTimeoutMs === null || nowMs - socket.activeAtMs < idleManagerTimeoutMs) return;
    const dueAtMs = Math.max(socket.activeAtMs + idleManagerTimeoutMs, socket.heldUntilMs);
    const lateMs = nowMs - dueAtMs - 2 * backgroundCleanupIntervalMs - this.#noticedAfterMs(socket);
    if (lateMs > this.#world.slackSince(socket.activeAtMs))
      this.#lingers('idle goes', manager, `was last used ${nowMs - socket.activeAtMs} ms ago`);
  }

  /** Pinged an interval after it was last heard of, missed so often; what is stuck on the way is excused for a while. */
  #checkSilent(manager: WebSocketManager, socket: SimulatedSocket, nowMs: number): void {
    const { heartbeatIntervalMs, maxHeartbeatMisses, slowConsumerTimeoutMs } = this.#world.config;
    const silentSinceMs = Math.min(socket.unreachableSinceMs, socket.pausedSinceMs);
    if (silentSinceMs === forever) return;
    // What still leaves prolongs an excuse.
    const sinceMs = socket.hasExcuse ? Math.max(silentSinceMs, socket.outboundAtMs) : silentSinceMs;
    const excusedMs = socket.hasExcuse ? slowConsumerTimeoutMs + heartbeatIntervalMs : 0;
    const dueMs = (maxHeartbeatMisses + 1) * heartbeatIntervalMs + lateMs(heartbeatIntervalMs);
    const maxMs = dueMs + excusedMs + this.#noticedAfterMs(socket);
    const silentMs = nowMs - sinceMs;
    if (silentMs > maxMs + this.#world.slackSince(sinceMs))
      this.#lingers('silent goes', manager, `has been silent for ${silentMs} ms`);
  }

  /** Data of a message still under way is noticed when somebody looks, and stamped then. */
  #noticedAfterMs({ hasSentInParts }: SimulatedSocket): number {
    return hasSentInParts ? this.#world.config.heartbeatIntervalMs : 0;
  }
}

/** Sweeps come by in steps, and what was on its way arrives after the way is cut. */
function lateMs(heartbeatIntervalMs: number): number {
  return 2_000 + heartbeatIntervalMs / 10;
}
