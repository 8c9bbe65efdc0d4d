import type { UserExecutionContext } from '../identity/user-execution-context.js';
import { Probe, type ProbeParts } from '../liveness/probe.js';
import { stateOf } from '../liveness/silence.js';
import type { Suspicion } from '../liveness/suspicion.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { Successor, WebSocketManager } from '../managers/manager.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import { withResolver } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import { admitted, refused, type Admission, type PendingAdmission } from './outcome.js';
import type { Arrival, ArrivalOrder } from './arrival-order.js';
import type { Refusals } from './refusals.js';
import type { Ticket, Tickets } from './ticket.js';
import type { WaitingCap } from './waiting-cap.js';

interface TakeoverParts extends ProbeParts {
  readonly config: WebSocketConfig;
  readonly tickets: Tickets;
  readonly refusals: Refusals;
  readonly lifecycle: Pick<Lifecycle, 'settleDue'>;
  readonly suspicion: Suspicion;
  readonly arrivals: ArrivalOrder;
  readonly waitingCap: WaitingCap;
}

/** A newer connection of a thread, as it asks for the thread's manager. */
export interface Claim {
  readonly context: UserExecutionContext;
  readonly arrival: Arrival;
}

/**
 * A newer connection of a thread that has a manager: it takes over manager, slot, holds and hooks, once its socket is
 * open. Two live clients that keep taking a thread from each other are settled in favour of the one that holds it.
 * @see docs/decisions/0006-takeover-and-order-of-arrival.md
 */
export class Takeover {
  readonly #parts: TakeoverParts;

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
  }

  /**
   * Claims the manager for another connection of its thread. A full quota never stands in its way. One that arrived
   * before the attempt or the connection that it meets has been replaced already, except by a connection that is gone
   * or a suspect.
   */
  claim(manager: WebSocketManager, claim: Claim): Admission | PendingAdmission {
    const { tickets, arrivals, refusals } = this.#parts;
    const { connection, successor } = manager;
    const { context, arrival } = claim;
    if (successor instanceof Contest) return successor.challenge(claim);
    const outstanding = tickets.outstanding(manager);
    if (outstanding !== undefined && arrival < outstanding.arrival) return refused(refusals.replaced());
    if (connection === null || !this.#isStanding(connection))
      return admitted(tickets.issue(manager, context, { arrival }));
    if (arrivals.isBefore(arrival, connection)) return refused(refusals.replaced());
    if (outstanding === undefined && this.#isFought(manager)) return this.#contest(manager, connection, claim);
    return admitted(tickets.issue(manager, context, { arrival, isCounted: true }));
  }

  /** Whether the connection may be there: not closed, and no suspect. */
  #isStanding(connection: ManagedConnection): boolean {
    return stateOf(connection) !== 'closed' && !this.#parts.suspicion.has(connection);
  }

  /** The current connection ended by itself: the newcomer that contests it has won. */
  incumbentEnded(manager: WebSocketManager): void {
    if (manager.successor instanceof Contest) manager.successor.conceded();
  }

  #isFought(manager: WebSocketManager): boolean {
    const { config, clock } = this.#parts;
    const extras = manager.ensureExtras();
    const since = clock.now() - config.takeoverFightWindowMs;
    extras.takeoversAtMs = extras.takeoversAtMs.filter((atMs) => atMs > since);
    return extras.takeoversAtMs.length >= config.takeoverFightLimit;
  }

  #contest(manager: WebSocketManager, connection: ManagedConnection, claim: Claim): Admission | PendingAdmission {
    const { waitingCap, refusals } = this.#parts;
    if (!waitingCap.hasRoomFor(manager.userId)) return refused(refusals.crowded());
    const contest = new Contest(this.#parts, manager, connection);
    manager.ensureExtras().successor = contest;
    const pending = contest.challenge(claim);
    contest.start();
    return pending;
  }
}

interface Challenger extends Claim {
  readonly resolve: (admission: Admission) => void;
  /** What it was granted, from then on. */
  ticket: Ticket | null;
}

/** A fight for a key: the incumbent is asked whether it is there, and the newest challenger waits for the answer. */
class Contest implements Successor {
  readonly #parts: TakeoverParts;
  readonly #manager: WebSocketManager;
  readonly #probe: Probe;
  #challenger: Challenger | null = null;

  constructor(options: TakeoverParts, manager: WebSocketManager, incumbent: ManagedConnection) {
    this.#parts = options;
    this.#manager = manager;
    options.waitingCap.add(manager.userId, this);
    this.#probe = new Probe(options, {
      connections: [incumbent],
      onDone: ({ silent, stuck }) => {
        if (silent.has(incumbent) || stuck.has(incumbent)) this.conceded();
        else this.#refuse();
      },
    });
  }

  start(): void {
    this.#probe.start();
  }

  /** A newer newcomer takes the place of the one that waits; an older one has been replaced by it already. */
  challenge({ context, arrival }: Claim): Admission | PendingAdmission {
    const replaced = refused(this.#parts.refusals.replaced());
    if (arrival < (this.#challenger?.arrival ?? 0)) return replaced;
    this.#dismiss(replaced);
    const { promise: settled, resolve } = withResolver<Admission>();
    const challenger: Challenger = { context, arrival, resolve, ticket: null };
    this.#challenger = challenger;
    const cancel = (): void => {
      if (this.#challenger === challenger) this.#abandon();
      else challenger.ticket?.cancel();
    };
    return { settled, cancel };
  }

  /** The incumbent is gone or dead: the challenger may take over. Not counted as a takeover. */
  conceded(): void {
    const challenger = this.#over();
    if (challenger === null) return;
    const { context, arrival } = challenger;
    challenger.ticket = this.#parts.tickets.issue(this.#manager, context, { arrival });
    challenger.resolve(admitted(challenger.ticket));
  }

  superseded(cause: 'replaced' | 'released' | 'draining'): void {
    this.#over()?.resolve(refused(this.#parts.refusals[cause]()));
  }

  #refuse(): void {
    this.#over()?.resolve(refused(this.#parts.refusals.contested()));
    this.#parts.lifecycle.settleDue(this.#manager);
  }

  #abandon(): void {
    this.#over()?.resolve(refused(this.#parts.refusals.cancelled()));
    this.#parts.lifecycle.settleDue(this.#manager);
  }

  #over(): Challenger | null {
    const challenger = this.#challenger;
    this.#challenger = null;
    this.#probe.cancel();
    this.#parts.waitingCap.remove(this.#manager.userId, this);
    if (this.#manager.successor === this) this.#manager.ensureExtras().successor = null;
    return challenger;
  }

  #dismiss(admission: Admission): void {
    this.#challenger?.resolve(admission);
    this.#challenger = null;
  }
}
