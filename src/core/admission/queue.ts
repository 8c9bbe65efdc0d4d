import type { UserExecutionContext } from '../identity/user-execution-context.js';
import type { UserLimits } from '../managers/limits.js';
import { withResolver } from '../promises.js';
import { isPending, type Admission, type PendingAdmission, type WaitingPeer } from './outcome.js';
import type { Arrival } from './arrival-order.js';

/** What a place is made with. */
interface PlaceOptions {
  /** The isolation key. */
  readonly key: string;
  readonly context: UserExecutionContext;
  readonly arrival: Arrival;
  /** Sequence number shared with the cleanup runs: a run with a higher number began later. */
  readonly serial: number;
  readonly takenAtMs: number;
  /** Called when the newcomer gives up. */
  readonly onLeft: (place: Place) => void;
  /** Called when the newcomer's socket was accepted. */
  readonly onAccepted: (place: Place) => void;
}

/** A newcomer's place in the queue. It is not a slot: it counts against no limit. */
export class Place implements PendingAdmission {
  readonly settled: Promise<Admission>;
  readonly key: string;
  readonly context: UserExecutionContext;
  readonly arrival: Arrival;
  readonly serial: number;
  readonly takenAtMs: number;
  readonly #options: PlaceOptions;
  readonly #resolve: (admission: Admission) => void;
  #granted: Admission | PendingAdmission | null = null;
  /** The accepted socket that waits, and how many bytes had come when it was accepted. */
  #peer: { readonly peer: WaitingPeer; readonly bytesThen: number } | null = null;

  constructor(options: PlaceOptions) {
    this.#options = options;
    this.key = options.key;
    this.context = options.context;
    this.arrival = options.arrival;
    this.serial = options.serial;
    this.takenAtMs = options.takenAtMs;
    const { promise, resolve } = withResolver<Admission>();
    this.settled = promise;
    this.#resolve = resolve;
  }

  accepted(peer: WaitingPeer): void {
    this.#peer = { peer, bytesThen: bytesOf(peer) };
    this.#options.onAccepted(this);
  }

  get peer(): WaitingPeer | null {
    return this.#peer?.peer ?? null;
  }

  /** Whether a byte came from the newcomer since it was accepted. A newcomer without a socket counts as heard of. */
  get isHeard(): boolean {
    return this.#peer === null || bytesOf(this.#peer.peer) !== this.#peer.bytesThen;
  }

  /** It is first in line and has a slot, which the ledger may still have to confirm. */
  grant(outcome: Admission | PendingAdmission): void {
    this.#granted = outcome;
    if (!isPending(outcome)) this.settle(outcome);
    else void outcome.settled.then(this.#resolve);
  }

  settle(admission: Admission): void {
    this.#resolve(admission);
  }

  /** Leaves the queue, or gives back the slot if it was granted already. */
  cancel(): void {
    const granted = this.#granted;
    if (granted === null) this.#options.onLeft(this);
    else if (isPending(granted)) granted.cancel();
    else granted.ticket?.cancel();
  }
}

/** -1 if it cannot be read. Never throws. */
function bytesOf(peer: WaitingPeer): number {
  try {
    return peer.bytesReceived;
  } catch {
    return -1;
  }
}

/** The newcomers of all users that wait for a slot: first come, first served, one per key. */
export class PlaceQueue {
  readonly #limits: Pick<UserLimits, 'of'>;
  readonly #byUser = new Map<string, Map<string, Place>>();
  #size = 0;

  constructor(limits: Pick<UserLimits, 'of'>) {
    this.#limits = limits;
  }

  /** How many newcomers of all users wait. */
  get size(): number {
    return this.#size;
  }

  sizeOf(userId: string): number {
    // Usually the queue is empty, and this is called by every admission and release.
    if (this.#size === 0) return 0;
    return this.#byUser.get(userId)?.size ?? 0;
  }

  placeOf(userId: string, key: string): Place | undefined {
    return this.#byUser.get(userId)?.get(key);
  }

  /** Puts the place at the end of the user's line, or replaces the place of the same key. */
  put(place: Place): void {
    const { userId } = place.context;
    const places = this.#byUser.get(userId) ?? new Map<string, Place>();
    const before = places.size;
    places.set(place.key, place);
    this.#size += places.size - before;
    this.#byUser.set(userId, places);
  }

  /** Removes the place. @returns whether it was still in the queue */
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

  headOf(userId: string): Place | undefined {
    return this.#byUser.get(userId)?.values().next().value;
  }

  firstHeardOf(userId: string): Place | undefined {
    return this.placesOf(userId).find(({ isHeard }) => isHeard);
  }

  /** How many of the user's newcomers were heard of; 0 if the user's limit is 0, so that no cleanup makes room for them. */
  heardOf(userId: string): number {
    const count = this.placesOf(userId).filter(({ isHeard }) => isHeard).length;
    return count > 0 && this.#limits.of(userId) === 0 ? 0 : count;
  }

  all(): Place[] {
    return [...this.#byUser.values()].flatMap((places) => [...places.values()]);
  }

  /** The position of a place in the user's line, from 1 on. */
  positionOf(place: Place): number {
    return this.placesOf(place.context.userId).indexOf(place) + 1;
  }
}
