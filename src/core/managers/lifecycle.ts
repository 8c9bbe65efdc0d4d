import type { EventStream } from '../events.js';
import type { Clock } from '../time.js';
import { releaseReasons, type CloseCause, type Finding, type ReleasedBy, type ReleaseReason } from '../vocabulary.js';
import type { Closable, Closer, ClosingConnections, ClosingFollower } from './closing.js';
import type { Hold, HoldOptions } from './hold.js';
import type { Holds } from './holds.js';
import { ManagedConnection } from './managed-connection.js';
import type { AttachedConnection, ManagerLifecycle, ReleaseHook, ReleaseOptions, WebSocketManager } from './manager.js';
import type { ManagerRegistry } from './registry.js';
import type { ReleaseHooks } from './release-hooks.js';

/** The parts that the lifecycle acts on. Of parts in other folders, only the methods that it calls. */
export interface LifecycleParts {
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly closing: ClosingConnections;
  readonly hooks: ReleaseHooks;
  readonly holds: Pick<Holds, 'take' | 'managerReleased'>;
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
    managerTakenOver(manager: WebSocketManager): void;
    dueSooner(manager: WebSocketManager): void;
    remove(manager: WebSocketManager): void;
  };
  readonly emergency: { suspectsFound(userId: string): void };
  readonly monitor: { isCrowded(userId: string): boolean; observe(userId: string): void };
  readonly tickets: { managerReleased(manager: WebSocketManager, closeCause: CloseCause): void };
  readonly confirmations: {
    managerOpened(manager: WebSocketManager): void;
    managerTakenOver(manager: WebSocketManager): void;
    managerReleased(manager: WebSocketManager): void;
  };
  readonly takeover: { presentConnectionEnded(manager: WebSocketManager): void };
  readonly admission: {
    slotFreed(userId: string, isForReady?: boolean): void;
    mayAskAgain(userId: string): void;
    refuseUnserved(userId: string, serial: number): void;
    forgetLimitIfGone(userId: string): void;
  };
  readonly queue: { sizeOf(userId: string): number };
  readonly lateAnswers: {
    watch(connection: AttachedConnection, by: ReleasedBy | null): void;
    connectionGone(connection: AttachedConnection): void;
  };
  readonly audit: { arm(): void };
  readonly leaks: {
    managerAdmitted(manager: WebSocketManager): void;
    connectionEnded(connection: AttachedConnection): void;
    managerReleased(manager: WebSocketManager): void;
  };
  readonly drain: { lastHoldEnded(manager: WebSocketManager): void; managerReleased(): void };
}

/** Whether it has a manager. Sockets that were refused have none, and close too. */
const isAttached = (connection: Closable): connection is AttachedConnection => connection instanceof ManagedConnection;

/** Whether a release for this reason does not wait for a takeover under way. */
const isAtOnce = (reason: ReleaseReason): boolean => ['requested', 'moved', 'shutdown'].includes(reason);

const noOptions: ReleaseOptions = Object.freeze({});

