import type { Pinger } from '../liveness/ping.js';
import { standstillMs, sample } from '../liveness/silence.js';
import type { Suspicion } from '../liveness/suspicion.js';
import type { AttachedConnection } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { ReleaseOptions } from '../managers/release-options.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { Clock } from '../time.js';
import { chosenOf } from './chosen.js';
import type { Victim } from './strategies/victim.js';
import type { Tally } from './tally.js';

/** How often a newcomer that was accepted and has not been heard of is looked at, while it could be given a place. */
export const newcomerPollMs = 50;

/** A newcomer that waits, as cleanup sees it. */
export interface WaitingNewcomer {
  /** Its accepted socket, or `null` if it has none that can be pinged. */
  readonly peer: { ping(payload: string): void } | null;
}

/** Where newcomers wait, as cleanup sees it. */
export interface WaitingRoom {
  /** How many of the user's newcomers wait now. */
  sizeOf(userId: string): number;
  /** How many of them were heard of since they were accepted. */
  heardOf(userId: string): number;
  placesOf(userId: string): readonly WaitingNewcomer[];
}

/** What speaks against the connections whose places are given away. */
type Evidence = Pick<Victim, 'closeCause' | 'limitMs' | 'finding'>;

interface SuspectPlacesParts {
  readonly clock: Clock;
  readonly pinger: Pinger;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
  readonly suspicion: Suspicion;
  readonly waitingRoom: WaitingRoom;
  readonly backlogExcuseMs: number;
}

/**
 * Gives the places of a user's suspects to newcomers of that user, one for one, and only to newcomers that were heard of
 * themselves. Of the suspects, the one that was unheard of for the longest goes first, and those that are held go last.
 */
export class SuspectPlaces {
  readonly #parts: SuspectPlacesParts;

  constructor(parts: SuspectPlacesParts) {
    this.#parts = parts;
  }

  /** How many of the user's connections are suspects now. */
  standing(userId: string): number {
    return this.#suspectsOf(userId).length;
  }

  /** Gives as many places as there are newcomers that were heard of. @param tally counts them, where a cleanup runs */
  give(userId: string, tally: Tally | null): void {
    this.#give(userId, tally, {
      connections: this.#suspectsOf(userId).sort((a, b) => a.lastByteAtMs - b.lastByteAtMs),
      evidence: { finding: 'silent', closeCause: 'silent' },
    });
  }

  /** As {@link give}, from connections whose unsent data has stood still for `backlogExcuseMs`, longest first. */
  giveBacklogs(userId: string, tally: Tally): void {
    const { backlogExcuseMs: limitMs } = this.#parts;
    this.#give(userId, tally, {
      connections: this.#backlogsOf(userId).filter((connection) => standstillMs(connection) >= limitMs - 1),
      evidence: { finding: 'stuck', closeCause: 'slow', limitMs },
    });
  }

  /** In how many milliseconds the first of the user's backlogs will have stood for `backlogExcuseMs`; `null` without any. */
  nextBacklogInMs(userId: string): number | null {
    const [first] = this.#backlogsOf(userId);
    return first === undefined ? null : Math.max(0, this.#parts.backlogExcuseMs - standstillMs(first));
  }

  /** Asks the newcomers that wait as open sockets whether they are there. Never throws. */
  askNewcomers(userId: string): void {
    for (const newcomer of this.#parts.waitingRoom.placesOf(userId)) this.askNewcomer(newcomer);
  }

  /** As {@link askNewcomers}, one of them. */
  askNewcomer({ peer }: WaitingNewcomer): void {
    try {
      peer?.ping(this.#parts.pinger.payload());
    } catch {
      // One that cannot even be asked will not be heard of.
    }
  }

  #give(
    userId: string,
    tally: Tally | null,
    { connections, evidence }: { connections: readonly AttachedConnection[]; evidence: Evidence },
  ): void {
    const { clock, lifecycle, waitingRoom } = this.#parts;
    for (const { manager } of heldLast(connections)) {
      if (waitingRoom.heardOf(userId) === 0) return;
      const options: ReleaseOptions = { ...evidence, by: 'admission', isForHeard: true };
      const victim: Victim = { manager, strategy: 'disconnected', reason: 'disconnected', ...evidence };
      const chosen = chosenOf(victim, clock.now());
      if (lifecycle.release(manager, 'disconnected', options)) tally?.add(chosen);
    }
  }

  #suspectsOf(userId: string): AttachedConnection[] {
    const { registry, suspicion } = this.#parts;
    if (suspicion.size === 0) return [];
    return registry.connectionsOf(userId).filter((connection) => isEligible(connection) && suspicion.has(connection));
  }

  /** Connections whose unsent data stands still, the longest first. */
  #backlogsOf(userId: string): AttachedConnection[] {
    const connections = this.#parts.registry.connectionsOf(userId).filter(isEligible);
    for (const connection of connections) sample(connection);
    return connections
      .filter((connection) => standstillMs(connection) > 0)
      .sort((a, b) => a.standstillAtMs - b.standstillAtMs);
  }
}

/** Whether it may give its place: not if a newer connection of its thread is about to take over. */
function isEligible({ manager, isCurrent }: AttachedConnection): boolean {
  return isCurrent && manager.successor === null;
}

function heldLast(connections: readonly AttachedConnection[]): AttachedConnection[] {
  return [
    ...connections.filter(({ manager }) => !manager.isHeld),
    ...connections.filter(({ manager }) => manager.isHeld),
  ];
}
