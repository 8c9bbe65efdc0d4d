import type { CloseDetail } from '../close-codes.js';
import { idleTimeoutOf, standingIdleTimeoutMs } from '../idle-timeout.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { UserExecutionContext } from '../identity/user-execution-context.js';
import { never } from '../time.js';
import type { CloseCause, Finding, ReleasedBy, ReleaseReason } from '../vocabulary.js';
import type { Hold, HoldOptions, LastingHold } from './hold.js';
import type { ConnectionLifecycle, ManagedConnection } from './managed-connection.js';

/** A connection, and the whole manager it belongs to. */
export interface AttachedConnection extends ManagedConnection<WebSocketManager> {}

/** A release, as hooks get it. */
export interface Release {
  readonly manager: WebSocketManager;
  readonly reason: ReleaseReason;
  /** Aborted when the hook has run for `hookTimeoutMs`. */
  readonly signal: AbortSignal;
}

/** Runs once when the manager is released, for any reason. An error that it throws is reported and delays nothing. */
export type ReleaseHook = (release: Release) => void | Promise<void>;

/** A newcomer of the same thread that will take over once its socket is open. */
export interface Successor {
  /** @internal Called when the manager is released: it will not take over. */
  superseded(closeCause: CloseCause): void;
}

/** Details of a release. */
export interface ReleaseOptions {
  /** @default the cause that belongs to the reason */
  readonly closeCause?: CloseCause | undefined;
  readonly detail?: CloseDetail;
  /** The cleanup, or the heartbeat, that decided it. */
  readonly by?: ReleasedBy;
  /** The limit in milliseconds that an age of the manager reached. */
  readonly limitMs?: number | undefined;
  /** What showed that the connection is dead. */
  readonly finding?: Finding | undefined;
  /** Whether the slot goes first to a newcomer that is ready: one that has answered. @default false */
  readonly isForReady?: boolean;
}

/** A release that was decided while a successor was pending. It happens if the successor does not come. */
export interface DueRelease {
  readonly reason: ReleaseReason;
  readonly options: ReleaseOptions;
}

/** One object that all managers share, so that each of them stays small. */
export interface ManagerLifecycle extends ConnectionLifecycle {
  readonly idleManagerTimeoutMs: number | null;
  takeHold(manager: WebSocketManager, options?: HoldOptions): Hold;
  managerFailed(manager: WebSocketManager): void;
  errorReported(manager: WebSocketManager): void;
  lateHookAdded(manager: WebSocketManager, hook: ReleaseHook, reason: ReleaseReason): void;
}

/** Where a manager is in its life. */
export type ManagerState = 'reserved' | 'attached' | 'away' | 'released';

/** Fields that few managers need, kept apart so that the others take less memory. */
interface ManagerExtras {
  readonly holds: Set<LastingHold>;
  /** When a hold was last taken or renewed. */
  renewedAtMs: number;
  /** Since when it has waited for the next connection of its thread; `null` unless it is away. */
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
 * Owns the one connection of an isolation key. It counts against the user's limit from the moment its slot is granted
 * until it is released. A newer connection of the thread takes it over.
 *
 * `Socket` is the adapter's type of a socket: a `WebSocket` for `mooring/ws`. `Data` is the type of the `data` in the
 * contexts that the application gives.
 */
export class WebSocketManager<Socket = unknown, Data = unknown> {
  /** @internal */ connection: AttachedConnection | null = null;
  /** @internal */ generation = 0;
  /** Inbound activity apart from the current connection's: admission, holds, and connections before. */
  #inboundAtMs: number;
  /** The last outbound activity of connections before the current one. */
  #formerOutboundAtMs = never;
  readonly admittedAtMs: number;
  /** @internal */ releasedFor: ReleaseReason | null = null;
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
    return isolationKey(this.context);
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
   * The socket of its present connection; `null` while the manager is `reserved` or `away`, and once it is released. Code
   * that calls this for each message sends to the newest connection of the thread. Never throws.
   */
  socket(): Socket | null {
    const { connection } = this;
    return this.isReleased || connection === null ? null : ((connection.transport.socket ?? null) as Socket | null);
  }

  /** The `data` that the application gave in the context of the newest connection. */
  get data(): Data {
    return this.context.data as Data;
  }

  /**
   * After how many milliseconds without activity a cleanup closes it: the `idleTimeoutMs` of its newest connection, else
   * the setting idleManagerTimeoutMs. `null`: it is never closed as idle.
   */
  get idleTimeoutMs(): number | null {
    const own = this.ownIdleTimeoutMs;
    return own === undefined ? this.lifecycle.idleManagerTimeoutMs : own;
  }

  /** @internal The idle timeout that its newest connection came with; `undefined` if it came with none. */
  get ownIdleTimeoutMs(): number | null | undefined {
    return idleTimeoutOf(this.context);
  }

