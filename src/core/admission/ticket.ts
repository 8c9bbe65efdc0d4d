import type { RefusalError } from '../errors.js';
import type { EventStream } from '../events.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import { UserExecutionContext } from '../identity/user-execution-context.js';
import type { AwayManagers } from '../managers/away.js';
import type { ClosingConnections } from '../managers/closing.js';
import type { Connection } from '../managers/connection.js';
import { ManagedConnection } from '../managers/managed-connection.js';
import type { AttachedConnection, Successor, WebSocketManager } from '../managers/manager.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import { never, type Clock } from '../time.js';
import type { Arrival, ArrivalOrder } from './arrival-order.js';
import type { Refusals } from './refusals.js';

/** What became of opening a ticket. */
export type Opening =
  | { readonly connection: AttachedConnection; readonly refusal: null }
  | { readonly connection: null; readonly refusal: RefusalError };

/** What is said of a ticket. */
interface Terms {
  /** When the attempt arrived that it is for. */
  readonly arrival: Arrival;
  /** Whether opening it counts in a fight for the key. @default false */
  readonly isCounted?: boolean;
}

interface Issue extends Terms {
  readonly tickets: Tickets;
}

/** The right to attach one socket to a manager, good for `ticketMs`. */
export class Ticket implements Successor {
  /** Why it is no good any longer, or `null`. */
  refusal: RefusalError | null = null;
  /** The connection it opened, or `null`. */
  connection: AttachedConnection | null = null;

  /** Told, once, when it ends without having been opened. The adapter's, from the grant on. */
  whenEnded: ((refusal: RefusalError) => void) | null = null;
  /** @internal */ expiry: Expiry<Ticket> | null = null;
  /** @internal */ readonly tickets: Tickets;
  /** @internal */ readonly isCounted: boolean;
  /** @internal */ readonly arrival: Arrival;

  /** @internal */
  constructor(
    readonly manager: WebSocketManager,
    readonly context: UserExecutionContext,
    { tickets, arrival, isCounted = false }: Issue,
  ) {
    this.tickets = tickets;
    this.isCounted = isCounted;
    this.arrival = arrival;
  }

  /** Attaches the socket: from here on the manager's events go to it. @returns why not, where the ticket ended before */
  open(transport: Connection): Opening {
    return this.tickets.open(this, transport);
  }

  /** The socket will not come: the slot is given back now. After opening it does nothing. */
  cancel(): void {
    this.tickets.cancel(this);
  }

  /** The core tells it that what it stands for is gone. */
  superseded(cause: 'replaced' | 'released' | 'draining'): void {
    this.tickets.superseded(this, cause);
  }
}

interface TicketsParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly lifecycle: Pick<Lifecycle, 'opened' | 'replaced' | 'release' | 'settleDue'>;
  readonly closing: ClosingConnections;
  readonly away: AwayManagers;
  readonly arrivals: ArrivalOrder;
  readonly refusals: Refusals;
  readonly ticketMs: number;
}

/**
 * Where tickets are issued, opened and ended. A manager has at most one that is not opened: its first, or its
 * successor's.
 */
export class Tickets {
  readonly #parts: TicketsParts;
  /** The ticket issued last, while it is not opened. Most are opened at once, and a map that never fills is slow. */
  #newest: Ticket | null = null;
  /** The others that are not opened. */
  readonly #outstanding = new Map<WebSocketManager, Ticket>();
  readonly #expiries: ExpiryQueue<Ticket>;

