import { UserExecutionContext } from '../identity/user-execution-context.js';
import type { Clock } from '../time.js';
import { never } from '../time.js';
import { idleTimeoutOf, standingIdleTimeoutMs } from '../idle-timeout.js';
import type { Hold, HoldOptions, LastingHold } from './holds.js';
import type { ManagedConnection } from './managed-connection.js';
import type { ReleaseOptions, ReleaseReason } from './release-reason.js';

/** What a manager was released for, as its hooks are told. */
export interface Release {
  readonly manager: WebSocketManager;
  readonly reason: ReleaseReason;
  /** Aborted when the hook has run for `hookTimeoutMs`. */
  readonly signal: AbortSignal;
}

/** Runs once when the manager is released, whatever for. What it throws is reported and holds nothing up. */
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
export interface ManagerHost {
  readonly clock: Clock;
  readonly idleManagerTimeoutMs: number | null;
  takeHold(manager: WebSocketManager, options?: HoldOptions): Hold;
  connectionClosing(link: ManagedConnection): void;
  connectionClosed(link: ManagedConnection): void;
  endConnection(link: ManagedConnection): void;
  connectionOverfull(link: ManagedConnection): void;
  managerFailed(manager: WebSocketManager): void;
  managerReported(manager: WebSocketManager): void;
  hookCameLate(manager: WebSocketManager, hook: ReleaseHook, reason: ReleaseReason): void;
}

/** Where a manager is in its life. */
export type ManagerState = 'reserved' | 'attached' | 'away' | 'released';

/** What few managers have, kept apart so that most need no room for it. */
interface Particulars {
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
 * @source seed, `WebSocketManagerFactory`
 */
export class WebSocketManager<Socket = unknown> {
  /** @internal */ link: ManagedConnection | null = null;
  /** @internal */ generation = 0;
  /** Inbound activity apart from the current connection's: admission, holds, and connections before. */
  #inboundAtMs: number;
  /** What connections before the current one sent. */
  #formerOutboundAtMs = never;
  readonly admittedAtMs: number;
  /** @internal What it was released for. */ releasedFor: ReleaseReason | null = null;
  /** @internal */ particulars: Particulars | null = null;
  /** @internal */ wheelBucket = -1;
  /** @internal */ wheelIndex = 0;

