import { DeadlineWheel } from '../deadline-wheel.js';
import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { standingIdleTimeoutMs } from '../idle-timeout.js';
import type { Holds } from '../managers/holds.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { WebSocketResourceMonitor } from '../pressure/monitor.js';
import type { WebSocketConfig } from '../settings.js';
import { ShardedMap } from '../sharded-map.js';
import type { Slices } from '../slices.js';
import type { Clock, Timer } from '../time.js';
import type { StrategyTally } from '../vocabulary.js';
import type { RoutineStrategy } from './strategies/victim.js';
import { Tally } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';

/** How a background cycle ended. */
export interface BackgroundCleanupResult {
  /** Managers released by the cycle itself. */
  readonly cleaned: number;
  /** Users of whom a manager was released. */
  readonly users: number;
  readonly byStrategy: StrategyTally;
  /** Users whose cleanup threw. */
  readonly errors: number;
  readonly durationMs: number;
}

interface BackgroundParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly config: WebSocketConfig;
  readonly slices: Slices;
  readonly strategies: readonly RoutineStrategy[];
  readonly userCleanup: UserCleanup;
  readonly holds: Pick<Holds, 'noteForgotten'>;
  readonly monitor: WebSocketResourceMonitor;
}

/** The highest number of buckets. If more were needed, a cycle visits some managers too early. */
const maxBuckets = 4096;

/** A bucket takes one interval, but at most this part of the idle timeout, and at least that. */
const longestBucket = 1 / 256;
const shortestBucket = 1 / 2048;

/**
 * Cleans up once in `backgroundCleanupIntervalMs`. It visits only managers that are due for one of the strategies, and
 * users at `critical` or above, so that its cost does not depend on the number of managers.
 *
 * Each manager lies in the bucket of the instant at which it is due. Activity does not move it: if it turns out to have
 * been active when it is visited, it is put into the bucket of its new instant.
 */
export class BackgroundCleanup {
  readonly #parts: BackgroundParts;
  readonly #wheel: DeadlineWheel<WebSocketManager>;
  readonly #bucketMs: number;
  /** The first bucket that has not been swept to its end. */
  #bucket: number;
  #timer: Timer | null = null;
  #cycle: Promise<BackgroundCleanupResult> | null = null;
  #isStopped = false;

  /** @internal */
  constructor(parts: BackgroundParts) {
    this.#parts = parts;
    const { backgroundCleanupIntervalMs } = parts.config;
    const idleManagerTimeoutMs = standingIdleTimeoutMs(parts.config.idleManagerTimeoutMs);
    const [shortestMs, longestMs] = [shortestBucket * idleManagerTimeoutMs, longestBucket * idleManagerTimeoutMs];
    this.#bucketMs = Math.max(1, Math.min(longestMs, Math.max(shortestMs, backgroundCleanupIntervalMs)));
    // A turn takes a timeout and an interval, so that what a cycle puts back lies in no bucket that it still has to visit.
    const around = (idleManagerTimeoutMs + backgroundCleanupIntervalMs) / this.#bucketMs;
    this.#wheel = new DeadlineWheel(Math.min(maxBuckets, Math.ceil(around) + 3));
    this.#bucket = this.#bucketAt(parts.clock.now());
  }

  /** @internal Watches a manager from its admission on. */
  add(manager: WebSocketManager): void {
    this.#put(manager, this.#dueAtMs(manager));
    if (this.#timer !== null || this.#isStopped || this.#cycle !== null) return;
    this.#bucket = this.#bucketAt(this.#parts.clock.now());
    this.#arm();
  }

  /** @internal The manager's new connection may have another idle timeout. */
  managerTakenOver(manager: WebSocketManager): void {
    this.#putBack(manager);
  }

  /** @internal */
  remove(manager: WebSocketManager): void {
    this.#wheel.remove(manager);
  }

  /** @internal Something happened to a manager that may bring forward the instant at which it is due. */
  dueSooner(manager: WebSocketManager): void {
    if (manager.wheelBucket >= 0) this.#put(manager, Math.max(this.#dueAtMs(manager), this.#parts.clock.now()));
  }

  /** Whether its timer is armed: from the first manager on, until a cycle finds none. */
  get isArmed(): boolean {
    return this.#timer !== null;
  }

  /** Runs a cycle now, or joins the one that runs already. Never rejects. */
  runCycle(): Promise<BackgroundCleanupResult> {
    if (this.#cycle !== null) return this.#cycle;
    const progress = { isOver: false };
    const cycle = new Promise<BackgroundCleanupResult>((resolve) => {
      this.#sweep((result) => {
        progress.isOver = true;
        this.#cycle = null;
        this.#armAgain();
        resolve(result);
      });
    });
    if (!progress.isOver) this.#cycle = cycle;
    return cycle;
  }