  constructor(parts: TicketsParts) {
    this.#parts = parts;
    const { clock, ticketMs, refusals } = parts;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: ticketMs,
      onExpired: (ticket) => {
        this.#giveBack(ticket, refusals.expired());
      },
    });
  }

  /** The manager's ticket that is not opened. */
  outstanding(manager: WebSocketManager): Ticket | undefined {
    if (this.#newest?.manager === manager) return this.#newest;
    return this.#outstanding.size === 0 ? undefined : this.#outstanding.get(manager);
  }

  /** Every ticket that is not opened. */
  allOutstanding(): Ticket[] {
    const others = [...this.#outstanding.values()];
    return this.#newest === null ? others : [...others, this.#newest];
  }

  /** A ticket for the manager; one that is outstanding ends `replaced`. */
  issue(manager: WebSocketManager, context: UserExecutionContext, { arrival, isCounted = false }: Terms): Ticket {
    const former = this.outstanding(manager);
    if (former !== undefined) this.#end(former, this.#parts.refusals.replaced());
    const ticket = new Ticket(manager, context, { tickets: this, arrival, isCounted });
    if (this.#newest !== null) this.#outstanding.set(this.#newest.manager, this.#newest);
    this.#newest = ticket;
    // A manager that never had a ticket was made just now.
    const isNew = former === undefined && manager.generation === 0;
    ticket.expiry = this.#expiries.add(ticket, isNew ? manager.admittedAtMs : this.#parts.clock.now());
    if (manager.generation > 0) manager.ensureExtras().successor = ticket;
    else manager.context = context;
    return ticket;
  }

  open(ticket: Ticket, transport: Connection): Opening {
    if (ticket.connection !== null) throw new TypeError('This ticket was opened before; each opens one connection');
    if (ticket.refusal !== null) return { connection: null, refusal: ticket.refusal };
    this.#forget(ticket);
    const { manager } = ticket;
    const former = manager.connection;
    const { awaySinceMs } = manager;
    this.#parts.away.remove(manager);
    if (former !== null) this.#parts.lifecycle.replaced(former);
    const connection = this.#attach(ticket, transport);
    this.#announce(manager, awaySinceMs);
    if (former !== null) this.#parts.closing.close(former, 'replaced');
    return { connection, refusal: null };
  }

  /** The manager's reservation is refused after all: it goes, and with it whatever was promised on it. */
  refuse(manager: WebSocketManager, refusal: RefusalError): void {
    const ticket = this.outstanding(manager);
    if (ticket !== undefined) this.#giveBack(ticket, refusal);
  }

  cancel(ticket: Ticket): void {
    if (ticket.connection === null && ticket.refusal === null) this.#giveBack(ticket, this.#parts.refusals.cancelled());
  }

  superseded(ticket: Ticket, cause: 'replaced' | 'released' | 'draining'): void {
    this.#end(ticket, this.#parts.refusals[cause]());
  }

  /** The manager is gone, and with it whatever a ticket promised. */
  released(manager: WebSocketManager): void {
    const ticket = this.outstanding(manager);
    if (ticket !== undefined) this.#end(ticket, this.#parts.refusals.released());
  }

  /** Ends every outstanding ticket and leaves no timer. */
  stop(): void {
    const { refusals } = this.#parts;
    for (const ticket of this.allOutstanding()) this.#giveBack(ticket, refusals.draining(), 'shutdown');
    this.#expiries.clear();
  }

  /** The new connection is the manager's before anybody hears of it. */
  #attach(ticket: Ticket, transport: Connection): AttachedConnection {
    const { manager, context } = ticket;
    manager.generation += 1;
    manager.context = context;
    UserExecutionContext.opened(context);
    const connection = new ManagedConnection(manager, transport, context);
    manager.connection = connection;
    ticket.connection = connection;
    this.#parts.arrivals.opened(connection, ticket.arrival);
    if (manager.extras !== null) {
      manager.extras.successor = null;
      manager.extras.due = null;
      manager.extras.failedAtMs = never;
      manager.extras.reportedAtMs = never;
      if (ticket.isCounted) manager.extras.takeoversAtMs.push(connection.connectedAtMs);
    }
    this.#parts.lifecycle.opened(connection);
    return connection;
  }

  #announce(manager: WebSocketManager, awaySinceMs: number | null): void {
    const { events, clock } = this.#parts;
    const { generation } = manager;
    if (awaySinceMs !== null) {
      events.emitOf('connection.resumed', manager, { generation, awayMs: clock.now() - awaySinceMs });
      return;
    }
    events.emitOf(generation === 1 ? 'connection.opened' : 'connection.replaced', manager, { generation });
  }

  /** What the ticket stood for is free again: the slot, or the release that waited for it. */
  #giveBack(ticket: Ticket, refusal: RefusalError, reason: 'unattached' | 'shutdown' = 'unattached'): void {
    const { manager } = ticket;
    this.#end(ticket, refusal);
    if (manager.generation === 0) this.#parts.lifecycle.release(manager, reason);
    else this.#parts.lifecycle.settleDue(manager);
  }

  #end(ticket: Ticket, refusal: RefusalError): void {
    if (ticket.refusal !== null) return;
    ticket.refusal = refusal;
    this.#forget(ticket);
    ticket.whenEnded?.(refusal);
  }

  #forget(ticket: Ticket): void {
    const { manager } = ticket;
    if (ticket.expiry !== null) this.#expiries.delete(ticket.expiry);
    if (this.#newest === ticket) this.#newest = null;
    else if (this.#outstanding.get(manager) === ticket) this.#outstanding.delete(manager);
    if (manager.extras?.successor === ticket) manager.extras.successor = null;
  }
}
