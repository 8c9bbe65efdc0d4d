import type { EmergencyCleanup } from '../cleanup/emergency.js';
import { describe, type RefusalError } from '../errors.js';
import type { EventStream } from '../events.js';
import { isolationKey } from '../identity/isolation-key.js';
import { contextOf, type ContextFields, type UserExecutionContext } from '../identity/user-execution-context.js';
import { idleTimeoutWanted, isIdleTimeout } from '../idle-timeout.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { UserLimits } from '../managers/limits.js';
import { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketResourceMonitor } from '../pressure/monitor.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import type { CloseCause } from '../vocabulary.js';
import type { ArrivalOrder } from './arrival-order.js';
import { admitted, isPending, refused, type Admission, type DecideOptions, type PendingAdmission } from './outcome.js';
import { Place, type PlaceQueue } from './queue.js';
import type { AnswerListener, Confirmation, QuotaPort } from './quota-port.js';
import { refusalDetails, type Refusals } from './refusals.js';
import type { Room } from './room.js';
import type { Newcomer, Takeover } from './takeover.js';
import type { Ticket, Tickets } from './ticket.js';

interface AdmissionParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Lifecycle;
  readonly limits: UserLimits;
  readonly room: Room;
  /** Newcomers that wait for a slot. */
  readonly queue: PlaceQueue;
  /** Newcomers that have a slot of this process, for which the ledger is asked. */
  readonly asking: PlaceQueue;
  readonly arrivals: ArrivalOrder;
  readonly tickets: Tickets;
  readonly takeover: Takeover;
  readonly confirmations: QuotaPort;
  readonly emergency: EmergencyCleanup;
  readonly monitor: WebSocketResourceMonitor;
  readonly refusals: Refusals;
}

/**
 * Decides about newcomers: a slot now, a place in the user's queue, or a refusal; and serves the queue.
 *
 * Nothing awaits between reading a count and taking the slot, so no lock is needed.
 */
