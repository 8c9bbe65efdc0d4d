import type { CloseCause } from '../close-codes.js';
import type { EventStream, ReleasedBy } from '../events.js';
import type { Clock } from '../time.js';
import type { Closable, ClosingConnections, ClosingFollower } from './closing.js';
import type { Hold, HoldOptions, Holds } from './holds.js';
import { ManagedConnection } from './managed-connection.js';
import type { ManagerHost, ReleaseHook, WebSocketManager } from './manager.js';
import type { ReleaseHooks } from './release-hooks.js';
import type { ManagerRegistry } from './registry.js';
import { releaseReasons, type Finding, type ReleaseOptions, type ReleaseReason } from './release-reason.js';

/** Everything a lifecycle acts on. Parts of other folders are named by what is asked of them. */
export interface LifecycleParts {
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly closing: ClosingConnections;
  readonly hooks: ReleaseHooks;
  readonly holds: Pick<Holds, 'take' | 'released'>;
  readonly away: {
    isFor(manager: WebSocketManager): boolean;
    add(manager: WebSocketManager): void;
    remove(manager: WebSocketManager): void;
    end(manager: WebSocketManager): void;
  };
  readonly heartbeat: {
    add(link: ManagedConnection): void;
    introduce(link: ManagedConnection): void;
    remove(link: ManagedConnection): void;
  };
  readonly suspicion: { remove(link: ManagedConnection): void };
  readonly arrivals: { remove(link: ManagedConnection): void };
  readonly background: {
    add(manager: WebSocketManager): void;
    takenOver(manager: WebSocketManager): void;
    failed(manager: WebSocketManager): void;
    reported(manager: WebSocketManager): void;
    remove(manager: WebSocketManager): void;
  };
  readonly emergency: { suspected(userId: string): void };
  readonly monitor: { isCrowded(userId: string): boolean; observe(userId: string): void };
  readonly tickets: { released(manager: WebSocketManager): void };
  readonly ledgerDesk: { released(manager: WebSocketManager): void };
  readonly takeover: { incumbentEnded(manager: WebSocketManager): void };
  readonly admission: {
    slotFreed(userId: string, isForHeard?: boolean): void;
    refuseUnserved(userId: string, serial: number): void;
    forgetLimitIfGone(userId: string): void;
  };
  readonly queue: { sizeOf(userId: string): number };
  readonly lateAnswers: {
    await(link: ManagedConnection, by: ReleasedBy | null): void;
    over(link: ManagedConnection): void;
  };
  readonly audit: { arm(): void };
  readonly leaks: {
    admitted(manager: WebSocketManager): void;
    parted(link: ManagedConnection): void;
    released(manager: WebSocketManager): void;
  };
  readonly drain: { letGo(manager: WebSocketManager): void; released(): void };
}

const noOptions: ReleaseOptions = Object.freeze({});

/**
 * What happens to managers and their connections, and what follows from it, in this order and nowhere else.
 *
 * Every part that reports something gets the lifecycle when it is made; the lifecycle gets the parts last, by
 * {@link connect}, since release and admission need each other.
 */
export class Lifecycle implements ManagerHost, ClosingFollower {
  readonly clock: Clock;
  readonly idleManagerTimeoutMs: number | null;
  #parts!: LifecycleParts;

  constructor(clock: Clock, idleManagerTimeoutMs: number | null) {
    this.clock = clock;
    this.idleManagerTimeoutMs = idleManagerTimeoutMs;
  }

  /** Hands over the parts it acts on; once, before anything happens. */
  connect(parts: LifecycleParts): void {
    this.#parts = parts;
  }

  /** A manager was made: it holds a slot from here on. */
  admitted(manager: WebSocketManager): void {
    const { background, audit, leaks } = this.#parts;
    background.add(manager);
    audit.arm();
    leaks.admitted(manager);
  }

  /** A connection is its manager's, and no listener has heard of it yet. */
  opened(link: ManagedConnection): void {
    const { heartbeat, background, monitor } = this.#parts;
    heartbeat.add(link);
    if (link.generation > 1) background.takenOver(link.manager);
    if (monitor.isCrowded(link.manager.userId)) heartbeat.introduce(link);
  }

  /** A newer connection of its thread is about to take over: this one is watched no longer. */
  replaced(link: ManagedConnection): void {
    this.#unwatch(link);
    link.manager.keepActivity();
  }

  connectionClosing(link: ManagedConnection): void {
    this.#parts.closing.began(link);
    this.#ended(link);
  }

  connectionClosed(link: ManagedConnection): void {
    this.#parts.closing.closed(link);
    this.#ended(link);
  }

  endConnection(link: ManagedConnection): void {
    const { manager } = link;
    if (manager.successor === null && !this.#willBeAway(manager)) {
      this.release(manager, 'closed');
      return;
    }
    this.connectionClosed(link);
    this.#parts.closing.close(link, 'closed');
  }

  connectionOverfull({ manager }: ManagedConnection): void {
    this.release(manager, 'disconnected', { closeCause: 'slow', finding: 'overfull' });
  }

  /** The heartbeat found a connection dead: it missed its heartbeats, is not open, or its unsent data is stuck. */
  died(link: ManagedConnection, finding: Finding): void {
    this.#parts.heartbeat.remove(link);
    const closeCause = finding === 'stuck' ? 'slow' : 'silent';
    if (link.isCurrent) this.release(link.manager, 'disconnected', { closeCause, finding, by: 'heartbeat' });
    this.#parts.takeover.incumbentEnded(link.manager);
  }

