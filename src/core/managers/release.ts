import type { CloseCause } from '../close-codes.js';
import type { EventStream } from '../events.js';
import type { ClosingConnections } from './closing.js';
import type { WebSocketManager } from './manager.js';
import type { ReleaseHooks } from './release-hooks.js';
import type { ManagerRegistry } from './registry.js';
import { releaseReasons, type ReleaseOptions, type ReleaseReason } from './release-reason.js';

interface ReleaserOptions {
  readonly registry: ManagerRegistry;
  readonly events: EventStream;
  readonly closing: ClosingConnections;
  readonly hooks: ReleaseHooks;
}

const noOptions: ReleaseOptions = Object.freeze({});

/** Hears of each release once the slot is free, in the order of registration, before anything else happens. */
export type SlotFreed = (manager: WebSocketManager, options: ReleaseOptions) => void;

/**
 * The one way out: idempotent, exactly once, and in this order: the slot, the next in line, the event, the close
 * frame, the hooks. Nothing that comes after the first step can hold the slot.
 * @source spec section 4; isaacs/ttlcache (mutate first, then call back)
 */
export class Releaser {
  readonly #options: ReleaserOptions;
  readonly #whenFreed: SlotFreed[] = [];
  readonly #whenDone: SlotFreed[] = [];

  constructor(options: ReleaserOptions) {
    this.#options = options;
  }

  /** Registers what happens with a freed slot. */
  whenFreed(act: SlotFreed): void {
    this.#whenFreed.push(act);
  }

  /** Registers what happens after all else, hooks' start included. */
  whenDone(act: SlotFreed): void {
    this.#whenDone.push(act);
  }

  /**
   * Releases the manager. With a successor pending the release is only noted, and happens if that does not come;
   * except when asked for, or at shutdown.
   * @returns whether the slot is free because of this call
   */
  release(manager: WebSocketManager, reason: ReleaseReason, options: ReleaseOptions = noOptions): boolean {
    if (manager.isReleased) return false;
    const closeCause = options.closeCause ?? releaseReasons[reason];
    if (manager.successor !== null && reason !== 'requested' && reason !== 'shutdown') {
      manager.mutableParticulars().due ??= { reason, options: { ...options, closeCause } };
      return false;
    }
    if (!this.#options.registry.remove(manager)) return false;
    const lastActivityAtMs = manager.lastActivityAtMs;
    manager.releasedFor = reason;
    manager.successor?.superseded(reason === 'shutdown' ? 'draining' : 'released');
    for (const act of this.#whenFreed) act(manager, options);
    this.#emit(manager, { reason, closeCause, lastActivityAtMs, options });
    const { link } = manager;
    if (link !== null) this.#options.closing.close(link, closeCause, options.detail);
    this.#options.hooks.start(manager, reason);
    for (const act of this.#whenDone) act(manager, options);
    return true;
  }

  /** The successor did not come: a release that waited for it happens now. */
  settleDue(manager: WebSocketManager): void {
    const due = manager.particulars?.due ?? null;
    if (due === null || manager.successor !== null) return;
    this.release(manager, due.reason, due.options);
  }

  #emit(
    manager: WebSocketManager,
    said: { reason: ReleaseReason; closeCause: CloseCause; lastActivityAtMs: number; options: ReleaseOptions },
  ): void {
    const { generation, admittedAtMs, host, link } = manager;
    const now = host.clock.now();
    this.#options.events.emitOf('manager.released', manager, {
      reason: said.reason,
      closeCause: link === null ? null : said.closeCause,
      generation,
      ageMs: now - admittedAtMs,
      idleMs: now - said.lastActivityAtMs,
      silentMs: now - (link === null ? admittedAtMs : link.lastByteAtMs),
      by: said.options.by ?? null,
      limitMs: said.options.limitMs ?? null,
      finding: said.options.finding ?? null,
    });
  }
}
