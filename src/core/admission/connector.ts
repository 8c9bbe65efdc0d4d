import { isPending, type Admission } from './outcome.js';
import type { Arrival, ArrivalOrder } from './arrival-order.js';
import type { AdmissionControl } from './admission.js';
import type { RefusalPacer } from './refusal-pacer.js';
import type { Refusals } from './refusals.js';
import { MalformedContextError, type RefusalError } from '../errors.js';
import {
  createUserExecutionContext,
  UserExecutionContext,
  type ContextFields,
} from '../identity/user-execution-context.js';
import type { ClosingConnections } from '../managers/closing.js';
import type { Connection } from '../managers/connection.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { AttachedConnection, WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';

/** How connecting ended. */
export type Connected =
  | { readonly connection: AttachedConnection; readonly manager: WebSocketManager; readonly refusal: null }
  | { readonly connection: null; readonly manager: null; readonly refusal: RefusalError };

/** What can be said to `mooring.connect`. */
export interface ConnectOptions {
  /** Aborted when the client vanishes while it waits: its place is given back. Ignored once it is connected. */
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
 * Connects sockets to managers and ends them: for sockets that were accepted already. Adapters that can admit before
 * they accept use `mooring.admit` and open the ticket themselves.
 */
export class Connector {
  readonly #parts: ConnectorParts;
  readonly #ends = new WeakMap<ContextFields, () => boolean>();

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
  }

  /**
   * Admits an accepted socket and attaches it. One that is refused is closed with the reason.
   * @returns the connection that wants to be told of the socket's events, or why there is none
   * @throws MalformedContextError
   */
  async connect(transport: Connection, fields: ContextFields, options: ConnectOptions = {}): Promise<Connected> {
    const { signal, arrival } = options;
    const context = this.#contextOf(transport, fields, arrival);
    const note = (end: () => boolean): void => {
      this.#ends.set(fields, end);
      this.#ends.set(context, end);
    };
    note(nothingToEnd);
    if (signal?.aborted === true || hasClosed(transport)) return this.#vanished(transport, arrival);
    const outcome = this.#parts.admission.admit(context, { arrival });
    const asking = { transport, userId: context.userId, note };
    if (!isPending(outcome)) return this.#open(asking, outcome);
    const cancel = (): boolean => {
      note(nothingToEnd);
      outcome.cancel();
      return true;
    };
    note(cancel);
    signal?.addEventListener('abort', cancel, { once: true });
    const admission = await outcome.settled;
    signal?.removeEventListener('abort', cancel);
    note(nothingToEnd);
    return this.#open(asking, admission);
  }

  /**
   * Ends the connection that was made for this very context object: at once, whatever its socket does. If that is gone
   * or was replaced, the call is late and ignored. A context never passed to `connect` names the manager by its key.
   * @returns whether there was something to end
   */
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

  /** One whose ids break a rule is closed with the rule before it is thrown. */
  #contextOf(transport: Connection, fields: ContextFields, arrival?: Arrival): UserExecutionContext {
    try {
      return createUserExecutionContext(fields);
    } catch (error) {
      this.#decided(arrival);
      if (error instanceof MalformedContextError) this.#turnAway(transport, this.#parts.refusals.malformed(error));
      throw error;
    }
  }

  #open({ transport, userId, note }: Asking, { ticket, refusal }: Admission): Connected {
    if (refusal !== null) return this.#turnAway(transport, refusal, userId);
    if (hasClosed(transport)) {
      ticket.cancel();
      return { connection: null, manager: null, refusal: this.#parts.refusals.cancelled() };
    }
    const opening = ticket.open(transport);
    if (opening.refusal !== null) return this.#turnAway(transport, opening.refusal);
    const { connection } = opening;
    note(() => endConnection(connection));
    return { connection, manager: connection.manager, refusal: null };
  }

  /** Its client has gone before anything was decided: it takes no place. */
  #vanished(transport: Connection, arrival?: Arrival): Connected {
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

/** A socket that asks to be connected. */
interface Asking {
  readonly transport: Connection;
  readonly userId: string;
  /** What `disconnect` of its context does from now on. */
  readonly note: (end: () => boolean) => void;
}

const nothingToEnd = (): boolean => false;

function endConnection(connection: AttachedConnection): boolean {
  if (!connection.isCurrent) return false;
  connection.manager.lifecycle.endConnection(connection);
  return true;
}

/** While it waited; a socket whose state cannot be read is attached, and then probed. */
function hasClosed(transport: Connection): boolean {
  try {
    return !transport.isOpen;
  } catch {
    return false;
  }
}
