import { isPending, type Admission } from './admission/admission.js';
import type { WebSocketManagerFactory } from './admission/factory.js';
import type { Refusals } from './admission/refusals.js';
import { MalformedContextError, type RefusalError } from './errors.js';
import {
  createUserExecutionContext,
  UserExecutionContext,
  type ContextFields,
} from './identity/user-execution-context.js';
import type { ClosingConnections } from './managers/closing.js';
import type { Connection } from './managers/connection.js';
import type { ManagedConnection } from './managers/managed-connection.js';
import type { WebSocketManager } from './managers/manager.js';

/** How connecting ended. */
export type Connected =
  | { readonly link: ManagedConnection; readonly manager: WebSocketManager; readonly refusal: null }
  | { readonly link: null; readonly manager: null; readonly refusal: RefusalError };

/** What can be said to {@link WebSocketConnectionManager.connect}. */
export interface ConnectOptions {
  /** Aborted when the client vanishes while it waits: its place is given back. Ignored once it is connected. */
  readonly signal?: AbortSignal;
}

interface ConnectionParts {
  readonly factory: WebSocketManagerFactory;
  readonly closing: ClosingConnections;
  readonly refusals: Refusals;
}

/**
 * Connects sockets to managers and ends them: for sockets that were accepted already. Adapters that can admit before
 * they accept use `factory.admit` and open the ticket themselves.
 * @source seed fix 3, `WebSocketConnectionManager`
 */
export class WebSocketConnectionManager {
  readonly #parts: ConnectionParts;
  readonly #ends = new WeakMap<ContextFields, () => boolean>();

  /** @internal */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Sockets in a closing handshake, whoever began it; each is over within `closeGraceMs`. */
  get closingCount(): number {
    return this.#parts.closing.size;
  }

  /**
   * Admits an accepted socket and attaches it. One that is refused is closed with the reason.
   * @returns the link that wants to be told of the socket's events, or why there is none
   * @throws MalformedContextError
   */
  async connect(connection: Connection, fields: ContextFields, { signal }: ConnectOptions = {}): Promise<Connected> {
    const context = this.#contextOf(connection, fields);
    const note = (end: () => boolean): void => {
      this.#ends.set(fields, end);
      this.#ends.set(context, end);
    };
    note(nothingToEnd);
    if (signal?.aborted === true) return this.#turnAway(connection, this.#parts.refusals.cancelled());
    const outcome = this.#parts.factory.admit(context);
    if (!isPending(outcome)) return this.#open(connection, outcome, note);
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
    return this.#open(connection, admission, note);
  }

  /**
   * Ends the connection that was made for this very context object: at once, whatever its socket does. If that is gone
   * or was replaced, the call is late and ignored. A context never passed to `connect` names the manager by its key.
   * @returns whether there was something to end
   * @source seed fix 3, `disconnect`; spec section 4
   */
  disconnect(fields: ContextFields): boolean {
    const end = this.#ends.get(fields);
    if (end !== undefined) return end();
    if (UserExecutionContext.wasOpened(fields)) return this.#endConnectionOf(fields);
    return this.#parts.factory.cleanupManagerByContext(fields);
  }

  #endConnectionOf(context: UserExecutionContext): boolean {
    const link = this.#parts.factory.getManager(context)?.link;
    return link?.context === context && endConnection(link);
  }

  /** One whose ids break a rule is closed with the rule before it is thrown. */
  #contextOf(connection: Connection, fields: ContextFields): UserExecutionContext {
    try {
      return createUserExecutionContext(fields);
    } catch (error) {
      if (error instanceof MalformedContextError) this.#turnAway(connection, this.#parts.refusals.malformed(error));
      throw error;
    }
  }

  #open(connection: Connection, { ticket, refusal }: Admission, note: (end: () => boolean) => void): Connected {
    if (refusal !== null) return this.#turnAway(connection, refusal);
    if (hasClosed(connection)) {
      ticket.cancel();
      return { link: null, manager: null, refusal: this.#parts.refusals.cancelled() };
    }
    const opening = ticket.open(connection);
    if (opening.refusal !== null) return this.#turnAway(connection, opening.refusal);
    const { link } = opening;
    note(() => endConnection(link));
    return { link, manager: link.manager, refusal: null };
  }

  #turnAway(connection: Connection, refusal: RefusalError): Connected {
    this.#parts.closing.turnAway(connection, refusal.close);
    return { link: null, manager: null, refusal };
  }
}

const nothingToEnd = (): boolean => false;

function endConnection(link: ManagedConnection): boolean {
  if (!link.isCurrent) return false;
  link.manager.host.endConnection(link);
  return true;
}

/** While it waited; a socket whose state cannot be read is attached, and then probed. */
function hasClosed(connection: Connection): boolean {
  try {
    return !connection.isOpen;
  } catch {
    return false;
  }
}
