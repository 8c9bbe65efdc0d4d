import { UserExecutionContext } from '../identity/user-execution-context.js';
import { never } from '../time.js';
import { idleTimeoutOf, standingIdleTimeoutMs } from '../idle-timeout.js';
import type { Hold, HoldOptions, LastingHold } from './hold.js';
import type { ConnectionLifecycle, ManagedConnection } from './managed-connection.js';
import type { ReleaseOptions } from './release-options.js';
import type { ReleaseReason } from '../vocabulary.js';

/** A connection, and the whole manager it belongs to. */
export type AttachedConnection = ManagedConnection<WebSocketManager>;

/** A release, as hooks are told. */
export interface Release {
  readonly manager: WebSocketManager;
  readonly reason: ReleaseReason;
  /** Aborted when the hook has run for `hookTimeoutMs`. */
  readonly signal: AbortSignal;
}

/** Runs once when the manager is released, for any reason. If it throws, that is reported and delays nothing. */
export type ReleaseHook = (release: Release) => void | Promise<void>;

/** A newcomer of the same thread that will take over once its socket is open. */
export interface Successor {
  /** Tells it that the connection it waits for, or the manager itself, is gone. */
  superseded(cause: 'replaced' | 'released' | 'draining'): void;
}

/** A release that was decided while a successor was pending; it happens if the successor does not come. */
export interface DueRelease {
  readonly reason: ReleaseReason;
  readonly options: ReleaseOptions;
}

/** What managers share: one object, so that each of them stays small. */
export interface ManagerLifecycle extends ConnectionLifecycle {
  readonly idleManagerTimeoutMs: number | null;
  takeHold(manager: WebSocketManager, options?: HoldOptions): Hold;
  managerFailed(manager: WebSocketManager): void;
  managerReported(manager: WebSocketManager): void;
  hookCameLate(manager: WebSocketManager, hook: ReleaseHook, reason: ReleaseReason): void;
}

/** Where a manager is in its life. */
export type ManagerState = 'reserved' | 'attached' | 'away' | 'released';

/** Fields that few managers need, kept apart so that the others take less memory. */
interface ManagerExtras {
  readonly holds: Set<LastingHold>;
  /** When a hold was last taken or renewed. */
  renewedAtMs: number;
  /** Since when it has waited, held, for its thread's next connection. */
  awaySinceMs: number | null;
  hooks: Set<ReleaseHook>;
  takeoversAtMs: number[];
  failedAtMs: number;
  reportedAtMs: number;
  lastError: unknown;
  successor: Successor | null;
  due: DueRelease | null;
}

/**
 * Owns the one connection of an isolation key. It is what counts against the user's limit, from the moment the slot
 * is granted to the moment it is released; sockets come and go beneath it.
 *
 * `Socket` is what the adapter calls a socket: for `mooring/ws` a `WebSocket`.
 */
export class WebSocketManager<Socket = unknown> {
  /** @internal */ connection: AttachedConnection | null = null;
  /** @internal */ generation = 0;
  /** Inbound activity apart from the current connection's: admission, holds, and connections before. */
  #inboundAtMs: number;
  /** What connections before the current one sent. */
  #formerOutboundAtMs = never;
  readonly admittedAtMs: number;
  /** @internal What it was released for. */ releasedFor: ReleaseReason | null = null;
  /** @internal */ extras: ManagerExtras | null = null;
  /** @internal */ wheelBucket = -1;
  /** @internal */ wheelIndex = 0;

  /** @internal */
  constructor(
    /** @internal */ readonly lifecycle: ManagerLifecycle,
    /** The context of the newest connection. */
    public context: UserExecutionContext,
  ) {
    this.admittedAtMs = lifecycle.clock.now();
    this.#inboundAtMs = this.admittedAtMs;
  }

  /** The isolation key. */
  get key(): string {
    return UserExecutionContext.keyOf(this.context);
  }

  get userId(): string {
    return this.context.userId;
  }

  get threadId(): string {
    return this.context.threadId;
  }

