/** One manager's claim on its user's quota. */
export interface QuotaClaim {
  readonly userId: string;
  readonly threadId: string;
  /**
   * Distinguishes this claim from an earlier or later one of the same thread, within this process; a late release must
   * not end the wrong one. Another process may use the same number: a ledger for several keeps whose it is, too.
   */
  readonly claimId: number;
}

/** What a ledger says to a claim. */
export type LedgerAnswer =
  /** `total`: the user's slots in use everywhere, this one included. */
  | { readonly granted: true; readonly total: number }
  /** The quota is full elsewhere; the local reservation is given back. */
  | { readonly granted: false; readonly total: number };

/**
 * Where a user's slots are counted when that is not this process alone.
 *
 * The local reservation comes first and decides in one breath; the ledger then confirms it, at once or later. A ledger
 * that throws or rejects is reported, and the local limit decides. A ledger that never answers lets no connection in: a reservation
 * that is not confirmed returns after `ticketMs`.
 */
export interface QuotaLedger {
  /**
   * Asks for a slot. The same thread again takes its former slot over.
   * @param limit `Infinity` without a limit
   */
  acquire(claim: QuotaClaim, limit: number): LedgerAnswer | Promise<LedgerAnswer>;
  /**
   * Gives the slot back if it is still this claim's. May be called again for a claim that was granted after it; where it
   * throws or rejects it is, until it does not. One that never settles is not asked again.
   */
  release(claim: QuotaClaim): void | Promise<void>;
}

/** What has a slot: claim ids are unique within one ledger's process only, so both are needed. */
interface Slot {
  readonly holder: MemoryLedger;
  readonly claimId: number;
}

/** Counts in memory: one quota for several Moorings of one process, and the model for other ledgers. */
export class MemoryLedger implements QuotaLedger {
  readonly #slots: Map<string, Map<string, Slot>>;

  /**
   * @param shared the ledger whose slots are counted here too, as from another process: its claims and this one's may
   * have the same ids @default slots of its own
   */
  constructor(shared?: MemoryLedger) {
    this.#slots = shared === undefined ? new Map<string, Map<string, Slot>>() : shared.#slots;
  }

  acquire({ userId, threadId, claimId }: QuotaClaim, limit: number): LedgerAnswer {
    const slots = this.#slots.get(userId) ?? new Map<string, Slot>();
    if (!slots.has(threadId) && slots.size >= limit) return { granted: false, total: slots.size };
    slots.set(threadId, { holder: this, claimId });
    this.#slots.set(userId, slots);
    return { granted: true, total: slots.size };
  }

  release({ userId, threadId, claimId }: QuotaClaim): void {
    const slots = this.#slots.get(userId);
    const slot = slots?.get(threadId);
    if (slots === undefined || slot?.holder !== this || slot.claimId !== claimId) return;
    slots.delete(threadId);
    if (slots.size === 0) this.#slots.delete(userId);
  }

  /** All slots in use. */
  get size(): number {
    return [...this.#slots.values()].reduce((sum, slots) => sum + slots.size, 0);
  }

  /** The user's slots in use. */
  totalOf(userId: string): number {
    return this.#slots.get(userId)?.size ?? 0;
  }
}
