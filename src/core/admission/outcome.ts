import type { RefusalError } from '../errors.js';
import type { Connection } from '../managers/connection.js';
import type { Arrival } from './arrival-order.js';
import type { Ticket } from './ticket.js';

/** A decision about a newcomer. A refusal is an expected outcome, so it is returned and not thrown. */
export type Admission =
  { readonly ticket: Ticket; readonly refusal: null } | { readonly ticket: null; readonly refusal: RefusalError };

/** What can be said of an attempt beside whose it is. */
export interface AdmitOptions {
  /** When its upgrade request arrived, from `mooring.arrivals.begin()`. @default it arrives with this call */
  readonly arrival?: Arrival | undefined;
}

/** The part of an accepted socket that matters while it waits for a place. */
export type WaitingPeer = Pick<Connection, 'bytesReceived' | 'ping'>;

/** A newcomer that has to wait: for a slot, for an answer of the connection it would replace, or for the ledger. */
export interface PendingAdmission {
  /** Never rejects. */
  readonly settled: Promise<Admission>;
  /**
   * The newcomer's socket was accepted and waits open: a cleanup may ask it, as it asks those who have a place. Of
   * newcomers that were accepted, only one that was heard of since gets the place of a suspect or of an evicted
   * connection. Without this call the newcomer is taken for heard of.
   */
  accepted?(peer: WaitingPeer): void;
  /** The newcomer is gone: whatever it holds is given back, and `settled` resolves with a refusal. */
  cancel(): void;
}

/** Whether the decision is still open. */
export function isPending(outcome: Admission | PendingAdmission): outcome is PendingAdmission {
  return 'settled' in outcome;
}

export function admitted(ticket: Ticket): Admission {
  return { ticket, refusal: null };
}

export function refused(refusal: RefusalError): Admission {
  return { ticket: null, refusal };
}
