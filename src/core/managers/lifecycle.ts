import { releaseReasons, type CloseCause, type Finding, type ReleasedBy, type ReleaseReason } from '../vocabulary.js';
import type { EventStream } from '../events.js';
import type { Clock } from '../time.js';
import { silentMsOf } from './ages.js';
import type { Closable, ClosingConnections, ClosingFollower } from './closing.js';
import type { Hold, HoldOptions } from './hold.js';
import type { Holds } from './holds.js';
import { ManagedConnection } from './managed-connection.js';
import type { AttachedConnection, ManagerLifecycle, ReleaseHook, WebSocketManager } from './manager.js';
import type { ReleaseHooks } from './release-hooks.js';
import type { ManagerRegistry } from './registry.js';
import type { ReleaseOptions } from './release-options.js';

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
    add(connection: AttachedConnection): void;
    pingIfNew(connection: AttachedConnection): void;
    remove(connection: AttachedConnection): void;
  };
  readonly suspicion: { remove(connection: AttachedConnection): void };
  readonly arrivals: { remove(connection: AttachedConnection): void };
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
  readonly confirmations: { released(manager: WebSocketManager): void };
  readonly takeover: { incumbentEnded(manager: WebSocketManager): void };
  readonly admission: {
    slotFreed(userId: string, isForHeard?: boolean): void;
    refuseUnserved(userId: string, serial: number): void;
    forgetLimitIfGone(userId: string): void;
  };
  readonly queue: { sizeOf(userId: string): number };
  readonly lateAnswers: {
    await(connection: AttachedConnection, by: ReleasedBy | null): void;
    over(connection: AttachedConnection): void;
  };
  readonly audit: { arm(): void };
  readonly leaks: {
    admitted(manager: WebSocketManager): void;
    connectionEnded(connection: AttachedConnection): void;
    released(manager: WebSocketManager): void;
  };
  readonly drain: { letGo(manager: WebSocketManager): void; released(): void };
}

/** Whether it has a manager: a socket that was refused closes too. */
const isAttached = (connection: Closable): connection is AttachedConnection => connection instanceof ManagedConnection;

const noOptions: ReleaseOptions = Object.freeze({});

/**
 * What happens to managers and their connections, and what follows from it, in this order and nowhere else.
 *
 * Every part that reports something gets the lifecycle when it is made; the lifecycle gets the parts last, by
 * {@link connect}, since release and admission need each other.
 */
export class Lifecycle implements ManagerLifecycle, ClosingFollower {
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
  opened(connection: AttachedConnection): void {
    const { heartbeat, background, monitor } = this.#parts;
    heartbeat.add(connection);
    if (connection.generation > 1) background.takenOver(connection.manager);
    if (monitor.isCrowded(connection.manager.userId)) heartbeat.pingIfNew(connection);
  }

  /** A newer connection of its thread is about to take over: this one is watched no longer. */
  replaced(connection: AttachedConnection): void {
    this.#unwatch(connection);
    connection.manager.keepActivity();
  }

  connectionClosing(connection: AttachedConnection): void {
    this.#parts.closing.began(connection);
    this.#ended(connection);
  }

  connectionClosed(connection: AttachedConnection): void {
    this.#parts.closing.closed(connection);
    this.#ended(connection);
  }

  endConnection(connection: AttachedConnection): void {
    const { manager } = connection;
    if (manager.successor === null && !this.#willBeAway(manager)) {
      this.release(manager, 'closed');
      return;
    }
    this.connectionClosed(connection);
    this.#parts.closing.close(connection, 'closed');
  }

  connectionOverfull({ manager }: AttachedConnection): void {
    this.release(manager, 'disconnected', { closeCause: 'slow', finding: 'overfull' });
  }

