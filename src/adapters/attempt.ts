import { isPending, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import type { ArrivalOrder } from '../core/admission/arrival-order.js';
import { afterwards } from './afterwards.js';
import type { UnauthenticatedSocket, UnauthenticatedCap } from './unauthenticated-cap.js';

/** What an adapter wants to hear of an attempt. */
export interface AttemptListener {
  /** Called once, unless the attempt ends before. What it throws is the application's. */
  readonly decided: (admission: Admission) => void;
  /** It is authenticated and has to wait, for a place, a contest or a ledger. */
  readonly waits?: (pending: PendingAdmission) => void;
}

/** What an attempt is made of. */
export interface AttemptParts {
  readonly arrivals: ArrivalOrder;
  readonly cap: UnauthenticatedCap;
  readonly addressOf: () => string;
  /** Its room is needed for clients of other addresses: the adapter should answer 503. */
  readonly displaced: () => void;
}

/** An authentication that goes on. */
export interface RunningAuthentication {
  /** Nobody waits for it any longer. */
  abandon(): void;
}

/** An attempt to connect, from the arrival of its upgrade request until it is decided or its client has gone. */
export class Attempt implements UnauthenticatedSocket {
  /** Who it is from, once that is known. */
  userId: string | null = null;
  /** Its authentication, until that has ended. While it goes on, a client that has gone keeps its share of the cap. */
  authentication: RunningAuthentication | null = null;
  listener: AttemptListener | null = null;
  /** Its number in the order of arrival. */
  readonly arrival: number;
  readonly #parts: AttemptParts;
  #address: string | null = null;
  #pending: PendingAdmission | null = null;
  #isOver = false;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.arrival = parts.arrivals.begin();
  }

  /** The client's address, as it is counted. */
  get address(): string {
    return (this.#address ??= this.#parts.addressOf());
  }

  /** Whether it is decided, waits for a place, or has been given up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The client has gone, or was answered already: a place or slot is given back, authentication's answer is ignored.
   * Does nothing once it is decided.
   */
  leave(): void {
    this.#pending?.cancel();
    this.#pending = null;
    if (this.#isOver) return;
    this.#end();
    if (this.authentication === null) this.#parts.cap.leave(this);
    else this.authentication.abandon();
  }

  displace(): void {
    if (this.#isOver) return; // its client has gone already
    this.#end();
    this.authentication?.abandon();
    this.#parts.displaced();
  }

  /** Authentication has led to this. */
  take(outcome: Admission | PendingAdmission): void {
    this.#end();
    this.#parts.cap.leave(this);
    if (isPending(outcome)) this.#wait(outcome);
    else this.listener?.decided(outcome);
  }

  /** Its authentication has ended; whoever has gone meanwhile counts no longer. */
  authenticated(): void {
    this.authentication = null;
    this.#parts.cap.leave(this);
  }

  #wait(pending: PendingAdmission): void {
    this.#pending = pending;
    afterwards(pending.settled, (admission) => {
      if (this.#pending === null) {
        admission.ticket?.cancel();
        return;
      }
      this.#pending = null;
      this.listener?.decided(admission);
    });
    // Last, since the application may throw from what is done now.
    this.listener?.waits?.(pending);
  }

  #end(): void {
    this.#isOver = true;
    this.#parts.arrivals.decided(this.arrival);
  }
}
