import type { CloseCause, Finding, ReleaseReason, StrategyName } from '../../vocabulary.js';
import type { ProbeFindings } from '../../liveness/probe.js';
import type { EngagementRule } from '../../managers/engagement.js';
import type { WebSocketManager } from '../../managers/manager.js';
import type { WebSocketConfig } from '../../settings.js';

/** The facts by which a strategy chooses. */
export interface CleanupContext extends ProbeFindings {
  readonly nowMs: number;
  /** The part of its idle timeout that a manager may be idle before this cleanup closes it. */
  readonly idleRatio: number;
  readonly reportedErrorTimeoutMs: number;
  readonly engagement: EngagementRule;
}

/** A manager to release, the strategy that chose it, and why. */
export interface Victim {
  readonly manager: WebSocketManager;
  readonly strategy: StrategyName;
  readonly reason: ReleaseReason;
  readonly closeCause?: CloseCause;
  /** The limit that its idle time, or the age of its error, reached. */
  readonly limitMs?: number;
  /** What showed that its connection is dead. */
  readonly finding?: Finding;
}

/** A pure choice among one user's managers. Never throws. */
export type Strategy = (managers: Iterable<WebSocketManager>, context: CleanupContext) => Victim[];

/** A strategy that never releases a connection in use. */
export interface RoutineStrategy {
  readonly choose: Strategy;
  /** Whether it looks at what a probe found: a requested cleanup then pings before it chooses. */
  readonly usesProbe: boolean;
  /**
   * When the background cleanup has to visit a manager for it; `Infinity`: not as things stand. `null`: it is applied to
   * what is visited for other strategies only. Activity may put the instant off. If something brings it forward, tell
   * `BackgroundCleanup.dueSooner`.
   */
  readonly dueAtMs: ((manager: WebSocketManager, config: WebSocketConfig) => number) | null;
}

/** Whether strategies may choose it: it has a connection, and no newer one is about to take over. */
export function isEligible(manager: WebSocketManager): boolean {
  return !manager.isReleased && manager.connection !== null && manager.successor === null;
}
