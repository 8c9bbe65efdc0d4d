import type { RefusalError } from '../errors.js';
import type { Connection } from '../managers/connection.js';
import type { Arrival } from './arrival-order.js';
import type { Ticket } from './ticket.js';

/** A decision about a newcomer. A refusal is an expected outcome, so it is returned and not thrown. */
export type Admission =
  { readonly ticket: Ticket; readonly refusal: null } | { readonly ticket: null; readonly refusal: RefusalError };

/** Options of `mooring.decide`. */
export interface DecideOptions {
  /** When its upgrade request arrived, from `mooring.arrivals.begin()`. @default it arrives with this call */
  readonly arrival?: Arrival | undefined;
}

/** Options of `mooring.admit`. */
export interface AdmitOptions extends DecideOptions {
  /** Abort it when the client goes while it waits: its place is given back. Ignored once it is decided. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of an accepted socket that is used while it waits for a place. */
export type WaitingPeer = Pick<Connection, 'bytesReceived' | 'ping'>;

/** A newcomer that has to wait: for a slot, for an answer of the connection it would replace, or for the ledger. */
export interface PendingAdmission {
  /** Never rejects. */
  readonly settled: Promise<Admission>;
  /**
   * To be called when the newcomer's socket was accepted and waits open: a cleanup then pings it too. Only if it answers
   * does it get the slot of a suspect or of an evicted connection. Without this call it counts as having answered.
   */
  accepted?(peer: WaitingPeer): void;
  /** Gives up: the newcomer's place or slot is given back, and `settled` resolves with a refusal. */
  cancel(): void;
}

/** Whether the decision comes later. */
export function isPending(outcome: Admission | PendingAdmission): outcome is PendingAdmission {
  return 'settled' in outcome;
}

export function admitted(ticket: Ticket): Admission {
  return { ticket, refusal: null };
}

export function refused(refusal: RefusalError): Admission {
  return { ticket: null, refusal };
}

/** The decision, once it is there. Aborting the signal before gives the newcomer's place back. Never rejects. */
export async function settledOf(outcome: Admission | PendingAdmission, signal?: AbortSignal): Promise<Admission> {
  if (!isPending(outcome)) return outcome;
  const cancel = (): void => {
    outcome.cancel();
  };
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted === true) cancel();
  const admission = await outcome.settled;
  signal?.removeEventListener('abort', cancel);
  return admission;
}
