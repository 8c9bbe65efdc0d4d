import type { UserExecutionContext } from '../identity/user-execution-context.js';
import { Probe, type ProbeParts } from '../liveness/probe.js';
import { stateOf } from '../liveness/silence.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { Successor, WebSocketManager } from '../managers/manager.js';
import type { Releaser } from '../managers/release.js';
import { withResolver } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import { admitted, refused, type Admission, type PendingAdmission } from './admission.js';
import type { Refusals } from './refusals.js';
import type { Ticket, TicketDesk } from './ticket.js';

interface TakeoverOptions extends ProbeParts {
  readonly config: WebSocketConfig;
  readonly desk: TicketDesk;
  readonly refusals: Refusals;
  readonly releaser: Releaser;
}

/**
 * A newer connection of a thread that has a manager: it takes over manager, slot, holds and hooks, once its socket is
 * open. Two live clients that keep taking a thread from each other are settled in favour of the one that holds it.
 * @source spec section 3.2; citrineos#190, manabrew#600, ComfyUI#549
 */
export class Takeover {
  readonly #options: TakeoverOptions;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** Claims the manager for a newer connection. A full quota never stands in its way. */
  claim(manager: WebSocketManager, context: UserExecutionContext): Admission | PendingAdmission {
    const { desk } = this.#options;
    const { link, successor } = manager;
    if (successor instanceof Contest) return successor.challenge(context);
    if (link === null || stateOf(link) === 'closed') return admitted(desk.issue(manager, context));
    if (desk.outstanding(manager) !== undefined || !this.#isFought(manager)) {
      return admitted(desk.issue(manager, context, true));
    }
    return this.#contest(manager, { link, context });
  }

  /** The current connection ended by itself: whoever contests it has won. */
  incumbentEnded(manager: WebSocketManager): void {
    if (manager.successor instanceof Contest) manager.successor.conceded();
  }

  #isFought(manager: WebSocketManager): boolean {
    const { config, clock } = this.#options;
    const particulars = manager.mutableParticulars();
    const since = clock.now() - config.takeoverFightWindowMs;
    particulars.takeoversAtMs = particulars.takeoversAtMs.filter((atMs) => atMs > since);
    return particulars.takeoversAtMs.length >= config.takeoverFightLimit;
  }

  #contest(
    manager: WebSocketManager,
    { link, context }: { link: ManagedConnection; context: UserExecutionContext },
  ): PendingAdmission {
    const contest = new Contest(this.#options, manager, link);
    manager.mutableParticulars().successor = contest;
    const pending = contest.challenge(context);
    contest.start();
    return pending;
  }
}

interface Challenger {
  readonly context: UserExecutionContext;
  readonly resolve: (admission: Admission) => void;
  /** What it was granted, from then on. */
  ticket: Ticket | null;
}

/** A fight for a key: the incumbent is asked whether it is there, and the newest challenger waits for the answer. */
class Contest implements Successor {
  readonly #options: TakeoverOptions;
  readonly #manager: WebSocketManager;
  readonly #probe: Probe;
  #challenger: Challenger | null = null;

  constructor(options: TakeoverOptions, manager: WebSocketManager, incumbent: ManagedConnection) {
    this.#options = options;
    this.#manager = manager;
    this.#probe = new Probe(options, {
      links: [incumbent],
      onDone: ({ silent, stuck }) => {
        if (silent.has(incumbent) || stuck.has(incumbent)) this.conceded();
        else this.#refuse();
      },
    });
  }

  start(): void {
    this.#probe.start();
  }

  /** A newer newcomer takes the place of the one that waits. */
  challenge(context: UserExecutionContext): PendingAdmission {
    this.#dismiss(refused(this.#options.refusals.replaced()));
    const { promise: settled, resolve } = withResolver<Admission>();
    const challenger: Challenger = { context, resolve, ticket: null };
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
    challenger.ticket = this.#options.desk.issue(this.#manager, challenger.context);
    challenger.resolve(admitted(challenger.ticket));
  }

  superseded(cause: 'replaced' | 'released' | 'draining'): void {
    this.#over()?.resolve(refused(this.#options.refusals[cause]()));
  }

  #refuse(): void {
    this.#over()?.resolve(refused(this.#options.refusals.contested()));
    this.#options.releaser.settleDue(this.#manager);
  }

  #abandon(): void {
    this.#over()?.resolve(refused(this.#options.refusals.cancelled()));
    this.#options.releaser.settleDue(this.#manager);
  }

  #over(): Challenger | null {
    const challenger = this.#challenger;
    this.#challenger = null;
    this.#probe.cancel();
    if (this.#manager.successor === this) this.#manager.mutableParticulars().successor = null;
    return challenger;
  }

  #dismiss(admission: Admission): void {
    this.#challenger?.resolve(admission);
    this.#challenger = null;
  }
}
