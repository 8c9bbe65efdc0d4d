import { stateOf } from '../liveness/silence.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';
import type { Slices } from '../slices.js';
import type { Clock, Timer } from '../time.js';

export interface AuditFindings {
  readonly atMs: number;
  readonly managers: number;
  readonly users: number;
  /** Managers idle for two background intervals longer than they may be, found now for the first time. */
  readonly newlyOverdue: number;
  /** Managers that should be gone: overdue, not open or away for 5 s longer than they may be, or past their last heartbeat. */
  readonly accumulated: number;
  /** By how many the size of the registry differs from admissions less releases, or from the managers in it. */
  readonly miscounted: number;
}

interface AuditParts {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly slices: Slices;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly metrics: {
    /** According to the events: admissions less releases, and the number of both. */
    announced(): { readonly live: number; readonly changes: number };
    /** Called with every manager. */
    visited(manager: WebSocketManager): void;
    audited(findings: AuditFindings): void;
  };
}

/** How long a manager whose connection is not open may stay before it counts as accumulated, in milliseconds. */
const notOpenGraceMs = 5_000;

/**
 * Visits all managers, once in a background interval, and counts those that should be gone. It works in slices, and checks
 * a second time before it counts one.
 *
 * Why all managers: it audits the queues, wheels and sets that cleanup relies on, so it must not rely on them.
 * @see docs/decisions/0011-success-metrics.md
 */
export class Audit {
  readonly #parts: AuditParts;
  readonly #counted = new WeakSet<WebSocketManager>();
  #timer: Timer | null = null;
  #isWalking = false;
  #isStopped = false;

  constructor(parts: AuditParts) {
    this.#parts = parts;
  }

  /** To be called with each manager that was made: the timer goes on until an audit finds none. */
  arm(): void {
    if (this.#timer !== null || this.#isWalking || this.#isStopped) return;
    const { clock, config } = this.#parts;
    this.#timer = clock.setTimer(() => {
      this.#timer = null;
      this.#walk();
    }, config.backgroundCleanupIntervalMs);
  }

  /** Leaves no timer. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #walk(): void {
    const { slices, registry, metrics } = this.#parts;
    this.#isWalking = true;
    const before = metrics.announced();
    const miscounted = Math.abs(registry.size - before.live);
    const found: Accused[] = [];
    const managers: Iterator<WebSocketManager, void> = registry.all();
    let walked = 0;
    slices.run(
      () => {
        const { done, value: manager } = managers.next();
        if (this.#isStopped || done === true) return false;
        walked += 1;
        metrics.visited(manager);
        const why = this.#faultOf(manager);
        if (why !== null) found.push({ manager, why, connection: manager.connection });
        return true;
      },
      () => {
        const isUndisturbed = metrics.announced().changes === before.changes;
        const missed = isUndisturbed ? Math.abs(walked - registry.size) : 0;
        this.#checkAgain(found, { managers: walked, miscounted: Math.max(miscounted, missed) });
      },
    );
  }

  /** By then, managers whose release was about to come are gone. */
  #checkAgain(found: readonly Accused[], walked: Pick<AuditFindings, 'managers' | 'miscounted'>): void {
    if (this.#isStopped) return;
    if (found.length === 0) {
      this.#finish(found, walked);
      return;
    }
    this.#timer = this.#parts.clock.setTimer(() => {
      this.#timer = null;
      this.#finish(found, walked);
    }, notOpenGraceMs);
  }

  #finish(found: readonly Accused[], walked: Pick<AuditFindings, 'managers' | 'miscounted'>): void {
    const { clock, registry, metrics } = this.#parts;
    this.#isWalking = false;
    const still = found.filter(
      ({ manager, connection, why }) =>
        manager.connection === connection && this.#faultOf(manager) === why && !manager.isReleased,
    );
    const overdue = still.filter(({ why, manager }) => why === 'overdue' && !this.#counted.has(manager));
    for (const { manager } of overdue) this.#counted.add(manager);
    metrics.audited({
      ...walked,
      atMs: clock.now(),
      users: registry.userCount,
      newlyOverdue: overdue.length,
      accumulated: still.length,
    });
    if (registry.size > 0) this.arm();
  }

  #faultOf(manager: WebSocketManager): Fault | null {
    const { clock, config } = this.#parts;
    const { connection } = manager;
    if (connection !== null && stateOf(connection) === 'closed') return 'not open';
    if (connection !== null && connection.misses >= config.maxHeartbeatMisses) return 'silent';
    const { awaySinceMs, idleTimeoutMs } = manager;
    if (awaySinceMs !== null && clock.now() - awaySinceMs > config.resumeGraceMs + notOpenGraceMs) return 'away';
    if (idleTimeoutMs === null || manager.isHeld) return null;
    const overdueAfterMs = idleTimeoutMs + 2 * config.backgroundCleanupIntervalMs;
    return clock.now() - manager.lastActivityAtMs > overdueAfterMs ? 'overdue' : null;
  }
}

/** Why a manager should be gone. */
type Fault = 'not open' | 'away' | 'silent' | 'overdue';

interface Accused {
  readonly manager: WebSocketManager;
  readonly connection: WebSocketManager['connection'];
  readonly why: Fault;
}
