import type { EventStream } from '../events.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import type { Clock } from '../time.js';
import type { WebSocketManager } from './manager.js';
import type { ManagerRegistry } from './registry.js';
import type { Lifecycle } from './lifecycle.js';

interface AwayParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
  /** How long a manager stays away, in milliseconds; 0: none ever is. */
  readonly resumeGraceMs: number;
}

/**
 * Held managers whose connection said goodbye or broke: a page that is being reloaded closes its connection before it
 * opens the next one, and what runs for it must not end in between. Each waits for its thread's next connection, for
 * `resumeGraceMs` at most, and counts against the limit meanwhile.
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
      timeoutMs: parts.resumeGraceMs,
      onExpired: (manager) => {
        this.end(manager);
      },
    });
  }

  /** Whether the manager would be away, and not released, if its connection ended now. */
  isFor(manager: WebSocketManager): boolean {
    return !this.#isStopped && this.#parts.resumeGraceMs > 0 && manager.isHeld;
  }

  /** The manager's connection has ended; it waits for the next one. */
  add(manager: WebSocketManager): void {
    const { clock, events, resumeGraceMs } = this.#parts;
    manager.ensureExtras().awaySinceMs = clock.now();
    this.#waiting.set(manager, this.#expiries.add(manager));
    const { userId, threadId, key, generation } = manager;
    events.emit('connection.left', { userId, threadId, key, generation, graceMs: resumeGraceMs });
  }

  /** The manager has a connection again, or is released. Does nothing if it is not away. */
  remove(manager: WebSocketManager): void {
    const expiry = this.#waiting.get(manager);
    if (expiry === undefined) return;
    this.#waiting.delete(manager);
    this.#expiries.delete(expiry);
    manager.ensureExtras().awaySinceMs = null;
  }

  /** No connection came back for it, or its last hold ended. Does nothing if it is not away. */
  end(manager: WebSocketManager): void {
    if (manager.awaySinceMs !== null) this.#parts.lifecycle.release(manager, 'closed');
  }

  /** A newcomer needs the place: of the user's managers the one longest away goes. @returns whether there was one */
  endOldestOf(userId: string): boolean {
    if (this.#waiting.size === 0) return false;
    let oldest: WebSocketManager | null = null;
    for (const manager of this.#parts.registry.ofUser(userId).values())
      if (isAway(manager) && (oldest === null || sinceMs(manager) < sinceMs(oldest))) oldest = manager;
    return oldest !== null && this.#parts.lifecycle.release(oldest, 'closed');
  }

  /** A drain begins: all of them are released, none is away any longer, and no timer is left. */
  stop(): void {
    this.#isStopped = true;
    for (const manager of [...this.#waiting.keys()]) this.end(manager);
    this.#expiries.clear();
  }
}

/** One whose next connection is on its way is not in anybody's way: it is taken over in a moment. */
function isAway(manager: WebSocketManager): boolean {
  return manager.awaySinceMs !== null && manager.successor === null;
}

function sinceMs({ awaySinceMs }: WebSocketManager): number {
  return awaySinceMs ?? Infinity;
}
