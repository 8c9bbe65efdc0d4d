import type { RefusalError } from '../errors.js';
import type { UserExecutionContext } from '../identity/user-execution-context.js';
import { Probe, type ProbeParts } from '../liveness/probe.js';
import { stateOf } from '../liveness/silence.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { Successor, WebSocketManager } from '../managers/manager.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import { withResolver } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import type { CloseCause } from '../vocabulary.js';
import { admitted, refused, type Admission, type PendingAdmission } from './outcome.js';
import type { Arrival, ArrivalOrder } from './arrival-order.js';
import type { Refusals } from './refusals.js';
import type { Room } from './room.js';
import type { Ticket, Tickets } from './ticket.js';

interface TakeoverParts extends ProbeParts {
  readonly config: WebSocketConfig;
  readonly lifecycle: Pick<Lifecycle, 'releaseIfDue'>;
  readonly room: Room;
  readonly arrivals: ArrivalOrder;
  readonly tickets: Tickets;
  readonly refusals: Refusals;
}

/** A client that asks for a slot, or for the manager of its thread: whose it is, and when it arrived. */
export interface Newcomer {
  readonly context: UserExecutionContext;
  readonly arrival: Arrival;
}

/**
 * Lets a newer connection of a thread take over its manager, with slot, holds and hooks, once its socket is open. If two
 * live clients keep taking a thread from each other, the one that has it keeps it.
 * @see docs/decisions/0006-takeover-and-order-of-arrival.md
 */
export class Takeover {
  readonly #parts: TakeoverParts;

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
  }

  /**
   * Decides about a newcomer whose thread has this manager, whether or not the quota is full. It is refused as replaced if
   * it arrived before the present connection, or before the newcomer that is about to take over. A connection that is
   * closed or a suspect does not count.
   */
  decide(manager: WebSocketManager, newcomer: Newcomer): Admission | PendingAdmission {
    const { tickets, arrivals, refusals } = this.#parts;
    const { connection, successor } = manager;
    const { context, arrival } = newcomer;
    if (successor instanceof Contest) return successor.challenge(newcomer);
    const outstanding = tickets.outstanding(manager);
    if (outstanding !== undefined && arrival < outstanding.arrival) return refused(refusals.replaced());
    if (connection === null || !this.#mayBeAlive(connection))
      return admitted(tickets.issue(manager, context, { arrival }));
    if (arrivals.isBefore(arrival, connection)) return refused(refusals.replaced());
    if (outstanding === undefined && this.#isFought(manager)) return this.#contest(manager, connection, newcomer);
    return admitted(tickets.issue(manager, context, { arrival, isCounted: true }));
  }

  /** Whether it is neither closed nor a suspect. */
  #mayBeAlive(connection: ManagedConnection): boolean {
    return stateOf(connection) !== 'closed' && !this.#parts.suspicion.has(connection);
  }

  /** The current connection has ended: the newcomer that contests it may take over. */
  presentConnectionEnded(manager: WebSocketManager): void {
    if (manager.successor instanceof Contest) manager.successor.won();
  }

  #isFought(manager: WebSocketManager): boolean {
    const { config, clock } = this.#parts;
    const extras = manager.ensureExtras();
    const since = clock.now() - config.takeoverFightWindowMs;
    extras.takeoversAtMs = extras.takeoversAtMs.filter((atMs) => atMs > since);
    return extras.takeoversAtMs.length >= config.takeoverFightLimit;
  }

  #contest(manager: WebSocketManager, connection: ManagedConnection, newcomer: Newcomer): Admission | PendingAdmission {
    const { room, refusals } = this.#parts;
    if (!room.mayWait(manager.userId)) return refused(refusals.crowded());
    const contest = new Contest(this.#parts, manager, connection);
    manager.ensureExtras().successor = contest;
    const pending = contest.challenge(newcomer);
    contest.start();
    return pending;
  }
}

interface Challenger extends Newcomer {
  readonly resolve: (admission: Admission) => void;
  /** The ticket that it was granted, if any. */
  ticket: Ticket | null;
}

/** A fight for a key: the present connection is probed, and the newest challenger waits for the result. */
class Contest implements Successor {
  readonly #parts: TakeoverParts;
  readonly #manager: WebSocketManager;
  readonly #probe: Probe;
  #challenger: Challenger | null = null;

  constructor(parts: TakeoverParts, manager: WebSocketManager, incumbent: ManagedConnection) {
    this.#parts = parts;
    this.#manager = manager;
    parts.room.addContest(manager.userId, this);
    this.#probe = new Probe(parts, {
      connections: [incumbent],
      onDone: ({ silent, stuck }) => {
        if (silent.has(incumbent) || stuck.has(incumbent)) this.won();
        else this.#lost(parts.refusals.contested());
      },
    });
  }

  start(): void {
    this.#probe.start();
  }

  /** The challenger that arrived last waits; the other is refused as replaced. */
  challenge({ context, arrival }: Newcomer): Admission | PendingAdmission {
    const replaced = refused(this.#parts.refusals.replaced());
    if (arrival < (this.#challenger?.arrival ?? 0)) return replaced;
    this.#challenger?.resolve(replaced);
    const { promise: settled, resolve } = withResolver<Admission>();
    const challenger: Challenger = { context, arrival, resolve, ticket: null };
    this.#challenger = challenger;
    const cancel = (): void => {
      if (this.#challenger === challenger) this.#lost(this.#parts.refusals.cancelled());
      else challenger.ticket?.cancel();
    };
    return { settled, cancel };
  }

  /** The present connection is gone or dead: the challenger may take over. This does not count as a takeover. */
  won(): void {
    const challenger = this.#end();
    if (challenger === null) return;
    const { context, arrival } = challenger;
    challenger.ticket = this.#parts.tickets.issue(this.#manager, context, { arrival });
    challenger.resolve(admitted(challenger.ticket));
  }

  superseded(closeCause: CloseCause): void {
    this.#end()?.resolve(refused(this.#parts.refusals.released(closeCause)));
  }

  #lost(refusal: RefusalError): void {
    this.#end()?.resolve(refused(refusal));
    this.#parts.lifecycle.releaseIfDue(this.#manager);
  }

  #end(): Challenger | null {
    const challenger = this.#challenger;
    this.#challenger = null;
    this.#probe.cancel();
    this.#parts.room.removeContest(this.#manager.userId, this);
    if (this.#manager.successor === this) this.#manager.ensureExtras().successor = null;
    return challenger;
  }
}