  /** @internal */
  constructor(
    /** @internal */ readonly host: ManagerHost,
    /** The context of the newest connection. */
    public context: UserExecutionContext,
  ) {
    this.admittedAtMs = host.clock.now();
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
   * released. A run sends to this, and so to whoever took over since it began. Never throws.
   */
  socket(): Socket | null {
    const { link } = this;
    return this.isReleased || link === null ? null : ((link.connection.socket ?? null) as Socket | null);
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
    return own === undefined ? this.host.idleManagerTimeoutMs : own;
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
    return this.particulars?.awaySinceMs ?? null;
  }

  /** @internal */
  get isReleased(): boolean {
    return this.releasedFor !== null;
  }

  /** When the application last said something in either direction, on the clock without stalled time. */
  get lastActivityAtMs(): number {
    const { lastInboundAtMs } = this;
    // Most have sent nothing since they heard something, and then their sockets need not be asked.
    return this.#mayHaveSentAfter(lastInboundAtMs) ? Math.max(lastInboundAtMs, this.lastOutboundAtMs) : lastInboundAtMs;
  }

  /** When the application's peer last said something, or the application held or let go. */
  get lastInboundAtMs(): number {
    return Math.max(this.#inboundAtMs, this.link?.lastInboundAtMs ?? never);
  }

  /** When the last message was sent that has left the process; one still leaving counts from when some of it left. */
  get lastOutboundAtMs(): number {
    const { link } = this;
    if (link === null) return this.#formerOutboundAtMs;
    return Math.max(this.#formerOutboundAtMs, hasLeft(link) ? link.lastSendAtMs : link.lastWriteAtMs);
  }

  #mayHaveSentAfter(atMs: number): boolean {
    const { link } = this;
    if (this.#formerOutboundAtMs > atMs) return true;
    return link !== null && (link.lastSendAtMs > atMs || link.lastWriteAtMs > atMs);
  }

  /** Whether the application holds it, because something runs. */
  get isHeld(): boolean {
    return this.particulars !== null && this.particulars.holds.size > 0;
  }

  /** @internal Whether a hold of it was taken or renewed, or anything was said, within its idle timeout. */
  get isHoldFresh(): boolean {
    if (!this.isHeld) return false;
    const usedAtMs = Math.max(this.lastActivityAtMs, this.particulars?.renewedAtMs ?? never);
    return this.host.clock.now() - usedAtMs < this.standingIdleTimeoutMs;
  }

  /**
   * Keeps the manager from being closed as idle while something runs, and from making room for a newcomer as long as the
   * hold was taken or renewed, or anything was said, within the idle timeout. It lasts until the returned function is
   * called, or for `maxMs` after it was taken or last renewed. If the connection says goodbye or breaks meanwhile, the
   * manager waits for the next connection of its thread, for `resumeGraceMs`. A dead connection is dead, held or not.
   * @returns the hold; of a released manager one that has ended already
   * @throws TypeError for options of the wrong type or range, and for more than 1,000 holds at once
   */
  hold(options?: HoldOptions): Hold {
    return this.host.takeHold(this, options);
  }

  /** @internal Something happened that counts as inbound activity. */
  noteInbound(): void {
    this.#inboundAtMs = this.host.clock.now();
  }

  /**
   * Runs the hook once when the manager is released; at once where it is already. Not when a newer connection of the
   * same thread takes over. It runs in the async context of this call.
   * @returns takes the hook back
   */
  onRelease(hook: ReleaseHook): () => void {
    if (this.releasedFor !== null) {
      this.host.hookCameLate(this, hook, this.releasedFor);
      return () => undefined;
    }
    const { hooks } = this.mutableParticulars();
    const bound = this.host.clock.contexts.bound(hook);
    hooks.add(bound);
    return () => {
      hooks.delete(bound);
    };
  }

  /** Says that the connection is broken: the next cleanup releases it, unless something arrives before. */
  fail(error: unknown): void {
    if (this.isReleased) return;
    const particulars = this.mutableParticulars();
    particulars.failedAtMs = this.#afterAllSoFar();
    particulars.lastError = error;
    this.host.managerFailed(this);
  }

  /**
   * Says that something went wrong: unless something arrives, the manager is released `reportedErrorTimeoutMs`
   * after the first report.
   */
  reportError(error: unknown): void {
    if (this.isReleased) return;
    const particulars = this.mutableParticulars();
    particulars.lastError = error;
    if (this.errorReportedAtMs !== null) return;
    particulars.reportedAtMs = this.#afterAllSoFar();
    this.host.managerReported(this);
  }

  /** Whether `fail` was called and nothing has arrived since. */
  get hasFailed(): boolean {
    return this.particulars !== null && this.particulars.failedAtMs > this.lastInboundAtMs;
  }

  /** When the first error was reported since something last arrived, or `null`. */
  get errorReportedAtMs(): number | null {
    const reportedAtMs = this.particulars?.reportedAtMs ?? never;
    return reportedAtMs > this.lastInboundAtMs ? reportedAtMs : null;
  }

  /** The last error reported, whether or not it still counts. */
  get lastError(): unknown {
    return this.particulars?.lastError;
  }

  /**
   * Now; what arrived until now counts as earlier, so that of what arrives in the same moment it is known that it came
   * later.
   */
  #afterAllSoFar(): number {
    const { link } = this;
    const now = this.host.clock.now();
    this.#inboundAtMs = Math.min(this.lastInboundAtMs, now - 1);
    if (link !== null) {
      // The next message counts, however soon it comes after the last.
      link.lastTouchedAtMs = link.lastSaidAtMs;
      link.lastInboundAtMs = never;
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
    return this.particulars?.successor ?? null;
  }

  /** @internal */
  mutableParticulars(): Particulars {
    this.particulars ??= {
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
    return this.particulars;
  }
}

function hasLeft(link: ManagedConnection): boolean {
  // Where nothing was sent, the socket need not be asked.
  if (link.lastSendAtMs === never) return true;
  try {
    return link.connection.unsentBytes === 0;
  } catch {
    return false;
  }
}
