import type { WebSocketManager } from '../managers/manager.js';
import type { Place } from './queue.js';

/** What a newcomer gets before it has a manager: its claim on the shared quota, granted or left to the local limit. */
export interface Confirmation {
  readonly claim: { readonly userId: string; readonly threadId: string; readonly claimId: number };
  /** Whether the ledger has granted the claim. Otherwise it could not be asked, and the local limit decided. */
  readonly isGranted: boolean;
}

/** What becomes of a newcomer that the ledger was asked for. Each is called with the newest newcomer of the thread. */
export interface AnswerListener {
  /** It has the slot; also if the ledger cannot be asked, and the local limit decides. */
  granted(place: Place, confirmation: Confirmation): void;
  /** The quota is full, counting all processes. */
  denied(place: Place): void;
  /**
   * It is refused, since two processes keep taking its thread from each other (`contested`), the ledger cannot be asked and
   * the local limit does not suffice (`unavailable`), or the ledger has not answered within `ticketMs` (`expired`).
   */
  refused(place: Place, why: 'contested' | 'unavailable' | 'expired'): void;
}

/**
 * What admission needs of the shared quota: somebody who has the ledger confirm slots of this process. It is a port, since
 * admission does not import `core/quota`; there, `Confirmations` implements it.
 */
export interface QuotaPort {
  /** Whether there is a ledger. Without one nothing else is called. */
  readonly areNeeded: boolean;
  /** Asks for a newcomer that has a slot of this process. The listener is called within this call, or later. */
  ask(place: Place, listener: AnswerListener): void;
  /** A newer connection of the thread has come: it gets the answer. */
  passOn(former: Place, newer: Place): void;
  /** The newcomer has gone, or is refused: its claim is given back. @returns whether the ledger was asked for it */
  leave(place: Place): boolean;
  /** A manager was made with this confirmation. The claim is given back when the manager is released. */
  hold(manager: WebSocketManager, confirmation: Confirmation): void;
  /** Gives back a claim that no manager has. */
  giveBack(confirmation: Confirmation): void;
}
