import type { Arrival, ArrivalOrder } from '../core/admission/arrival-order.js';
import { isPending, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { AbortableCall } from './authentication-call.js';
import type { UnauthenticatedCap, UnauthenticatedSocket } from './unauthenticated-cap.js';
import type { IncomingRequest } from './upgrade-request.js';

/** An answer with an HTTP status, before the client is authenticated. */
export interface HttpRejection {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Called when the doorway has a result. */
export interface AttemptListener {
  /**
   * The client is admitted or refused. Called once, unless the attempt ends before. An exception that it throws
   * becomes an uncaught exception of the process, as it comes from the application.
   */
  onDecided(admission: Admission): void;
  /** The client is authenticated, and waits for a slot, a takeover or the quota ledger. `onDecided` follows. */
  onWaiting(pending: PendingAdmission): void;
  /** A client of another address needs the place of this unauthenticated socket: reject it. The attempt has ended. */
  onDisplaced(rejection: HttpRejection): void;
}

/** The retry time is short, since unadmitted sockets leave within seconds. */
export const tooBusy: HttpRejection = Object.freeze({
  status: 503,
  reason: 'Service Unavailable',
  retryAfterMs: 1_000,
});

/** An attempt to connect, from the arrival of its upgrade request until it is decided or its client has gone. */
export class Attempt<Request> implements UnauthenticatedSocket {
  /** `null` until the client is authenticated. */
  userId: string | null = null;
  /** Its number in the order of arrival. */
  readonly arrival: Arrival;
  /** Whether `authenticate` waits for a message of the client: then an answer that is late is missing, and no failure. */
  isClientAwaited = false;
  /** @internal */ listener: AttemptListener | null = null;
  /** @internal The authentication, until it ends. A client that goes meanwhile counts as unauthenticated until then. */
  authentication: RunningAuthentication | null = null;
  readonly #shared: SharedByAttempts<Request>;
  #address: string | null = null;
  #pending: PendingAdmission | null = null;
  #isAuthenticating = true;

  /** @internal */
  constructor(
    readonly request: Request,
    readonly incoming: IncomingRequest,
    shared: SharedByAttempts<Request>,
  ) {
    this.#shared = shared;
    this.arrival = shared.arrivals.begin();
  }

  /** The client's address, as it is counted. Computed on first use, since not every attempt needs it. */
  get address(): string {
    return (this.#address ??= this.#shared.addressOf(this));
  }

  /** Whether its authentication is still to come or under way: it is not decided, does not wait, and its client is there. */
  get isAuthenticating(): boolean {
    return this.#isAuthenticating;
  }

  /**
   * The client has gone, or was rejected: its place in the queue or its slot is given back, and an answer of
   * `authenticate` is ignored. Does nothing once the attempt is decided.
   */
  leave(): void {
    this.#pending?.cancel();
    this.#pending = null;
    if (!this.#isAuthenticating) return;
    this.#end();
    if (this.authentication === null) this.#shared.cap.remove(this);
    else this.authentication.call.abort('AbortError', 'The client has gone');
  }

  displace(): void {
    if (!this.#isAuthenticating) return;
    this.#end();
    this.authentication?.call.abort('AbortError', 'The client was turned away');
    this.listener?.onDisplaced(tooBusy);
  }

  /** @internal */
  authenticationEnded(): void {
    this.authentication = null;
    this.#shared.cap.remove(this);
  }

  /** @internal */
  settle(outcome: Admission | PendingAdmission): void {
    this.#end();
    this.#shared.cap.remove(this);
    if (isPending(outcome)) this.#awaitAdmission(outcome);
    else this.listener?.onDecided(outcome);
  }

  #awaitAdmission(pending: PendingAdmission): void {
    this.#pending = pending;
    callOutside(pending.settled, (admission) => {
      if (this.#pending === null) {
        admission.ticket?.cancel();
        return;
      }
      this.#pending = null;
      this.listener?.onDecided(admission);
    });
    // Last, since the listener may throw.
    this.listener?.onWaiting(pending);
  }

  #end(): void {
    this.#isAuthenticating = false;
    this.#shared.arrivals.decided(this.arrival);
  }
}

/** What the attempts of one doorway share. */
export interface SharedByAttempts<Request> {
  readonly arrivals: ArrivalOrder;
  readonly cap: UnauthenticatedCap;
  readonly addressOf: (attempt: Attempt<Request>) => string;
}

/** The authentication of an attempt that waits for its answer. */
export interface RunningAuthentication {
  readonly call: AbortableCall;
  /** Ends it with an answer, or with `null` if the server drains. Only the first call counts. */
  readonly end: (answer: Answer | null) => void;
}

/** What `authenticate` returned, or the error it threw. */
export type Answer = { readonly fields: ContextFields | null | undefined } | { readonly error: unknown };

/**
 * Calls `act` with the value of a promise, outside of any promise: an exception of the application must reach the
 * process as an uncaught exception, not as a rejection of a promise of ours.
 */
export function callOutside<T>(promise: PromiseLike<T>, act: (value: T) => void): void {
  void promise.then((value) => {
    process.nextTick(act, value);
  });
}