  /** Leaves no timer; a cycle under way ends with the slice it is in. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#parts.clock.setTimer(() => {
      this.#timer = null;
      void this.runCycle();
    }, this.#parts.config.backgroundCleanupIntervalMs);
  }

  #armAgain(): void {
    if (!this.#isStopped && this.#timer === null && this.#wheel.count > 0) this.#arm();
  }

  #sweep(whenDone: (result: BackgroundCleanupResult) => void): void {
    const { clock, events, slices } = this.#parts;
    const startedAtMs = clock.now();
    const cycle = { tally: new Tally(0), users: new ShardedMap<true>(), failedUsers: new Set<string>() };
    const steps = this.#steps(cycle);
    slices.run(
      () => !this.#isStopped && steps.next().done !== true,
      () => {
        const result = {
          cleaned: cycle.tally.count,
          users: cycle.users.size,
          byStrategy: cycle.tally.byStrategy,
          errors: cycle.failedUsers.size,
          durationMs: clock.now() - startedAtMs,
        };
        events.emit('background.completed', result);
        whenDone(result);
      },
    );
  }

  *#steps(cycle: Cycle): Generator<void> {
    for (const manager of this.#due()) {
      yield;
      this.#guarded(cycle, manager.userId, () => {
        this.#visit(manager, cycle);
      });
    }
    for (const userId of this.#parts.monitor.pressedUsers()) {
      yield;
      this.#guarded(cycle, userId, () => {
        this.#parts.monitor.actAgain(userId);
      });
    }
  }

  /** Managers that may be due. */
  *#due(): Generator<WebSocketManager> {
    const now = this.#parts.clock.now();
    const current = this.#bucketAt(now);
    this.#bucket = Math.max(this.#bucket, current - this.#wheel.size);
    for (; this.#bucket < current; this.#bucket++) yield* this.#wheel.take(this.#bucket);
    yield* this.#dueIn(current, now);
  }

  /** Of the present bucket, the managers that are due. From the end, as a visit may take out the manager. */
  *#dueIn(bucket: number, now: number): Generator<WebSocketManager> {
    for (let index = this.#wheel.countIn(bucket) - 1; index >= 0; index--) {
      const manager = this.#wheel.at(bucket, index);
      if (manager !== undefined && this.#dueAtMs(manager) <= now) yield manager;
    }
  }

  #visit(manager: WebSocketManager, { tally, users }: Cycle): void {
    if (manager.isReleased) return;
    // Back into the wheel first, so that the manager stays there if the cleanup throws.
    this.#putBack(manager);
    this.#parts.holds.noteForgotten(manager);
    if (this.#parts.userCleanup.cleanOne(manager, tally)) users.set(manager.userId, true);
  }

  /** Back to the bucket of its instant. A manager that is due and may not be released is visited again in the next cycle. */
  #putBack(manager: WebSocketManager): void {
    const soonest = this.#parts.clock.now() + this.#bucketMs;
    this.#put(manager, Math.max(this.#dueAtMs(manager), soonest));
  }

  /** If its own idle timeout is longer than a turn of the wheel, it is visited too early. */
  #put(manager: WebSocketManager, dueAtMs: number): void {
    const latest = this.#bucketAt(this.#parts.clock.now()) + this.#wheel.size - 2;
    this.#wheel.put(manager, Math.min(this.#bucketAt(dueAtMs), latest));
  }

  #guarded({ failedUsers }: Cycle, userId: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      failedUsers.add(userId);
      this.#parts.events.emit('cleanup.failed', { userId, trigger: 'background', error: describe(error) });
    }
  }

  /** When the first of the strategies wants it visited. */
  #dueAtMs(manager: WebSocketManager): number {
    const { config, strategies } = this.#parts;
    let firstMs = this.#standingVisitAtMs(manager);
    for (const { dueAtMs } of strategies) if (dueAtMs !== null) firstMs = Math.min(firstMs, dueAtMs(manager, config));
    return firstMs;
  }

  /** A manager that is never closed as idle is visited every 600,000 ms, since other strategies may choose it. */
  #standingVisitAtMs({ idleTimeoutMs, lastActivityAtMs }: WebSocketManager): number {
    if (idleTimeoutMs !== null) return Infinity;
    const everyMs = standingIdleTimeoutMs(null);
    const quietMs = Math.max(0, this.#parts.clock.now() - lastActivityAtMs);
    return lastActivityAtMs + everyMs * Math.floor(quietMs / everyMs + 1);
  }

  /** A bucket holds what is due before its end, so a bucket wholly in the past holds only what is due. */
  #bucketAt(atMs: number): number {
    return Math.floor(atMs / this.#bucketMs);
  }
}

interface Cycle {
  readonly tally: Tally;
  readonly users: ShardedMap<true>;
  readonly failedUsers: Set<string>;
}
