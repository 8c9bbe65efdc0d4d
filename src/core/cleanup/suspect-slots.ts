import type { Pinger } from '../liveness/ping.js';
import { sample, standstillMs } from '../liveness/silence.js';
import type { Suspicion } from '../liveness/suspicion.js';
import type { AttachedConnection } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';
import type { Victim } from './strategies/victim.js';
import type { Tally } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';

/** How often a newcomer that was accepted and has not answered is checked, while it could get a slot. */
export const newcomerPollMs = 50;

/** A newcomer that waits, as cleanup sees it. */
export interface WaitingNewcomer {
  /** Its accepted socket, or `null` if it has none that can be pinged. */
  readonly peer: { ping(payload: string): void } | null;
}

/** The queue of newcomers, as cleanup sees it. */
export interface NewcomerQueue {
  /** How many of the user's newcomers wait now. */
  sizeOf(userId: string): number;
  /** How many of them are ready for a slot: they have answered, and the ledger is not being asked for them. */
  readyOf(userId: string): number;
  /** Whether the ledger is being asked for one of them. */
  isAsked(userId: string): boolean;
  placesOf(userId: string): readonly WaitingNewcomer[];
}

/** Why slots are taken from connections. */
type Evidence = Pick<Victim, 'closeCause' | 'limitMs' | 'finding'>;

interface SuspectSlotsParts {
  readonly config: Pick<WebSocketConfig, 'backlogExcuseMs'>;
  readonly queue: NewcomerQueue;
  readonly pinger: Pinger;
  readonly suspicion: Suspicion;
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
}

/**
 * Gives the slots of a user's suspects to newcomers of that user, one for one, and only to newcomers that have answered
 * themselves. The suspect that was silent for the longest time goes first. Held managers go last.
 *
 * It is called whenever either side changes: a connection has become a suspect, or a newcomer may have answered.
 */
export class SuspectSlots {
  readonly #parts: SuspectSlotsParts;

  constructor(parts: SuspectSlotsParts) {
    this.#parts = parts;
  }

  /** How many of the user's connections are suspects now. */
  countOf(userId: string): number {
    return this.#suspectsOf(userId).length;
  }

  /** Gives one slot to each newcomer that has answered, as far as there are suspects. @param tally `null`: not counted */
  give(userId: string, tally: Tally | null): void {
    const suspects = this.#suspectsOf(userId).sort((a, b) => a.lastByteAtMs - b.lastByteAtMs);
    this.#give(suspects, { finding: 'silent', closeCause: 'silent' }, tally);
  }

  /** As {@link give}, with connections whose unsent data has not moved for `backlogExcuseMs`, the longest first. */
  giveBacklogs(userId: string, tally: Tally): void {
    const { backlogExcuseMs: limitMs } = this.#parts.config;
    const stuck = this.#backlogsOf(userId).filter((connection) => standstillMs(connection) >= limitMs - 1);
    this.#give(stuck, { finding: 'stuck', closeCause: 'slow', limitMs }, tally);
  }

  /** In how many milliseconds {@link giveBacklogs} will find a first connection; `null` if none has unsent data. */
  nextBacklogInMs(userId: string): number | null {
    const [first] = this.#backlogsOf(userId);
    return first === undefined ? null : Math.max(0, this.#parts.config.backlogExcuseMs - standstillMs(first));
  }

  /** Pings all newcomers of the user that wait as open sockets. Never throws. */
  pingNewcomers(userId: string): void {
    for (const newcomer of this.#parts.queue.placesOf(userId)) this.pingNewcomer(newcomer);
  }

  /** Pings one newcomer. Never throws. */
  pingNewcomer({ peer }: WaitingNewcomer): void {
    try {
      peer?.ping(this.#parts.pinger.payload());
    } catch {
      // A newcomer that cannot be pinged will not answer.
    }
  }

  #give(connections: readonly AttachedConnection[], evidence: Evidence, tally: Tally | null): void {
    const { queue, userCleanup } = this.#parts;
    for (const { manager } of heldLast(connections)) {
      if (queue.readyOf(manager.userId) === 0) return;
      const victim: Victim = { manager, strategy: 'disconnected', reason: 'disconnected', ...evidence };
      userCleanup.release([victim], { by: 'admission', tally, isForReady: true });
    }
  }

  #suspectsOf(userId: string): AttachedConnection[] {
    const { registry, suspicion } = this.#parts;
    if (suspicion.size === 0) return [];
    return registry.connectionsOf(userId).filter((connection) => isEligible(connection) && suspicion.has(connection));
  }

  /** Connections whose unsent data does not move, the longest first. */
  #backlogsOf(userId: string): AttachedConnection[] {
    const connections = this.#parts.registry.connectionsOf(userId).filter(isEligible);
    for (const connection of connections) sample(connection);
    return connections
      .filter((connection) => standstillMs(connection) > 0)
      .sort((a, b) => a.standstillAtMs - b.standstillAtMs);
  }
}

/** Whether it may lose its place: not if a newer connection of its thread is about to take over. */
function isEligible({ manager, isCurrent }: AttachedConnection): boolean {
  return isCurrent && manager.successor === null;
}

function heldLast(connections: readonly AttachedConnection[]): AttachedConnection[] {
  return connections.toSorted((a, b) => Number(a.manager.isHeld) - Number(b.manager.isHeld));
}