export class AdmissionControl {
  readonly #parts: AdmissionParts;
  /** Users whose queue is being served, with the slots that were freed meanwhile. */
  readonly #serving = new Map<string, { freed: number; forReady: number }>();
  #isDraining = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Whether admission is shut for good. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many newcomers of all users wait for a slot, or for the last answer of the ledger. */
  get waiting(): number {
    const { queue, asking } = this.#parts;
    return queue.size + asking.all().filter(this.#hasLastChance).length;
  }

  /** The same of one user. */
  waitingOf(userId: string): number {
    const { queue, asking } = this.#parts;
    return queue.sizeOf(userId) + asking.placesOf(userId).filter(this.#hasLastChance).length;
  }

  /** Whether its cleanup ended while the ledger was asked for it. */
  readonly #hasLastChance = (place: Place): boolean => place.hasWaited && !this.#parts.queue.has(place);

  /**
   * Decides about a connection of this context. If the user has no slot left, an emergency cleanup runs first, and the
   * admission is pending meanwhile.
   * @throws MalformedContextError
   */
  admit(fields: ContextFields, { arrival }: DecideOptions = {}): Admission | PendingAdmission {
    const { arrivals } = this.#parts;
    try {
      return this.#admit({ context: this.contextOf(fields), arrival: arrival ?? arrivals.now() });
    } finally {
      if (arrival !== undefined) arrivals.decided(arrival);
    }
  }

  /** Checks the ids and makes a context of them. @throws MalformedContextError */
  contextOf(fields: ContextFields): UserExecutionContext {
    return contextOf(fields, this.#parts.config, this.#storedUserId);
  }

  #admit(newcomer: Newcomer): Admission | PendingAdmission {
    const { context } = newcomer;
    const isRaised = this.#applyContext(context);
    const outcome = this.#decide(newcomer);
    if (isRaised) this.#serve(context.userId, { freed: 0, isForReady: false });
    if (context.limit !== undefined) this.forgetLimitIfGone(context.userId);
    const refusal = isPending(outcome) ? null : outcome.refusal;
    if (refusal !== null) this.#parts.events.emit('admission.refused', refusalDetails(context, refusal));
    return outcome;
  }

  #decide(newcomer: Newcomer): Admission | PendingAdmission {
    const { registry, limits, queue, asking, refusals, room, takeover, confirmations } = this.#parts;
    if (this.#isDraining) return refused(refusals.draining());
    const { context } = newcomer;
    const { userId } = context;
    const existing = registry.get(context);
    if (existing !== undefined) return this.#announcing(context, takeover.decide(existing, newcomer));
    // The ledger may be asked for an older connection of the thread.
    const asked = asking.sizeOf(userId) === 0 ? undefined : asking.placeOf(userId, isolationKey(context));
    if (asked !== undefined) return this.#replaceAsked(asked, newcomer);
    const limit = limits.of(userId);
    if (limit === 0) return refused(this.#quotaRefusal(userId, null));
    if (queue.sizeOf(userId) > 0 || !room.makeWithin(limit, userId)) return this.#enqueue(newcomer, limit);
    if (!room.makeInTotal(userId)) return refused(refusals.capacity(this.#parts.config.maxTotalManagers ?? 0));
    if (!confirmations.areNeeded) return admitted(this.#grant(newcomer, 0));
    // The newcomer has a slot of this process now. With a quota ledger, it gets a manager once the ledger has confirmed that.
    const place = this.#newPlace(newcomer);
    confirmations.ask(place, this.#answers);
    const { admission } = place;
    return admission !== null && admission.ticket !== null ? admission : place;
  }

  /** Takes the slot: makes the manager. @param confirmation `null` without a ledger */
  #grant({ context, arrival }: Newcomer, waitedMs: number, confirmation: Confirmation | null = null): Ticket {
    const { registry, tickets, events, confirmations, monitor, lifecycle } = this.#parts;
    const manager = new WebSocketManager(lifecycle, context);
    const managerCount = registry.add(manager);
    if (confirmation !== null) confirmations.hold(manager, confirmation);
    const ticket = tickets.issue(manager, context, { arrival });
    lifecycle.managerAdmitted(manager);
    events.emitOf('manager.admitted', manager, { managerCount, waitedMs });
    monitor.observe(context.userId);
    return ticket;
  }

  /** What the ledger says about a newcomer that has a slot of this process. */
  readonly #answers: AnswerListener = {
    granted: (place, confirmation) => {
      const { registry, limits, confirmations } = this.#parts;
      const { userId } = place.context;
      // The limit may have been lowered meanwhile.
      if (registry.countOf(userId) >= limits.of(userId)) {
        confirmations.giveBack(confirmation);
        this.#denied(place);
        return;
      }
      this.#parts.queue.remove(place);
      const waitedMs = place.hasWaited ? this.#parts.clock.now() - place.takenAtMs : 0;
      place.settle(admitted(this.#grant(place, waitedMs, confirmation)));
      this.mayAskAgain(userId);
    },
    denied: (place) => {
      this.#denied(place);
    },
    refused: (place, why) => {
      this.#parts.queue.remove(place);
      this.#turnAway(place, this.#parts.refusals[why]());
    },
  };

  /**
   * The user's quota is full, counting all processes: the newcomer waits in its turn, and a cleanup makes room. If the
   * cleanup for which it waited ended while the ledger was asked, that was its last chance.
   */
  #denied(place: Place): void {
    const { queue, emergency, room, refusals } = this.#parts;
    const { userId } = place.context;
    if (queue.has(place)) emergency.wake(userId);
    else if (place.hasWaited) this.#turnAway(place, this.#quotaRefusal(userId, 0));
    else if (!this.#makeRoomInLine(place)) this.#turnAway(place, this.#quotaRefusal(userId, queue.sizeOf(userId)));
    else if (!room.mayWait(userId)) this.#turnAway(place, refusals.crowded());
    else {
      queue.putInTurn(place);
      this.#queued(place);
      emergency.wake(userId);
    }
  }

  /**
   * As many wait as the limit allows, at most. If so many do, the last in line is refused for one that came before it.
   * @returns whether there is room
   */
  #makeRoomInLine({ context, turn }: Place): boolean {
    const { queue, limits } = this.#parts;
    const line = queue.placesOf(context.userId);
    if (line.length < limits.of(context.userId)) return true;
    const last = line.at(-1);
    if (last === undefined || last.turn < turn) return false;
    this.#refusePlace(last, this.#quotaRefusal(context.userId, line.length));
    return true;
  }

  /** A slot may be free elsewhere: the ledger is asked again for whoever waits. */
  mayAskAgain(userId: string): void {
    if (this.#parts.queue.sizeOf(userId) > 0 && !this.#isDraining) this.#serve(userId, { freed: 0, isForReady: false });
  }

  /** A newer connection of a thread for which the ledger is asked gets the answer. */
  #replaceAsked(former: Place, newcomer: Newcomer): Admission | PendingAdmission {
    const { refusals, confirmations, queue } = this.#parts;
    if (newcomer.arrival < former.arrival) return refused(refusals.replaced());
    const place = this.#newPlace(newcomer, former);
    place.serial = former.serial;
    if (queue.has(former)) queue.put(place);
    confirmations.passOn(former, place);
    this.#turnAway(former, refusals.replaced());
    return place;
  }

  /** Gives the newcomer a place in the queue, unless too many wait: of this user, or of all users together. */
  #enqueue(newcomer: Newcomer, limit: number): Admission | PendingAdmission {
    const { queue, emergency, refusals, room } = this.#parts;
    const { context, arrival } = newcomer;
    const { userId } = context;
    const key = isolationKey(context);
    const former = queue.placeOf(userId, key);
    const waiting = queue.sizeOf(userId);
    if (former === undefined && waiting >= limit) return refused(this.#quotaRefusal(userId, waiting));
    if (former === undefined && !room.mayWait(userId)) return refused(refusals.crowded());
    if (former !== undefined && arrival < former.arrival) return refused(refusals.replaced());
    const place = this.#newPlace(newcomer, former);
    queue.put(place);
    if (former !== undefined) this.#turnAway(former, refusals.replaced());
    this.#queued(place);
    emergency.wake(userId);
    return place;
  }

  /** @param former the place of an older connection of the thread */
  #newPlace({ context, arrival }: Newcomer, former?: Place): Place {
    const [key, takenAtMs] = [isolationKey(context), this.#parts.clock.now()];
    const [onLeft, onAccepted] = [this.#onLeft, this.#onAccepted];
    return new Place({ key, context, arrival, takenAtMs, former, onLeft, onAccepted });
  }

  /** The place is in the queue for the first time, also if it replaces another: no run that goes on refuses it. */
  #queued(place: Place): void {
    const { queue, emergency, events } = this.#parts;
    const { userId, threadId } = place.context;
    place.serial = emergency.nextSerial();
    events.emit('admission.queued', { userId, threadId, key: place.key, position: queue.positionOf(place) });
  }

  readonly #onAccepted = (place: Place): void => {
    this.#parts.emergency.newcomerAccepted(place);
  };

  /** Shuts admission: refuses newcomers that wait, and gives freed slots to none. */
  drain(): void {
    this.#isDraining = true;
    const { queue, asking, refusals } = this.#parts;
    for (const place of [...queue.all(), ...asking.all()]) this.#refusePlace(place, refusals.draining());
  }

  /** All managers of this user are about to be released: the newcomers that wait for their slots are refused with that. */
  refuseWaiting(userId: string, closeCause: CloseCause): void {
    const { queue, asking, refusals } = this.#parts;
    for (const place of [...queue.placesOf(userId), ...asking.placesOf(userId)])
      this.#refusePlace(place, refusals.released(closeCause));
  }

  /**
   * A slot of this user is free: the first newcomer in line gets it within this call. It may be taken again even above a
   * limit that was lowered, since the count does not grow by it.
   * @param isForReady whether the first newcomer that is ready comes before those that have not answered
   */
  slotFreed(userId: string, isForReady = false): void {
    if (this.#parts.queue.sizeOf(userId) > 0 && !this.#isDraining) this.#serve(userId, { freed: 1, isForReady });
  }

  /**
   * Called when a cleanup run ends. Refuses newcomers queued before the run began that still have no slot; those for which
   * the ledger is being asked leave the queue, and get its answer.
   */
  refuseUnserved(userId: string, serial: number): void {
    const { queue } = this.#parts;
    this.#serve(userId, { freed: 0, isForReady: false });
    for (const [ahead, place] of queue.placesOf(userId).entries()) {
      if ((place.serial ?? 0) >= serial) continue;
      if (place.isAsked) queue.remove(place);
      else this.#refusePlace(place, this.#quotaRefusal(userId, ahead));
    }
  }

  /**
   * Serves the user's queue: one newcomer for each freed slot, then more as long as there is room. Serving one may free
   * other slots: the same loop serves them, not one inside it.
   */
  #serve(userId: string, { freed, isForReady }: { freed: number; isForReady: boolean }): void {
    const { limits, queue, room } = this.#parts;
    const underWay = this.#serving.get(userId);
    if (underWay !== undefined) {
      underWay.freed += freed;
      if (isForReady) underWay.forReady += freed;
      return;
    }
    const round = { freed, forReady: isForReady ? freed : 0 };
    this.#serving.set(userId, round);
    for (;;) {
      const ready = round.forReady > 0 ? queue.firstReadyOf(userId) : undefined;
      const place = ready ?? queue.headOf(userId);
      const fits = place !== undefined && (round.freed > 0 ? limits.of(userId) > 0 : room.fits(userId));
      if (!fits) break;
      round.freed = Math.max(0, round.freed - 1);
      round.forReady = Math.max(0, round.forReady - 1);
      this.#servePlace(place);
    }
    this.#serving.delete(userId);
  }

  #servePlace(place: Place): void {
    const { queue, clock, confirmations } = this.#parts;
    if (confirmations.areNeeded) {
      confirmations.ask(place, this.#answers);
      return;
    }
    queue.remove(place);
    place.settle(admitted(this.#grant(place, clock.now() - place.takenAtMs)));
  }

  readonly #onLeft = (place: Place): void => {
    const { events, clock, refusals } = this.#parts;
    if (!this.#remove(place)) return;
    const { userId, threadId } = place.context;
    events.emit('admission.cancelled', { userId, threadId, key: place.key, waitedMs: clock.now() - place.takenAtMs });
    place.settle(refused(refusals.cancelled()));
  };

  /** Takes limit and idle timeout from the context. @returns whether the user may hold more managers than before */
  #applyContext({ userId, threadId, limit, idleTimeoutMs }: UserExecutionContext): boolean {
    const { events, limits, config } = this.#parts;
    if (idleTimeoutMs !== undefined && !isIdleTimeout(idleTimeoutMs)) {
      const got = `${describe(idleTimeoutMs)}, wanted ${idleTimeoutWanted}`;
      const key = isolationKey({ userId, threadId });
      events.emit('idleTimeout.rejected', { userId, threadId, key, got, used: config.idleManagerTimeoutMs });
    }
    return limit !== undefined && limits.set(userId, limit) && !this.#isDraining;
  }

  /** Forgets the limit that connections came with, if the user has no manager left. */
  forgetLimitIfGone(userId: string): void {
    if (this.#parts.registry.countOf(userId) === 0) this.#parts.limits.forget(userId);
  }

  readonly #storedUserId = (userId: string): string | undefined => this.#parts.registry.storedUserId(userId);

  #refusePlace(place: Place, refusal: RefusalError): void {
    if (this.#remove(place)) this.#turnAway(place, refusal);
  }

  /** @returns whether it was undecided */
  #remove(place: Place): boolean {
    const wasQueued = this.#parts.queue.remove(place);
    return this.#parts.confirmations.leave(place) || wasQueued;
  }

  #turnAway(place: Place, refusal: RefusalError): void {
    const { clock, events } = this.#parts;
    const { context, takenAtMs, hasAnswered: isHeard } = place;
    const waitedMs = clock.now() - takenAtMs;
    events.emit('admission.refused', refusalDetails(context, refusal, { waitedMs, isHeard }));
    place.settle(refused(refusal));
  }

  /** Has a refusal announced that comes later than this call. */
  #announcing(context: UserExecutionContext, outcome: Admission | PendingAdmission): Admission | PendingAdmission {
    if (!isPending(outcome)) return outcome;
    const { clock, events } = this.#parts;
    const sinceMs = clock.now();
    void outcome.settled.then(({ refusal }) => {
      const waitedMs = clock.now() - sinceMs;
      if (refusal !== null)
        events.emit('admission.refused', refusalDetails(context, refusal, { waitedMs, isHeard: true }));
    });
    return outcome;
  }

  /**
   * The refusal of a newcomer whose user's quota is full. It says to come back when the first slot may be free: when a
   * cleanup may evict the first of the user's managers, or a ticket that nobody used expires.
   * @param ahead newcomers that wait before it; `null` if the limit is 0
   */
  #quotaRefusal(userId: string, ahead: number | null): RefusalError {
    const { limits, refusals, room } = this.#parts;
    return refusals.quota({ limit: limits.of(userId), firstFreeInMs: room.firstFreeInMs(userId), ahead });
  }
}
