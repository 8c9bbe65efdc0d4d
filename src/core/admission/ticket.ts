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
import type { WebSocketConfig } from '../settings.js';
import { never, type Clock } from '../time.js';
import type { CloseCause } from '../vocabulary.js';
import type { Arrival, ArrivalOrder } from './arrival-order.js';
import type { Refusals } from './refusals.js';

/** The result of opening a ticket. */
export type Opening =
  | { readonly connection: AttachedConnection; readonly refusal: null }
  | { readonly connection: null; readonly refusal: RefusalError };

interface TicketOptions {
  /** When the attempt arrived that the ticket is for. */
  readonly arrival: Arrival;
  /** Whether opening it counts as a takeover in a fight for the key. @default false */
  readonly isCounted?: boolean;
}

/** The right to attach one socket to a manager. It expires after `ticketMs`. */
export class Ticket implements Successor {
  /** Why it has ended without being opened; `null` as long as it has not. */
  refusal: RefusalError | null = null;
  /** The connection it opened, or `null`. */
  connection: AttachedConnection | null = null;

  /** Set by the adapter: called once, if the ticket ends without being opened. */
  whenEnded: ((refusal: RefusalError) => void) | null = null;
  /** @internal */ expiry: Expiry<Ticket> | null = null;
  /** @internal */ readonly tickets: Tickets;
  /** @internal */ readonly isCounted: boolean;
  /** @internal */ readonly arrival: Arrival;

  /** @internal */
  constructor(
    readonly manager: WebSocketManager,
    readonly context: UserExecutionContext,
    { tickets, arrival, isCounted = false }: TicketOptions & { readonly tickets: Tickets },
  ) {
    this.tickets = tickets;
    this.isCounted = isCounted;
    this.arrival = arrival;
  }

  /** Attaches the socket to the manager. @returns its connection, or the refusal if the ticket has ended */
  open(transport: Connection): Opening {
    return this.tickets.open(this, transport);
  }

  /** Gives the slot back, since no socket will come. Does nothing once the ticket is opened. */
  cancel(): void {
    this.tickets.cancel(this);
  }

  /** @internal The manager was released. */
  superseded(closeCause: CloseCause): void {
    this.tickets.managerReleased(this.manager, closeCause);
  }
}

interface TicketsParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'ticketMs'>;
  readonly events: EventStream;
  readonly lifecycle: Pick<Lifecycle, 'connectionOpened' | 'connectionReplaced' | 'release' | 'releaseIfDue'>;
  readonly closing: ClosingConnections;
  readonly away: AwayManagers;
  readonly arrivals: ArrivalOrder;
  readonly refusals: Refusals;
}

/**
 * Issues, opens and ends tickets. A manager has at most one ticket that is not opened: its first, or that of its
 * successor.
 */
export class Tickets {
  readonly #parts: TicketsParts;
  /** The ticket issued last, until it is opened. Most are opened at once, and putting each into a map would be slow. */
  #newest: Ticket | null = null;
  readonly #outstanding = new Map<WebSocketManager, Ticket>();
  readonly #expiries: ExpiryQueue<Ticket>;

  constructor(parts: TicketsParts) {
    this.#parts = parts;
    const { clock, config, refusals } = parts;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: config.ticketMs,
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

  /** Makes a ticket for the manager. The one that is outstanding, if any, is refused as replaced. */
  issue(
    manager: WebSocketManager,
    context: UserExecutionContext,
    { arrival, isCounted = false }: TicketOptions,
  ): Ticket {
    const former = this.outstanding(manager);
    if (former !== undefined) this.#end(former, this.#parts.refusals.replaced());
    const ticket = new Ticket(manager, context, { tickets: this, arrival, isCounted });
    if (this.#newest !== null) this.#outstanding.set(this.#newest.manager, this.#newest);
    this.#newest = ticket;
    // A manager without a ticket and a connection was made just now: the clock need not be read again.
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
    if (former !== null) this.#parts.lifecycle.connectionReplaced(former);
    const connection = this.#attach(ticket, transport);
    this.#announce(manager, awaySinceMs);
    if (former !== null) this.#parts.closing.close(former, 'replaced');
    return { connection, refusal: null };
  }

  cancel(ticket: Ticket): void {
    if (ticket.connection === null && ticket.refusal === null) this.#giveBack(ticket, this.#parts.refusals.cancelled());
  }

  /** The manager is released: its outstanding ticket is refused, with the same cause. */
  managerReleased(manager: WebSocketManager, closeCause: CloseCause): void {
    const ticket = this.outstanding(manager);
    if (ticket !== undefined) this.#end(ticket, this.#parts.refusals.released(closeCause));
  }

  /** Refuses every outstanding ticket, and leaves no timer. */
  stop(): void {
    const { refusals } = this.#parts;
    for (const ticket of [...this.#outstanding.values(), this.#newest])
      if (ticket !== null) this.#giveBack(ticket, refusals.draining(), 'shutdown');
    this.#expiries.clear();
  }

  /** Makes the connection, which is the manager's from now on. Listeners hear of it later. */
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
    this.#parts.lifecycle.connectionOpened(connection);
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

  /** Ends the ticket: releases a manager that has no connection, or does the release that waited for the successor. */
  #giveBack(ticket: Ticket, refusal: RefusalError, reason: 'unattached' | 'shutdown' = 'unattached'): void {
    const { manager } = ticket;
    this.#end(ticket, refusal);
    if (manager.generation === 0) this.#parts.lifecycle.release(manager, reason);
    else this.#parts.lifecycle.releaseIfDue(manager);
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