  /**
   * `reserved` until a first socket is attached; `away` while it is held and waits for the next connection of its thread;
   * `released` from the moment the slot is free.
   */
  get state(): ManagerState {
    if (this.isReleased) return 'released';
    if (this.awaySinceMs !== null) return 'away';
    return this.generation === 0 ? 'reserved' : 'attached';
  }

  /**
   * The socket of its connection as it is now, or `null`: while the manager is `reserved` or `away`, and once it is
   * released. A run sends to this, and so to the connection that took over since it began. Never throws.
   */
  socket(): Socket | null {
    const { connection } = this;
    return this.isReleased || connection === null ? null : ((connection.transport.socket ?? null) as Socket | null);
  }

  /** What the application said of the newest connection, as `data` of its context. */
  get data(): unknown {
    return this.context.data;
  }

  /**
   * After how long without activity a cleanup closes it, in milliseconds: what its newest connection says by
   * `idleTimeoutMs`, else the setting idleManagerTimeoutMs. `null`: never for that.
   */
  get idleTimeoutMs(): number | null {
    const own = this.ownIdleTimeoutMs;
    return own === undefined ? this.lifecycle.idleManagerTimeoutMs : own;
  }

  /** @internal What its newest connection says; `undefined` if it says nothing. */
  get ownIdleTimeoutMs(): number | null | undefined {
    return idleTimeoutOf(this.context);
  }

  /** @internal As {@link idleTimeoutMs}, and what stands for it elsewhere if it is off. */
  get standingIdleTimeoutMs(): number {
    return standingIdleTimeoutMs(this.idleTimeoutMs);
  }

  /** @internal When its connection ended, if it is held and waits for the next one. */
  get awaySinceMs(): number | null {
    return this.extras?.awaySinceMs ?? null;
  }

  /** @internal */
  get isReleased(): boolean {
    return this.releasedFor !== null;
  }

  /** When the application last said something in either direction, on the clock without stalled time. */
  get lastActivityAtMs(): number {
    const { lastInboundAtMs } = this;
    // Usually nothing was sent after the last message arrived; then the socket need not be asked.
    return this.#mayHaveSentAfter(lastInboundAtMs) ? Math.max(lastInboundAtMs, this.lastOutboundAtMs) : lastInboundAtMs;
  }