  /** The heartbeat found a connection dead: it missed its heartbeats, is not open, or its unsent data is stuck. */
  died(connection: AttachedConnection, finding: Finding): void {
    this.#parts.heartbeat.remove(connection);
    const closeCause = finding === 'stuck' ? 'slow' : 'silent';
    if (connection.isCurrent)
      this.release(connection.manager, 'disconnected', { closeCause, finding, by: 'heartbeat' });
    this.#parts.takeover.incumbentEnded(connection.manager);
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

  closingBegan(connection: Closable): void {
    if (isAttached(connection)) this.#parts.leaks.connectionEnded(connection);
  }

  closingOver(connection: Closable): void {
    if (isAttached(connection)) this.#parts.lateAnswers.over(connection);
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
      manager.ensureExtras().due ??= { reason, options: { ...options, closeCause } };
      return false;
    }
    const { registry, closing, hooks, monitor, admission, drain, leaks } = this.#parts;
    if (!registry.remove(manager)) return false;
    const lastActivityAtMs = manager.lastActivityAtMs;
    manager.releasedFor = reason;
    manager.successor?.superseded(reason === 'shutdown' ? 'draining' : 'released');
    this.#freed(manager, options);
    this.#announce(manager, { reason, closeCause, lastActivityAtMs, options });
    const { connection } = manager;
    if (connection !== null) closing.close(connection, closeCause, options.detail);
    hooks.start(manager, reason);
    monitor.observe(manager.userId);
    admission.forgetLimitIfGone(manager.userId);
    drain.released();
    leaks.released(manager);
    return true;
  }

  /** The successor did not come: a release that waited for it happens now. */
  settleDue(manager: WebSocketManager): void {
    const due = manager.extras?.due ?? null;
    if (due === null || manager.successor !== null) return;
    this.release(manager, due.reason, due.options);
  }

  /** Nothing watches the manager any longer; the slot goes to the next in line. */
  #freed(manager: WebSocketManager, { finding, by, isForHeard }: ReleaseOptions): void {
    const { lateAnswers, background, holds, away, tickets, confirmations, admission } = this.#parts;
    const { connection } = manager;
    if (connection !== null) {
      this.#unwatch(connection);
      if (finding === 'silent') lateAnswers.await(connection, by ?? null);
    }
    background.remove(manager);
    holds.released(manager);
    away.remove(manager);
    tickets.released(manager);
    confirmations.released(manager);
    admission.slotFreed(manager.userId, isForHeard);
  }

  #announce(
    manager: WebSocketManager,
    said: { reason: ReleaseReason; closeCause: CloseCause; lastActivityAtMs: number; options: ReleaseOptions },
  ): void {
    const { generation, admittedAtMs, connection } = manager;
    const { by = null, limitMs = null, finding = null } = said.options;
    const now = this.clock.now();
    this.#parts.events.emitOf('manager.released', manager, {
      reason: said.reason,
      closeCause: connection === null ? null : said.closeCause,
      generation,
      ageMs: now - admittedAtMs,
      idleMs: now - said.lastActivityAtMs,
      silentMs: silentMsOf(manager, now),
      by,
      limitMs,
      finding,
    });
  }

  /** A connection ended by itself. If another took it over before, this changes nothing. */
  #ended(connection: AttachedConnection): void {
    const { away, takeover } = this.#parts;
    this.#unwatch(connection);
    const { manager } = connection;
    if (!connection.isCurrent) return;
    const isAway = this.#willBeAway(manager);
    manager.keepActivity();
    manager.connection = null;
    if (isAway) away.add(manager);
    else this.release(manager, 'closed');
    takeover.incumbentEnded(manager);
  }

  #unwatch(connection: AttachedConnection): void {
    const { heartbeat, suspicion, arrivals } = this.#parts;
    heartbeat.remove(connection);
    suspicion.remove(connection);
    arrivals.remove(connection);
  }

  /** Whether the manager waits for its thread's next connection; not if a newcomer waits for the place. */
  #willBeAway(manager: WebSocketManager): boolean {
    return this.#parts.away.isFor(manager) && this.#parts.queue.sizeOf(manager.userId) === 0;
  }
}
