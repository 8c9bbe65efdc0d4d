import type { WebSocketConfig } from '../settings.js';
import type { Clock, Random } from '../time.js';
import type { LedgerState } from '../vocabulary.js';

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
  | {
      readonly granted: true;
      /** The user's slots in use in all processes, this one included. @default not known */
      readonly total?: number;
      /**
       * Whether a connection of the thread is in another process. It keeps the slot until {@link QuotaLedger.opened} is
       * called, and gets it back if the claim is given back before.
       * @default false
       */
      readonly takesOver?: boolean;
    }
  | {
      /** The quota is full: the newcomer waits in the queue of its user, while a cleanup looks for a slot. */
      readonly granted: false;
      readonly total: number;
      /**
       * How many milliseconds ago the most silent of the processes that hold these slots last said that it is alive. If it
       * has died, its slots are free soon: so newcomers wait until each process has said so since they came.
       * @default 0
       */
      readonly silentMs?: number;
    }
  | {
      /** Two processes keep taking the thread from each other: the newcomer is refused as `contested`. */
      readonly granted: 'contested';
    }
  | {
      /**
       * The ledger cannot be asked now. The local limit decides, or with `failOpen: false` the newcomer is refused as
       * `unavailable`. A ledger that answers so says by {@link LedgerHost.stateChanged} why; to throw or reject means the
       * same, and is reported for each claim.
       */
      readonly granted: 'unknown';
    };

/** The state of a ledger. */
export interface LedgerStatus {
  readonly state: LedgerState;
  /** Why it is not up, and what to do; `null` if it is up. */
  readonly reason: string | null;
}

/** The settings of a Mooring that its ledger needs. */
export type LedgerConfig = Pick<WebSocketConfig, 'maxManagersPerUser' | 'nodeBeatMs' | 'nodeTimeoutMs'>;

/**
 * What a ledger gets from the Mooring that uses it, and tells it. Calls about claims that the ledger does not hold any
 * longer do nothing.
 */
export interface LedgerHost {
  /** The clock of all ages, without the time in which this process stood still. */
  readonly clock: Clock;
  readonly random: Random;
  readonly config: LedgerConfig;
  /** The totals at which the level of a user with this limit changes. */
  levelsOf(limit: number): readonly number[];
  /** The thread of this claim has a newer connection in another process: its manager is released, and closed with 4409. */
  superseded(claim: QuotaClaim): void;
  /** The user has this many slots in use in all processes now. Newcomers that wait are asked for again. */
  totalChanged(userId: string, total: number): void;
  /** The ledger can be asked, or not any longer. @see LedgerAnswer */
  stateChanged(status: LedgerStatus): void;
  /** Another process that shares the quota has another `maxManagersPerUser`: each user has whichever limit is asked with. */
  limitDiffers(theirs: number): void;
}

/**
 * Counts a user's slots in several processes.
 *
 * A slot is first taken in this process, without waiting. The ledger then confirms it, at once or later; until it has, the
 * newcomer has no manager. If it never answers, the newcomer is refused after `ticketMs`.
 */
export interface QuotaLedger {
  /**
   * Claims a slot. A newer claim of the same thread takes over the slot of the former one.
   * @param limit `Infinity` without a limit
   */
  acquire(claim: QuotaClaim, limit: number): LedgerAnswer | Promise<LedgerAnswer>;
  /**
   * Gives the slot back if it still belongs to this claim. If it throws or rejects, it is called again until it succeeds;
   * if it never settles, it is not. It may also be called again if the claim was granted, or its question failed, after the
   * first call.
   */
  release(claim: QuotaClaim): void | Promise<void>;
  /** The socket of this claim is open: from now on it is the one that holds the slot of its thread. Called once. */
  opened?(claim: QuotaClaim): void;
  /** A newer connection of the thread has come in this process: the claim is newer now than those made before. */
  renewed?(claim: QuotaClaim): void;
  /** Called once by each Mooring that uses the ledger, before anything else. */
  attach?(host: LedgerHost): void;
  /**
   * Called once, when that Mooring has stopped: it claims nothing any longer. Waited for as long as a hook may run
   * (`hookTimeoutMs`).
   */
  stop?(): Promise<void>;
}

/** A claim as a ledger keeps it. Claim ids are unique within one process only, so the ledger object is needed too. */
interface Owner {
  readonly process: MemoryLedger;
  readonly claim: QuotaClaim;
}

interface Slot {
  holder: Owner;
  /** The newest claim of the thread in another process, until its socket is open. */
  successor: Owner | null;
}

/** Counts in memory: one quota for several Moorings of one process. Other ledgers are compared with it. */
export class MemoryLedger implements QuotaLedger {
  readonly #slots: Map<string, Map<string, Slot>>;
  readonly #hosts = new Set<LedgerHost>();

  /**
   * @param shared a ledger with which this one shares its slots, as a second process would; claims of both may have the
   * same ids @default slots of its own
   */
  constructor(shared?: MemoryLedger) {
    this.#slots = shared === undefined ? new Map<string, Map<string, Slot>>() : shared.#slots;
  }

  attach(host: LedgerHost): void {
    this.#hosts.add(host);
  }

  acquire(claim: QuotaClaim, limit: number): LedgerAnswer {
    const { userId, threadId } = claim;
    const slots = this.#slots.get(userId) ?? new Map<string, Slot>();
    const slot = slots.get(threadId);
    if (slot === undefined && slots.size >= limit) return { granted: false, total: slots.size };
    const owner = { process: this, claim };
    if (slot !== undefined && slot.holder.process !== this) {
      if (slot.successor !== null) MemoryLedger.#superseded(slot.successor);
      slot.successor = owner;
      return { granted: true, total: slots.size, takesOver: true };
    }
    slots.set(threadId, { holder: owner, successor: null });
    this.#slots.set(userId, slots);
    for (const former of [slot?.holder, slot?.successor]) if (former) MemoryLedger.#superseded(former);
    return { granted: true, total: slots.size };
  }

  opened({ userId, threadId, claimId }: QuotaClaim): void {
    const slot = this.#slots.get(userId)?.get(threadId);
    if (slot?.successor?.process !== this || slot.successor.claim.claimId !== claimId) return;
    const former = slot.holder;
    slot.holder = slot.successor;
    slot.successor = null;
    MemoryLedger.#superseded(former);
  }

  release({ userId, threadId, claimId }: QuotaClaim): void {
    const slots = this.#slots.get(userId);
    const slot = slots?.get(threadId);
    if (slots === undefined || slot === undefined) return;
    const isOf = (owner: Owner | null): boolean => owner?.process === this && owner.claim.claimId === claimId;
    if (isOf(slot.successor)) slot.successor = null;
    else if (!isOf(slot.holder)) return;
    else if (slot.successor !== null) {
      slot.holder = slot.successor;
      slot.successor = null;
    } else slots.delete(threadId);
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

  /** In a later turn, as from another process. */
  static #superseded({ process, claim }: Owner): void {
    queueMicrotask(() => {
      for (const host of process.#hosts) host.superseded(claim);
    });
  }
}