  /** When the application's peer last said something, or the application held or let go. */
  get lastInboundAtMs(): number {
    return Math.max(this.#inboundAtMs, this.connection?.lastInboundAtMs ?? never);
  }

  /** When the last message was sent that has left the process; one still leaving counts from when some of it left. */
  get lastOutboundAtMs(): number {
    const { connection } = this;
    if (connection === null) return this.#formerOutboundAtMs;
    return Math.max(this.#formerOutboundAtMs, hasLeft(connection) ? connection.lastSendAtMs : connection.lastWriteAtMs);
  }

  #mayHaveSentAfter(atMs: number): boolean {
    const { connection } = this;
    if (this.#formerOutboundAtMs > atMs) return true;
    return connection !== null && (connection.lastSendAtMs > atMs || connection.lastWriteAtMs > atMs);
  }

  /** Whether the application holds it, because something runs. */
  get isHeld(): boolean {
    return this.extras !== null && this.extras.holds.size > 0;
  }

  /** @internal Whether a hold of it was taken or renewed, or anything was said, within its idle timeout. */
  get isHoldFresh(): boolean {
    if (!this.isHeld) return false;
    const usedAtMs = Math.max(this.lastActivityAtMs, this.extras?.renewedAtMs ?? never);
    return this.lifecycle.clock.now() - usedAtMs < this.standingIdleTimeoutMs;
  }

  /**
   * Keeps the manager from being closed as idle while something runs, and from making room for a newcomer as long as the
   * hold was taken or renewed, or anything was said, within the idle timeout. It lasts until the returned function is
   * called, or for `maxMs` after it was taken or last renewed. If the connection says goodbye or breaks meanwhile, the
   * manager waits for the next connection of its thread, for `resumeGraceMs`. A dead connection is dead, held or not.
   * @returns the hold; if the manager is released, a hold that has ended
   * @throws TypeError for options of the wrong type or range, and for more than 1,000 holds at once
   */
  hold(options?: HoldOptions): Hold {
    return this.lifecycle.takeHold(this, options);
  }

  /** @internal Something happened that counts as inbound activity. */
  noteInbound(): void {
    this.#inboundAtMs = this.lifecycle.clock.now();
  }

  /**
   * Runs the hook once when the manager is released; at once if it is already. Not when a newer connection of the
   * same thread takes over. It runs in the async context of this call.
   * @returns takes the hook back
   */
  onRelease(hook: ReleaseHook): () => void {
    if (this.releasedFor !== null) {
      this.lifecycle.hookCameLate(this, hook, this.releasedFor);
      return () => undefined;
    }
    const { hooks } = this.ensureExtras();
    const bound = this.lifecycle.clock.contexts.bound(hook);
    hooks.add(bound);
    return () => {
      hooks.delete(bound);
    };
  }

  /** Says that the connection is broken: the next cleanup releases it, unless something arrives before. */
  fail(error: unknown): void {
    if (this.isReleased) return;
    const extras = this.ensureExtras();
    extras.failedAtMs = this.#afterAllSoFar();
    extras.lastError = error;
    this.lifecycle.managerFailed(this);
  }

  /**
   * Says that something went wrong: unless something arrives, the manager is released `reportedErrorTimeoutMs`
   * after the first report.
   */
  reportError(error: unknown): void {
    if (this.isReleased) return;
    const extras = this.ensureExtras();
    extras.lastError = error;
    if (this.errorReportedAtMs !== null) return;
    extras.reportedAtMs = this.#afterAllSoFar();
    this.lifecycle.managerReported(this);
  }

  /** Whether `fail` was called and nothing has arrived since. */
  get hasFailed(): boolean {
    return this.extras !== null && this.extras.failedAtMs > this.lastInboundAtMs;
  }

  /** When the first error was reported since something last arrived, or `null`. */
  get errorReportedAtMs(): number | null {
    const reportedAtMs = this.extras?.reportedAtMs ?? never;
    return reportedAtMs > this.lastInboundAtMs ? reportedAtMs : null;
  }

  /** The last error reported, whether or not it still counts. */
  get lastError(): unknown {
    return this.extras?.lastError;
  }

  /**
   * Now; what arrived until now counts as earlier, so that of what arrives in the same moment it is known that it came
   * later.
   */
  #afterAllSoFar(): number {
    const { connection } = this;
    const now = this.lifecycle.clock.now();
    this.#inboundAtMs = Math.min(this.lastInboundAtMs, now - 1);
    if (connection !== null) {
      // The next message counts, however soon it comes after the last.
      connection.lastTouchedAtMs = connection.lastSaidAtMs;
      connection.lastInboundAtMs = never;
    }
    return now;
  }

  /** @internal Its connection goes; what it did stays known. */
  keepActivity(): void {
    this.#inboundAtMs = this.lastInboundAtMs;
    this.#formerOutboundAtMs = this.lastOutboundAtMs;
  }

  /** @internal */
  get successor(): Successor | null {
    return this.extras?.successor ?? null;
  }

  /** @internal */
  ensureExtras(): ManagerExtras {
    this.extras ??= {
      holds: new Set(),
      renewedAtMs: never,
      awaySinceMs: null,
      hooks: new Set(),
      takeoversAtMs: [],
      failedAtMs: never,
      reportedAtMs: never,
      lastError: undefined,
      successor: null,
      due: null,
    };
    return this.extras;
  }
}

function hasLeft(connection: ManagedConnection): boolean {
  // If nothing was sent, the socket need not be asked.
  if (connection.lastSendAtMs === never) return true;
  try {
    return connection.transport.unsentBytes === 0;
  } catch {
    return false;
  }
}
