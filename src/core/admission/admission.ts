import type { RefusalError } from '../errors.js';
import type { Ticket } from './ticket.js';

/** A decision about a newcomer. A refusal is an expected outcome, so it is returned and not thrown. */
export type Admission =
  { readonly ticket: Ticket; readonly refusal: null } | { readonly ticket: null; readonly refusal: RefusalError };

/** A newcomer that has to wait: for a slot, for an answer of the connection it would replace, or for the ledger. */
export interface PendingAdmission {
  /** Never rejects. */
  readonly settled: Promise<Admission>;
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