  /** Connections of this user have become suspects. */
  suspected(userId: string): void {
    this.#parts.emergency.suspected(userId);
  }

  /** An emergency cleanup ended: places that were taken before it began had their chance. */
  runEnded(userId: string, serial: number): void {
    this.#parts.admission.refuseUnserved(userId, serial);
  }

  takeHold(manager: WebSocketManager, options?: HoldOptions): Hold {
    return this.#parts.holds.take(manager, options);
  }

  /** The last hold of a manager ended or expired. */
  letGo(manager: WebSocketManager): void {
    this.#parts.away.end(manager);
    this.#parts.drain.letGo(manager);
  }

  managerFailed(manager: WebSocketManager): void {
    this.#parts.background.failed(manager);
  }

  managerReported(manager: WebSocketManager): void {
    this.#parts.background.reported(manager);
  }

  hookCameLate(manager: WebSocketManager, hook: ReleaseHook, reason: ReleaseReason): void {
    this.#parts.hooks.run(hook, manager, reason);
  }

  closingBegan(link: Closable): void {
    if (link instanceof ManagedConnection) this.#parts.leaks.parted(link);
  }

  closingOver(link: Closable): void {
    if (link instanceof ManagedConnection) this.#parts.lateAnswers.over(link);
  }

  /**
   * The one way out: idempotent, exactly once, and in this order: the slot, the next in line, the event, the close
   * frame, the hooks. Nothing that comes after the first step can hold the slot.
   *
   * With a successor pending the release is only noted, and happens if that does not come; except when asked for, or at
   * shutdown.
   * @returns whether the slot is free because of this call
   */
  release(manager: WebSocketManager, reason: ReleaseReason, options: ReleaseOptions = noOptions): boolean {
    if (manager.isReleased) return false;
    const closeCause = options.closeCause ?? releaseReasons[reason];
    if (manager.successor !== null && reason !== 'requested' && reason !== 'shutdown') {
      manager.mutableParticulars().due ??= { reason, options: { ...options, closeCause } };
      return false;
    }
    const { registry, closing, hooks, monitor, admission, drain, leaks } = this.#parts;
    if (!registry.remove(manager)) return false;
    const lastActivityAtMs = manager.lastActivityAtMs;
    manager.releasedFor = reason;
    manager.successor?.superseded(reason === 'shutdown' ? 'draining' : 'released');
    this.#freed(manager, options);
    this.#announce(manager, { reason, closeCause, lastActivityAtMs, options });
    const { link } = manager;
    if (link !== null) closing.close(link, closeCause, options.detail);
    hooks.start(manager, reason);
    monitor.observe(manager.userId);
    admission.forgetLimitIfGone(manager.userId);
    drain.released();
    leaks.released(manager);
    return true;
  }

  /** The successor did not come: a release that waited for it happens now. */
  settleDue(manager: WebSocketManager): void {
    const due = manager.particulars?.due ?? null;
    if (due === null || manager.successor !== null) return;
    this.release(manager, due.reason, due.options);
  }

  /** Nothing watches the manager any longer; the slot goes to the next in line. */
  #freed(manager: WebSocketManager, { finding, by, isForHeard }: ReleaseOptions): void {
    const { lateAnswers, background, holds, away, tickets, ledgerDesk, admission } = this.#parts;
    const { link } = manager;
    if (link !== null) {
      this.#unwatch(link);
      if (finding === 'silent') lateAnswers.await(link, by ?? null);
    }
    background.remove(manager);
    holds.released(manager);
    away.remove(manager);
    tickets.released(manager);
    ledgerDesk.released(manager);
    admission.slotFreed(manager.userId, isForHeard);
  }

  #announce(
    manager: WebSocketManager,
    said: { reason: ReleaseReason; closeCause: CloseCause; lastActivityAtMs: number; options: ReleaseOptions },
  ): void {
    const { generation, admittedAtMs, link } = manager;
    const { by = null, limitMs = null, finding = null } = said.options;
    const now = this.clock.now();
    this.#parts.events.emitOf('manager.released', manager, {
      reason: said.reason,
      closeCause: link === null ? null : said.closeCause,
      generation,
      ageMs: now - admittedAtMs,
      idleMs: now - said.lastActivityAtMs,
      silentMs: now - (link === null ? admittedAtMs : link.lastByteAtMs),
      by,
      limitMs,
      finding,
    });
  }

  /** A connection ended by itself; a late end of one that was taken over changes nothing. */
  #ended(link: ManagedConnection): void {
    const { away, takeover } = this.#parts;
    this.#unwatch(link);
    const { manager } = link;
    if (!link.isCurrent) return;
    const isAway = this.#willBeAway(manager);
    manager.keepActivity();
    manager.link = null;
    if (isAway) away.add(manager);
    else this.release(manager, 'closed');
    takeover.incumbentEnded(manager);
  }

  #unwatch(link: ManagedConnection): void {
    const { heartbeat, suspicion, arrivals } = this.#parts;
    heartbeat.remove(link);
    suspicion.remove(link);
    arrivals.remove(link);
  }

  /** Whether the manager waits for its thread's next connection; not if a newcomer waits for the place. */
  #willBeAway(manager: WebSocketManager): boolean {
    return this.#parts.away.isFor(manager) && this.#parts.queue.sizeOf(manager.userId) === 0;
  }
}