/**
 * What follows from each event in the life of a manager or a connection, in order.
 *
 * Every part that reports something gets the lifecycle when it is made. The lifecycle gets the parts last, by
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

  /** Sets the parts that it acts on. To be called once, before the first manager is made. */
  connect(parts: LifecycleParts): void {
    this.#parts = parts;
  }

  /** A manager was made. From now on it holds a slot. */
  managerAdmitted(manager: WebSocketManager): void {
    const { background, audit, leaks } = this.#parts;
    background.add(manager);
    audit.arm();
    leaks.managerAdmitted(manager);
  }

  /** A manager has a new connection. No listener of events knows of it yet. */
  connectionOpened(connection: AttachedConnection): void {
    const { heartbeat, background, confirmations, monitor } = this.#parts;
    heartbeat.add(connection);
    if (connection.generation > 1) {
      background.managerTakenOver(connection.manager);
      confirmations.managerTakenOver(connection.manager);
    } else confirmations.managerOpened(connection.manager);
    if (monitor.isCrowded(connection.manager.userId)) heartbeat.pingIfNew(connection);
  }

  /** A newer connection of the thread is about to take over from this one. */
  connectionReplaced(connection: AttachedConnection): void {
    this.#unwatch(connection);
    connection.manager.keepActivity();
  }

  /** The peer or the application began to close its socket. */
  connectionClosing(connection: AttachedConnection, closer: Closer): void {
    this.#parts.closing.connectionClosing(connection, closer);
    this.#ended(connection);
  }

  /** Its socket is closed. */
  connectionClosed(connection: AttachedConnection): void {
    this.#parts.closing.connectionClosed(connection);
    this.#ended(connection);
  }

  /** The application ends an open connection, by `disconnect`. */
  endConnection(connection: AttachedConnection): void {
    const { manager } = connection;
    if (manager.successor === null && !this.#willBeAway(manager)) {
      this.release(manager, 'closed');
      return;
    }
    this.#ended(connection);
    this.#parts.closing.close(connection, 'closed');
  }

  /** More than `maxUnsentBytes` waited for it when it was handed a message. */
  connectionOverfull({ manager }: AttachedConnection): void {
    this.release(manager, 'disconnected', { closeCause: 'slow', finding: 'overfull' });
  }

  /** The heartbeat found the connection dead: it missed its heartbeats, is not open, or its unsent data is stuck. */
  connectionDied(connection: AttachedConnection, finding: Finding): void {
    this.#parts.heartbeat.remove(connection);
    const closeCause = finding === 'stuck' ? 'slow' : 'silent';
    if (connection.isCurrent)
      this.release(connection.manager, 'disconnected', { closeCause, finding, by: 'heartbeat' });
    this.#parts.takeover.presentConnectionEnded(connection.manager);
  }

  /** Connections of this user have become suspects. */
  suspectsFound(userId: string): void {
    this.#parts.emergency.suspectsFound(userId);
  }

  /** An emergency cleanup ended: newcomers that waited before it began, and still have no slot, are refused. */
  runEnded(userId: string, serial: number): void {
    this.#parts.admission.refuseUnserved(userId, serial);
  }

  /** The quota of this user may have room again, counting all processes. */
  mayAskAgain(userId: string): void {
    this.#parts.admission.mayAskAgain(userId);
  }

  /** The total of this user in all processes may have changed. */
  totalChanged(userId: string): void {
    this.#parts.monitor.observe(userId);
  }

  takeHold(manager: WebSocketManager, options?: HoldOptions): Hold {
    return this.#parts.holds.take(manager, options);
  }

  lastHoldEnded(manager: WebSocketManager): void {
    this.#parts.away.end(manager);
    this.#parts.drain.lastHoldEnded(manager);
  }

  managerFailed(manager: WebSocketManager): void {
    this.#parts.background.dueSooner(manager);
  }

  errorReported(manager: WebSocketManager): void {
    this.#parts.background.dueSooner(manager);
  }

  lateHookAdded(manager: WebSocketManager, hook: ReleaseHook, reason: ReleaseReason): void {
    this.#parts.hooks.run(hook, manager, reason);
  }

  socketClosing(connection: Closable): void {
    if (isAttached(connection)) this.#parts.leaks.connectionEnded(connection);
  }

  socketGone(connection: Closable): void {
    if (isAttached(connection)) this.#parts.lateAnswers.connectionGone(connection);
  }

  /**
   * Releases a manager, once, in this order: free the slot, give it to the next newcomer in line, emit the event, send the
   * close frame, start the hooks. No later step can keep the slot.
   *
   * A successor is a newer connection of the thread that is about to take the manager over. While there is one, the
   * release is only noted, and happens if the successor does not come. Releases that an operator or another process asked
   * for, or a shutdown, do not wait: the successor is refused with the same cause.
   * @returns whether this call freed the slot
   */
  release(manager: WebSocketManager, reason: ReleaseReason, options: ReleaseOptions = noOptions): boolean {
    if (manager.isReleased) return false;
    const closeCause = options.closeCause ?? releaseReasons[reason];
    if (manager.successor !== null && !isAtOnce(reason)) {
      manager.ensureExtras().due ??= { reason, options: { ...options, closeCause } };
      return false;
    }
    const { registry, closing, hooks, monitor, admission, drain, leaks } = this.#parts;
    if (!registry.remove(manager)) return false;
    const lastActivityAtMs = manager.lastActivityAtMs;
    manager.releasedFor = reason;
    manager.successor?.superseded(closeCause);
    this.#freed(manager, closeCause, options);
    this.#announce(manager, { reason, closeCause, lastActivityAtMs, options });
    const { connection } = manager;
    if (connection !== null) closing.close(connection, closeCause, options.detail);
    hooks.start(manager, reason);
    monitor.observe(manager.userId);
    admission.forgetLimitIfGone(manager.userId);
    drain.managerReleased();
    leaks.managerReleased(manager);
    return true;
  }

  /** The successor did not come: does the release that waited for it, if there is one. */
  releaseIfDue(manager: WebSocketManager): void {
    const due = manager.extras?.due ?? null;
    if (due === null || manager.successor !== null) return;
    this.release(manager, due.reason, due.options);
  }

  /** Takes the manager out of all parts, and gives the slot to the next newcomer in line. */
  #freed(manager: WebSocketManager, closeCause: CloseCause, { finding, by, isForReady }: ReleaseOptions): void {
    const { lateAnswers, background, holds, away, tickets, confirmations, admission } = this.#parts;
    const { connection } = manager;
    if (connection !== null) {
      this.#unwatch(connection);
      if (finding === 'silent') lateAnswers.watch(connection, by ?? null);
    }
    background.remove(manager);
    holds.managerReleased(manager);
    away.remove(manager);
    tickets.managerReleased(manager, closeCause);
    confirmations.managerReleased(manager);
    admission.slotFreed(manager.userId, isForReady);
  }

  #announce(
    manager: WebSocketManager,
    release: { reason: ReleaseReason; closeCause: CloseCause; lastActivityAtMs: number; options: ReleaseOptions },
  ): void {
    const { generation, admittedAtMs, connection } = manager;
    const { by = null, limitMs = null, finding = null } = release.options;
    const now = this.clock.now();
    this.#parts.events.emitOf('manager.released', manager, {
      reason: release.reason,
      closeCause: connection === null ? null : release.closeCause,
      generation,
      ageMs: now - admittedAtMs,
      idleMs: now - release.lastActivityAtMs,
      silentMs: now - manager.lastByteAtMs,
      by,
      limitMs,
      finding,
    });
  }

  /** A connection ended by itself. If a newer one took over before, this changes nothing. */
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
    takeover.presentConnectionEnded(manager);
  }

  #unwatch(connection: AttachedConnection): void {
    const { heartbeat, suspicion, arrivals } = this.#parts;
    heartbeat.remove(connection);
    suspicion.remove(connection);
    arrivals.remove(connection);
  }

  /** Whether the manager would be away if its connection ended now; not while a newcomer of the user waits. */
  #willBeAway(manager: WebSocketManager): boolean {
    return this.#parts.away.isFor(manager) && this.#parts.queue.sizeOf(manager.userId) === 0;
  }
}
