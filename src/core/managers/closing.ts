import { closeFrame, type CloseCodes, type CloseDetail, type CloseFrame } from '../close-codes.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import { Multimap } from '../multimap.js';
import { withResolver } from '../promises.js';
import type { Clock } from '../time.js';
import type { CloseCause } from '../vocabulary.js';
import type { Connection } from './connection.js';

/** A connection that can be closed: a manager's, or that of a refused newcomer. */
export interface Closable {
  readonly transport: Connection;
  /** The user it belongs to. Absent for a newcomer that was refused. */
  readonly context?: { readonly userId: string };
  /** Its place among the closing connections. Owned by {@link ClosingConnections}. */
  closing: Expiry<Closable> | null;
}

interface ClosingParts {
  readonly clock: Clock;
  readonly closeGraceMs: number;
  /** How long data that the application sent before it closed may stand still before it counts as undeliverable. */
  readonly backlogExcuseMs: number;
  readonly closeCodes: CloseCodes;
  /** How many connections of one user may be closing at once; one always may. @default unlimited */
  readonly limitOfUser?: (userId: string) => number;
  /** How many connections of all users may be closing at once. @default unlimited */
  readonly limitOfAll?: () => number;
  readonly lifecycle: ClosingFollower;
}

/** Called about connections that are closing. */
export interface ClosingFollower {
  /** Either side began to close the connection. */
  socketClosing(connection: Closable): void;
  /** The connection is closed or destroyed. */
  socketGone(connection: Closable): void;
}

/** How many milliseconds a closing connection gets at most while data that was sent before still leaves. */
const longestDeliveryMs = 30_000;

/** A connection that began to close while data of the application was leaving. */
interface Delivery {
  readonly endsAtMs: number;
  /** How long the data may stand still. */
  readonly standstillMs: number;
  /** As of the last check. */
  bytesSent: number;
  /** When a check last saw that data had left. */
  movedAtMs: number;
}

/** Who began to close a connection. */
export type Closer = 'application' | 'peer';

/**
 * Connections whose close handshake has begun, from either side, and is not over. Their slots are free already.
 *
 * A peer can delay the handshake, so the socket is destroyed after `closeGraceMs`. If the application or the peer began
 * to close it, it gets up to 30 seconds while data that was sent before still leaves. An application that sends a result
 * and closes expects it to arrive, so there the data may also stand still for `backlogExcuseMs`: links pause.
 *
 * A user can have as many closing connections as managers, and there is a limit for all users. Beyond either, the oldest
 * is destroyed, so that no user gains sockets by closing them.
 * @see docs/decisions/0008-release-cannot-fail.md
 */
export class ClosingConnections {
  readonly #parts: ClosingParts;
  readonly #expiries: ExpiryQueue<Closable>;
  readonly #byUser = new Multimap<Closable>();
  readonly #deliveries = new Map<Closable, Delivery>();
  readonly #emptied: (() => void)[] = [];

