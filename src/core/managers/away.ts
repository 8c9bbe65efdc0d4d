import type { EventStream } from '../events.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import type { Lifecycle } from './lifecycle.js';
import type { WebSocketManager } from './manager.js';
import type { ManagerRegistry } from './registry.js';

interface AwayParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'resumeGraceMs'>;
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
}

/**
 * Held managers whose connection closed or broke. Each waits for the next connection of its thread, for at most
 * `resumeGraceMs`, and counts against the limit meanwhile.
 *
 * Why: a page that is reloaded closes its connection before it opens the next one. What runs for it must not end in
 * between.
 */
export class AwayManagers {
  readonly #parts: AwayParts;
  readonly #expiries: ExpiryQueue<WebSocketManager>;
  readonly #waiting = new Map<WebSocketManager, Expiry<WebSocketManager>>();
  #isStopped = false;

  constructor(parts: AwayParts) {
    this.#parts = parts;
    this.#expiries = new ExpiryQueue({
      clock: parts.clock,
      timeoutMs: parts.config.resumeGraceMs,
      onExpired: (manager) => {
        this.end(manager);
      },
    });
  }

  /** Whether the manager would be away, and not released, if its connection ended now. */
  isFor(manager: WebSocketManager): boolean {
    return !this.#isStopped && this.#parts.config.resumeGraceMs > 0 && manager.isHeld;
  }

  /** The manager's connection has ended: from now on it is away. */
  add(manager: WebSocketManager): void {
    const { clock, events, config } = this.#parts;
    manager.ensureExtras().awaySinceMs = clock.now();
    this.#waiting.set(manager, this.#expiries.add(manager));
    const { generation } = manager;
    events.emitOf('connection.left', manager, { generation, graceMs: config.resumeGraceMs });
  }

  /** The manager has a connection again, or is released. Does nothing if it is not away. */
  remove(manager: WebSocketManager): void {
    const expiry = this.#waiting.get(manager);
    if (expiry === undefined) return;
    this.#waiting.delete(manager);
    this.#expiries.delete(expiry);
    manager.ensureExtras().awaySinceMs = null;
  }

  /** Releases the manager: no connection came, or its last hold ended. Does nothing if it is not away. */
  end(manager: WebSocketManager): void {
    if (manager.awaySinceMs !== null) this.#parts.lifecycle.release(manager, 'closed');
  }

  /** Releases the manager of the user that is away for the longest time. @returns whether there was one */
  endOldestOf(userId: string): boolean {
    if (this.#waiting.size === 0) return false;
    let oldest: WebSocketManager | null = null;
    for (const manager of this.#parts.registry.ofUser(userId).values())
      if (awaySinceMs(manager) < (oldest === null ? Infinity : awaySinceMs(oldest))) oldest = manager;
    return oldest !== null && this.#parts.lifecycle.release(oldest, 'closed');
  }

  /** Releases all of them. From now on no manager is away, and no timer is left. */
  stop(): void {
    this.#isStopped = true;
    for (const manager of [...this.#waiting.keys()]) this.end(manager);
    this.#expiries.clear();
  }
}

/** `Infinity` if it is not away, or has a successor: then the next connection of its thread is about to take over. */
function awaySinceMs(manager: WebSocketManager): number {
  return manager.successor === null ? (manager.awaySinceMs ?? Infinity) : Infinity;
}