  /** @internal As {@link idleTimeoutMs}; 600,000 if that is `null`. */
  get standingIdleTimeoutMs(): number {
    return standingIdleTimeoutMs(this.idleTimeoutMs);
  }

  /** @internal When its connection ended, if it is away; else `null`. */
  get awaySinceMs(): number | null {
    return this.extras?.awaySinceMs ?? null;
  }

  /** @internal */
  get isReleased(): boolean {
    return this.releasedFor !== null;
  }

  /** @internal When the peer was last heard of; without a connection, when the manager was admitted. */
  get lastByteAtMs(): number {
    return this.connection?.lastByteAtMs ?? this.admittedAtMs;
  }

  /** When the last message went either way, on the clock without stalled time. */
  get lastActivityAtMs(): number {
    const { lastInboundAtMs } = this;
    // The counters of the socket are read only if a message was sent after the last one arrived.
    return this.#mayHaveSentAfter(lastInboundAtMs) ? Math.max(lastInboundAtMs, this.lastOutboundAtMs) : lastInboundAtMs;
  }

  /** When the last message arrived, or a hold was last taken or ended. */
  get lastInboundAtMs(): number {
    return Math.max(this.#inboundAtMs, this.connection?.lastInboundAtMs ?? never);
  }

  /** When the last message was sent. While a message is still leaving, when some of it last left the process. */
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

  /** @internal Whether, within its idle timeout, a hold was taken or renewed, or a message went either way. */
  get isHoldFresh(): boolean {
    if (!this.isHeld) return false;
    const usedAtMs = Math.max(this.lastActivityAtMs, this.extras?.renewedAtMs ?? never);
    return this.lifecycle.clock.now() - usedAtMs < this.standingIdleTimeoutMs;
  }

  /**
   * Keeps the manager from being closed as idle while something runs. It also keeps it from being evicted for a newcomer,
   * as long as the hold was taken or renewed, or a message went either way, within the idle timeout. The hold lasts until
   * the returned function is called, or for `maxMs` after it was taken or last renewed. If the connection closes or
   * breaks meanwhile, the manager waits for the next connection of its thread, for `resumeGraceMs`. A hold does not
   * protect a dead connection.
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
   * Runs the hook once when the manager is released; at once if it is released already. A takeover by a newer connection
   * of the thread is no release. The hook runs in the async context of this call.
   * @returns removes the hook
   */
  onRelease(hook: ReleaseHook): () => void {
    if (this.releasedFor !== null) {
      this.lifecycle.lateHookAdded(this, hook, this.releasedFor);
      return () => undefined;
    }
    const { hooks } = this.ensureExtras();
    const bound = this.lifecycle.clock.contexts.bound(hook);
    hooks.add(bound);
    return () => {
      hooks.delete(bound);
    };
  }

  /** Reports that the connection is broken: the next cleanup releases the manager, unless a message arrives before. */
  fail(error: unknown): void {
    if (this.isReleased) return;
    const extras = this.ensureExtras();
    extras.failedAtMs = this.#afterAllSoFar();
    extras.lastError = error;
    this.lifecycle.managerFailed(this);
  }

  /**
   * Reports an error: unless a message arrives, the manager is released `reportedErrorTimeoutMs` after the first
   * report.
   */
  reportError(error: unknown): void {
    if (this.isReleased) return;
    const extras = this.ensureExtras();
    extras.lastError = error;
    if (this.errorReportedAtMs !== null) return;
    extras.reportedAtMs = this.#afterAllSoFar();
    this.lifecycle.errorReported(this);
  }

  /** Whether `fail` was called and no message has arrived since. */
  get hasFailed(): boolean {
    return this.extras !== null && this.extras.failedAtMs > this.lastInboundAtMs;
  }

  /** When the first error was reported since the last message arrived, or `null`. */
  get errorReportedAtMs(): number | null {
    const reportedAtMs = this.extras?.reportedAtMs ?? never;
    return reportedAtMs > this.lastInboundAtMs ? reportedAtMs : null;
  }

  /** The last error reported, whether or not it still counts. */
  get lastError(): unknown {
    return this.extras?.lastError;
  }

  /**
   * The present time. Messages that have arrived count as at least a millisecond earlier, so that a message that arrives
   * in this same millisecond counts as later.
   */
  #afterAllSoFar(): number {
    const { connection } = this;
    const now = this.lifecycle.clock.now();
    this.#inboundAtMs = Math.min(this.lastInboundAtMs, now - 1);
    if (connection !== null) {
      // Adapters do not report a message that comes soon after another. The next one must be reported.
      connection.lastTouchedAtMs = connection.lastSaidAtMs;
      connection.lastInboundAtMs = never;
    }
    return now;
  }

  /** @internal Keeps the times of the connection, which is about to go. */
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
  if (connection.lastSendAtMs === never) return true;
  try {
    return connection.transport.unsentBytes === 0;
  } catch {
    return false;
  }
}