  constructor(parts: ClosingParts) {
    this.#parts = parts;
    // Each connection is in it from when it begins to close, until its socket has closed or the time is up.
    this.#expiries = new ExpiryQueue({
      clock: parts.clock,
      timeoutMs: parts.closeGraceMs,
      onExpired: (connection) => {
        if (this.#isDelivering(connection)) connection.closing = this.#expiries.add(connection);
        else this.#terminate(connection);
      },
    });
  }

  get isEmpty(): boolean {
    return this.#expiries.isEmpty;
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** Sends the close frame, and destroys the socket if it does not close in time. Never throws. */
  close(connection: Closable, cause: CloseCause, detail?: CloseDetail): void {
    this.#send(connection, closeFrame(cause, detail, this.#parts.closeCodes));
  }

  /** As {@link close}, for a socket that was refused, and so has no manager. */
  turnAway(transport: Connection, frame: CloseFrame): void {
    this.#send({ transport, closing: null }, frame);
  }

  /** The peer or the application began to close the connection. */
  connectionClosing(connection: Closable, closer: Closer): void {
    if (connection.closing !== null) return;
    this.#add(connection);
    const { unsentBytes, bytesSent } = countersOf(connection);
    if (unsentBytes === 0) return;
    const { clock, closeGraceMs, backlogExcuseMs } = this.#parts;
    const now = clock.now();
    const standstillMs = closer === 'peer' ? closeGraceMs : backlogExcuseMs;
    this.#deliveries.set(connection, { endsAtMs: now + longestDeliveryMs, standstillMs, bytesSent, movedAtMs: now });
  }

  connectionClosed(connection: Closable): void {
    if (connection.closing !== null && this.#expiries.delete(connection.closing)) this.#ended(connection);
  }

  /** Resolves once every socket that is closing now is closed or destroyed. It does not wait for those that come later. */
  whenGone(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    const { promise, resolve } = withResolver<undefined>();
    const { clock, closeGraceMs } = this.#parts;
    const grace = clock.setTimer(() => {
      resolve(undefined);
    }, closeGraceMs);
    this.#emptied.push(() => {
      grace.cancel();
      resolve(undefined);
    });
    return promise;
  }

  /** Destroys all sockets that are closing, and leaves no timer. */
  dispose(): void {
    for (const connection of this.#expiries.clear()) this.#terminate(connection);
  }

  #send(connection: Closable, { code, reason }: CloseFrame): void {
    const expiry = this.#add(connection);
    try {
      // The socket's own timers must not belong to the request that another connection came with.
      this.#parts.clock.contexts.outside(() => {
        connection.transport.close(code, reason);
      });
    } catch {
      if (this.#expiries.delete(expiry)) this.#terminate(connection);
    }
  }

  #add(connection: Closable): Expiry<Closable> {
    const expiry = this.#expiries.add(connection);
    connection.closing = expiry;
    this.#parts.lifecycle.socketClosing(connection);
    if (connection.context !== undefined) this.#addToUser(connection, connection.context.userId);
    const { limitOfAll } = this.#parts;
    const oldest = this.#expiries.oldest;
    if (limitOfAll !== undefined && oldest !== null && oldest !== connection && this.size > limitOfAll())
      this.#cutOff(oldest);
    return expiry;
  }

  #addToUser(connection: Closable, userId: string): void {
    const count = this.#byUser.add(userId, connection);
    const { limitOfUser } = this.#parts;
    if (count === 1 || limitOfUser === undefined || count <= limitOfUser(userId)) return;
    const oldest = this.#byUser.oldestOf(userId);
    if (oldest !== undefined && oldest !== connection) this.#cutOff(oldest);
  }

  #cutOff(connection: Closable): void {
    if (connection.closing !== null && this.#expiries.delete(connection.closing)) this.#terminate(connection);
  }

  /** Whether unsent data is left that has not stood still for too long, or the last has left since the last check. */
  #isDelivering(connection: Closable): boolean {
    const delivery = this.#deliveries.get(connection);
    const now = this.#parts.clock.now();
    if (delivery === undefined || now >= delivery.endsAtMs) return false;
    const { unsentBytes, bytesSent } = countersOf(connection);
    if (bytesSent > delivery.bytesSent) delivery.movedAtMs = now;
    delivery.bytesSent = bytesSent;
    return now - delivery.movedAtMs < (unsentBytes > 0 ? delivery.standstillMs : this.#parts.closeGraceMs);
  }

  #terminate(connection: Closable): void {
    try {
      this.#parts.clock.contexts.outside(() => {
        connection.transport.terminate();
      });
    } catch {
      // A socket that cannot be destroyed is given up. Its slot is free already.
    }
    this.#ended(connection);
  }

  #ended(connection: Closable): void {
    this.#deliveries.delete(connection);
    if (connection.context !== undefined) this.#byUser.delete(connection.context.userId, connection);
    this.#parts.lifecycle.socketGone(connection);
    if (this.isEmpty) for (const resolve of this.#emptied.splice(0)) resolve();
  }
}

/** A connection's counters; zeros if they cannot be read. */
function countersOf({ transport }: Closable): Pick<Connection, 'unsentBytes' | 'bytesSent'> {
  try {
    return { unsentBytes: transport.unsentBytes, bytesSent: transport.bytesSent };
  } catch {
    return { unsentBytes: 0, bytesSent: 0 };
  }
}
