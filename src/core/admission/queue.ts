import type { UserExecutionContext } from '../identity/user-execution-context.js';
import type { UserLimits } from '../managers/limits.js';
import { withResolver } from '../promises.js';
import type { Admission, PendingAdmission, WaitingPeer } from './outcome.js';
import type { Arrival } from './arrival-order.js';

/** What a place is made with. */
interface PlaceOptions {
  /** The isolation key. */
  readonly key: string;
  readonly context: UserExecutionContext;
  readonly arrival: Arrival;
  readonly takenAtMs: number;
  /** The place of an older connection of the same thread, whose turn it gets. */
  readonly former: Place | undefined;
  /** Called when the newcomer gives up. */
  readonly onLeft: (place: Place) => void;
  /** Called when the newcomer's socket was accepted. */
  readonly onAccepted: (place: Place) => void;
}

/** Numbers the places in the order in which they were taken. */
let turns = 0;

/**
 * A newcomer that is not decided yet. In the queue it waits for a slot, and counts against no limit. With a quota ledger it
 * has a slot of this process while the ledger is asked.
 */
export class Place implements PendingAdmission {
  readonly settled: Promise<Admission>;
  readonly key: string;
  readonly context: UserExecutionContext;
  readonly arrival: Arrival;
  readonly takenAtMs: number;
  /** The smaller, the earlier it is served. */
  readonly turn: number;
  /**
   * Sequence number shared with the cleanup runs, from when it first came into the queue: a run with a higher number began
   * later. `null`: it never had to wait there.
   */
  serial: number | null = null;
  /** Whether the ledger is being asked for it. A place of the queue stays there meanwhile. */
  isAsked = false;
  readonly #options: PlaceOptions;
  readonly #resolve: (admission: Admission) => void;
  #admission: Admission | null = null;
  /** The accepted socket that waits, and how many bytes had come when it was accepted. */
  #peer: { readonly peer: WaitingPeer; readonly bytesThen: number } | null = null;

  constructor(options: PlaceOptions) {
    this.#options = options;
    this.key = options.key;
    this.context = options.context;
    this.arrival = options.arrival;
    this.takenAtMs = options.takenAtMs;
    this.turn = options.former?.turn ?? (turns += 1);
    const { promise, resolve } = withResolver<Admission>();
    this.settled = promise;
    this.#resolve = resolve;
  }

  accepted(peer: WaitingPeer): void {
    this.#peer = { peer, bytesThen: bytesOf(peer) };
    this.#options.onAccepted(this);
  }

  /** Whether it has been in the queue. */
  get hasWaited(): boolean {
    return this.serial !== null;
  }

  get peer(): WaitingPeer | null {
    return this.#peer?.peer ?? null;
  }

  /**
   * Whether a byte has come from the newcomer since its socket was accepted. A newcomer without an accepted socket cannot be
   * pinged, and counts as having answered.
   */
  get hasAnswered(): boolean {
    return this.#peer === null || bytesOf(this.#peer.peer) !== this.#peer.bytesThen;
  }

  /** What was decided; `null` until then. */
  get admission(): Admission | null {
    return this.#admission;
  }

  settle(admission: Admission): void {
    this.#admission = admission;
    this.#resolve(admission);
  }

  /** Gives its place back, or the slot if that was granted already. */
  cancel(): void {
    if (this.#admission === null) this.#options.onLeft(this);
    else this.#admission.ticket?.cancel();
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

  /** Puts a place where its turn is: others may have come while the ledger was asked for it. */
  putInTurn(place: Place): void {
    const { userId } = place.context;
    const places = [...this.placesOf(userId), place].sort((a, b) => a.turn - b.turn);
    this.#byUser.set(userId, new Map(places.map((each) => [each.key, each])));
    this.#size += 1;
  }

  /** Removes the place. @returns whether it was still in the queue */
  remove(place: Place): boolean {
    const { userId } = place.context;
    const places = this.#byUser.get(userId);
    if (places === undefined || !this.has(place)) return false;
    places.delete(place.key);
    this.#size -= 1;
    if (places.size === 0) this.#byUser.delete(userId);
    return true;
  }

  /** The user's places, first in line first. */
  placesOf(userId: string): Place[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  has(place: Place): boolean {
    return this.placeOf(place.context.userId, place.key) === place;
  }

  /** The first newcomer in line for which the ledger is not being asked, whether or not it has answered. */
  headOf(userId: string): Place | undefined {
    for (const place of this.#byUser.get(userId)?.values() ?? []) if (!place.isAsked) return place;
    return undefined;
  }

  /** The first newcomer in line that is ready. */
  firstReadyOf(userId: string): Place | undefined {
    return this.placesOf(userId).find(({ isAsked, hasAnswered }) => !isAsked && hasAnswered);
  }

  /** Whether the ledger is being asked for a newcomer that waits. */
  isAsked(userId: string): boolean {
    return this.placesOf(userId).some(({ isAsked }) => isAsked);
  }

  /**
   * How many of the user's newcomers are ready for a slot: they have answered, and the ledger is not being asked for them.
   * A cleanup makes room for so many. 0 if the user's limit is 0.
   */
  readyOf(userId: string): number {
    const count = this.placesOf(userId).filter(({ isAsked, hasAnswered }) => !isAsked && hasAnswered).length;
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
