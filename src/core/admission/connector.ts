import { MalformedContextError, type RefusalError } from '../errors.js';
import { UserExecutionContext, type ContextFields } from '../identity/user-execution-context.js';
import type { ClosingConnections } from '../managers/closing.js';
import type { Connection } from '../managers/connection.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { AttachedConnection, WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { AdmissionControl } from './admission.js';
import type { Arrival, ArrivalOrder } from './arrival-order.js';
import { isPending, settledOf, type Admission } from './outcome.js';
import type { RefusalPacer } from './refusal-pacer.js';
import type { Refusals } from './refusals.js';

/** The result of `mooring.connect`. */
export type Connected =
  | { readonly connection: AttachedConnection; readonly manager: WebSocketManager; readonly refusal: null }
  | { readonly connection: null; readonly manager: null; readonly refusal: RefusalError };

/** Options of `mooring.connect`. */
export interface ConnectOptions {
  /** Abort it when the client goes while it waits: its place is given back. Ignored once the client is connected. */
  readonly signal?: AbortSignal;
  /**
   * When its upgrade request arrived, from `mooring.arrivals.begin()`: within a thread the newest arrival wins.
   * @default it arrives with this call
   */
  readonly arrival?: Arrival | undefined;
}

interface ConnectorParts {
  readonly arrivals: ArrivalOrder;
  readonly admission: AdmissionControl;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
  readonly closing: ClosingConnections;
  readonly refusals: Refusals;
  readonly pacer: RefusalPacer;
}

/**
 * Connects sockets that were accepted already, and ends their connections. Adapters that can admit before they accept use
 * `mooring.decide` and open the ticket themselves.
 */
export class Connector {
  readonly #parts: ConnectorParts;
  /** What `disconnect` does for each context. */
  readonly #ends = new WeakMap<ContextFields, () => boolean>();

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
  }

  /** @see Mooring.connect */
  async connect(transport: Connection, fields: ContextFields, options: ConnectOptions = {}): Promise<Connected> {
    const { signal, arrival } = options;
    const context = this.#contextOf(transport, fields, arrival);
    const setEnd = (end: () => boolean): void => {
      this.#ends.set(fields, end);
      this.#ends.set(context, end);
    };
    setEnd(nothingToEnd);
    if (signal?.aborted === true || hasClosed(transport)) return this.#cancelled(transport, arrival);
    const outcome = this.#parts.admission.admit(context, { arrival });
    const candidate = { transport, userId: context.userId, setEnd };
    if (!isPending(outcome)) return this.#open(candidate, outcome);
    setEnd(() => {
      setEnd(nothingToEnd);
      outcome.cancel();
      return true;
    });
    const admission = await settledOf(outcome, signal);
    setEnd(nothingToEnd);
    return this.#open(candidate, admission);
  }

  /** @see Mooring.disconnect */
  disconnect(fields: ContextFields): boolean {
    const end = this.#ends.get(fields);
    if (end !== undefined) return end();
    if (UserExecutionContext.wasOpened(fields)) return this.#endConnectionOf(fields);
    const { registry, lifecycle } = this.#parts;
    const manager = registry.get(fields);
    return manager !== undefined && lifecycle.release(manager, 'requested');
  }

  #endConnectionOf(context: UserExecutionContext): boolean {
    const connection = this.#parts.registry.get(context)?.connection;
    return connection?.context === context && endConnection(connection);
  }

  /** If the ids break a rule, closes the socket with the rule, and throws. */
  #contextOf(transport: Connection, fields: ContextFields, arrival?: Arrival): UserExecutionContext {
    try {
      return this.#parts.admission.contextOf(fields);
    } catch (error) {
      this.#decided(arrival);
      if (error instanceof MalformedContextError) this.#turnAway(transport, this.#parts.refusals.malformed(error));
      throw error;
    }
  }

  #open({ transport, userId, setEnd }: Candidate, { ticket, refusal }: Admission): Connected {
    if (refusal !== null) return this.#turnAway(transport, refusal, userId);
    if (hasClosed(transport)) {
      ticket.cancel();
      return { connection: null, manager: null, refusal: this.#parts.refusals.cancelled() };
    }
    const opening = ticket.open(transport);
    if (opening.refusal !== null) return this.#turnAway(transport, opening.refusal);
    const { connection } = opening;
    setEnd(() => endConnection(connection));
    return { connection, manager: connection.manager, refusal: null };
  }

  /** The client has gone before the admission began. */
  #cancelled(transport: Connection, arrival?: Arrival): Connected {
    this.#decided(arrival);
    const refusal = this.#parts.refusals.cancelled();
    return hasClosed(transport) ? { connection: null, manager: null, refusal } : this.#turnAway(transport, refusal);
  }

  #decided(arrival: Arrival | undefined): void {
    if (arrival !== undefined) this.#parts.arrivals.decided(arrival);
  }

  #turnAway(transport: Connection, refusal: RefusalError, userId: string | null = null): Connected {
    const { pacer, closing } = this.#parts;
    const { closeCause, close } = refusal;
    const send = (): void => {
      closing.turnAway(transport, close);
    };
    pacer.tell({ closeCause, userId, send });
    return { connection: null, manager: null, refusal };
  }
}

/** A socket that is to be connected. */
interface Candidate {
  readonly transport: Connection;
  readonly userId: string;
  /** Sets what `disconnect` of its context does from now on. */
  readonly setEnd: (end: () => boolean) => void;
}

const nothingToEnd = (): boolean => false;

function endConnection(connection: AttachedConnection): boolean {
  if (!connection.isCurrent) return false;
  connection.manager.lifecycle.endConnection(connection);
  return true;
}

/** Whether the socket closed while it waited. If its state cannot be read, it is attached, and then probed. */
function hasClosed(transport: Connection): boolean {
  try {
    return !transport.isOpen;
  } catch {
    return false;
  }
}
