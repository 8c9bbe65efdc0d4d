/** One manager's claim on its user's quota. */
export interface QuotaClaim {
  readonly userId: string;
  readonly threadId: string;
  /**
   * Distinguishes claims of the same thread within this process, so that a late release does not end a newer claim.
   * Another process may use the same number: a ledger for several processes must distinguish these too.
   */
  readonly claimId: number;
}

/** The answer of a ledger to a claim. */
export type LedgerAnswer =
  /** `total`: the user's slots in use in all processes, this one included. */
  | { readonly granted: true; readonly total: number }
  /** The quota is full; the local reservation is given back. */
  | { readonly granted: false; readonly total: number };

/**
 * Counts a user's slots in several processes.
 *
 * A slot is first reserved locally, without waiting. The ledger then confirms it, at once or later. If the ledger throws
 * or rejects, that is reported, and the local limit decides. If it never answers, no connection is admitted: a
 * reservation that is not confirmed is given back after `ticketMs`.
 */
export interface QuotaLedger {
  /**
   * Claims a slot. A new claim of the same thread takes over the slot of the former one.
   * @param limit `Infinity` without a limit
   */
  acquire(claim: QuotaClaim, limit: number): LedgerAnswer | Promise<LedgerAnswer>;
  /**
   * Gives the slot back if it still belongs to this claim. If it throws or rejects, it is called again until it succeeds;
   * if it never settles, it is not. It may also be called again if the claim was granted after the first call.
   */
  release(claim: QuotaClaim): void | Promise<void>;
}

/** The owner of a slot. Claim ids are unique within one process only, so the ledger object is needed too. */
interface Slot {
  readonly holder: MemoryLedger;
  readonly claimId: number;
}

/** Counts in memory: one quota for several Moorings of one process. Other ledgers are compared with it. */
export class MemoryLedger implements QuotaLedger {
  readonly #slots: Map<string, Map<string, Slot>>;

  /**
   * @param shared a ledger with which this one shares its slots, as a second process would; claims of both may have the
   * same ids @default slots of its own
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
