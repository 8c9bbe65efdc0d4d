import type { UserExecutionContext } from '../identity/user-execution-context.js';
import { withResolver } from '../promises.js';
import { isPending, type Admission, type PendingAdmission, type WaitingPeer } from './outcome.js';
import type { Arrival } from './arrival-order.js';

/** When a place was taken, and what happens when its newcomer leaves. */
interface Turn {
  /** Its number in the order of everything; a run with a higher one began later. */
  readonly serial: number;
  readonly takenAtMs: number;
  /** When the attempt arrived. */
  readonly arrival: Arrival;
  readonly leave: (place: Place) => void;
  /** Its socket was accepted. */
  readonly accepted?: (place: Place) => void;
}

/** A newcomer's turn in the queue. It is not a slot: it counts against nothing. */
export class Place implements PendingAdmission {
  readonly settled: Promise<Admission>;
  readonly serial: number;
  readonly takenAtMs: number;
  readonly arrival: Arrival;
  readonly #leave: (place: Place) => void;
  readonly #accepted: ((place: Place) => void) | undefined;
  readonly #resolve: (admission: Admission) => void;
  #granted: Admission | PendingAdmission | null = null;
  /** The accepted socket that waits, and what had come from it when it was accepted. */
  #peer: { readonly peer: WaitingPeer; readonly bytesThen: number } | null = null;

  constructor(
    readonly key: string,
    readonly context: UserExecutionContext,
    { serial, takenAtMs, arrival, leave, accepted }: Turn,
  ) {
    this.serial = serial;
    this.takenAtMs = takenAtMs;
    this.arrival = arrival;
    this.#leave = leave;
    this.#accepted = accepted;
    const { promise, resolve } = withResolver<Admission>();
    this.settled = promise;
    this.#resolve = resolve;
  }

  accepted(peer: WaitingPeer): void {
    this.#peer = { peer, bytesThen: bytesOf(peer) };
    this.#accepted?.(this);
  }

  /** The accepted socket that waits, if there is one. */
  get peer(): WaitingPeer | null {
    return this.#peer?.peer ?? null;
  }

  /** Whether a byte came from the newcomer since it was accepted; one that has no socket yet counts as heard of. */
  get isHeard(): boolean {
    return this.#peer === null || bytesOf(this.#peer.peer) !== this.#peer.bytesThen;
  }

  /** Its turn has come: the slot is taken, the ledger may still have to confirm. */
  grant(outcome: Admission | PendingAdmission): void {
    this.#granted = outcome;
    if (!isPending(outcome)) this.settle(outcome);
    else void outcome.settled.then(this.#resolve);
  }

  settle(admission: Admission): void {
    this.#resolve(admission);
  }

  /** Leaves the queue or, where the slot was granted in the same moment, gives that back. */
  cancel(): void {
    const granted = this.#granted;
    if (granted === null) this.#leave(this);
    else if (isPending(granted)) granted.cancel();
    else granted.ticket?.cancel();
  }
}

/** Never throws: what cannot be read has not changed. */
function bytesOf(peer: WaitingPeer): number {
  try {
    return peer.bytesReceived;
  } catch {
    return -1;
  }
}

/** Places of all users: first come, first served, one per key. */
export class PlaceQueue {
  readonly #byUser = new Map<string, Map<string, Place>>();
  #size = 0;

  /** Places of all users: what the users' maps have grown and shrunk by. */
  get size(): number {
    return this.#size;
  }

  /** How many of the user's newcomers wait. */
  sizeOf(userId: string): number {
    // Usually the queue is empty, and every admission and release asks.
    if (this.#size === 0) return 0;
    return this.#byUser.get(userId)?.size ?? 0;
  }

  placeOf(userId: string, key: string): Place | undefined {
    return this.#byUser.get(userId)?.get(key);
  }

  /** Queues the place at the end or, if its key waits already, where that stands. */
  put(place: Place): void {
    const { userId } = place.context;
    const places = this.#byUser.get(userId) ?? new Map<string, Place>();
    const before = places.size;
    places.set(place.key, place);
    this.#size += places.size - before;
    this.#byUser.set(userId, places);
  }

  /** Takes this very place out; `false` if it is not in the queue any longer. */
  remove(place: Place): boolean {
    const { userId } = place.context;
    const places = this.#byUser.get(userId);
    if (places?.get(place.key) !== place) return false;
    places.delete(place.key);
    this.#size -= 1;
    if (places.size === 0) this.#byUser.delete(userId);
    return true;
  }

  /** The user's places, first in line first. */
  placesOf(userId: string): Place[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  /** The first in line. */
  headOf(userId: string): Place | undefined {
    return this.#byUser.get(userId)?.values().next().value;
  }

  /** The first in line that was heard of, or has no socket that could be. */
  firstHeardOf(userId: string): Place | undefined {
    return this.placesOf(userId).find(({ isHeard }) => isHeard);
  }

  /** How many of the user's newcomers wait and were heard of. */
  heardOf(userId: string): number {
    return this.placesOf(userId).filter(({ isHeard }) => isHeard).length;
  }

  /** The places of all users. */
  all(): Place[] {
    return [...this.#byUser.values()].flatMap((places) => [...places.values()]);
  }

  /** Where a place stands, the first being 1. */
  positionOf(place: Place): number {
    return this.placesOf(place.context.userId).indexOf(place) + 1;
  }
}
