import type { EventStream } from '../events.js';
import { QuotaExceededError, describe, type RefusalError } from '../errors.js';
import { contextOf, UserExecutionContext, type ContextFields } from '../identity/user-execution-context.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { EmergencyCleanup } from '../cleanup/emergency.js';
import type { UserCleanup } from '../cleanup/user-cleanup.js';
import { timeToFloorMs } from '../managers/engagement.js';
import { idleTimeoutWanted, isIdleTimeout } from '../idle-timeout.js';
import type { UserLimits } from '../managers/limits.js';
import { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { WebSocketResourceMonitor } from '../pressure/monitor.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import { isPending, refused, type Admission, type AdmitOptions, type PendingAdmission } from './outcome.js';
import type { ArrivalOrder } from './arrival-order.js';
import { Place, type PlaceQueue } from './queue.js';
import type { Refusals } from './refusals.js';
import type { Room } from './room.js';
import type { Claim, Takeover } from './takeover.js';
import type { Ticket, Tickets } from './ticket.js';
import type { WaitingCap } from './waiting-cap.js';

/** The quota ledger, as admission needs it: a reservation is local first, and then confirmed. */
interface Confirmations {
  confirm(ticket: Ticket, denied: (manager: WebSocketManager) => void): Admission | PendingAdmission;
  whenConfirmed(ticket: Ticket): Admission | PendingAdmission;
}

interface AdmissionParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Lifecycle;
  readonly limits: UserLimits;
  readonly room: Room;
  readonly queue: PlaceQueue;
  readonly waitingCap: WaitingCap;
  readonly arrivals: ArrivalOrder;
  readonly tickets: Tickets;
  readonly takeover: Takeover;
  readonly confirmations: Confirmations;
  readonly emergency: EmergencyCleanup;
  readonly userCleanup: UserCleanup;
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
  readonly #serving = new Map<string, { freed: number; forHeard: number }>();
  #isDraining = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Whether admission is shut for good. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * A slot for a connection of this context: at once if there is one, else after the user's dead and abandoned
   * connections were looked for.
   * @throws MalformedContextError
   */
  admit(fields: ContextFields, { arrival }: AdmitOptions = {}): Admission | PendingAdmission {
    const { arrivals } = this.#parts;
    try {
      return this.#admit({ context: contextOf(fields, this.#userIdAsKept), arrival: arrival ?? arrivals.now() });
    } finally {
      if (arrival !== undefined) arrivals.decided(arrival);
    }
  }

  #admit(claim: Claim): Admission | PendingAdmission {
    const { context } = claim;
    const isRaised = this.#hear(context);
    const outcome = this.#decide(claim);
    if (isRaised) this.#serve(context.userId, { freed: 0, isForHeard: false });
    if (context.limit !== undefined) this.forgetLimitIfGone(context.userId);
    if (!isPending(outcome) && outcome.refusal !== null) this.#announceRefusal(context, outcome.refusal);
    return outcome;
  }

  /** Shuts admission: newcomers that wait are told to go elsewhere, and freed slots are given to none. */
  drain(): void {
    this.#isDraining = true;
    for (const place of this.#parts.queue.all()) this.#refusePlace(place, this.#parts.refusals.draining());
  }

  /**
   * A slot of this user is free: the first in line gets it, in the same breath. It may be taken again even
   * above a limit that was lowered, since the count does not grow by it.
   * @param isForHeard it goes to the first in line that was heard of, and not to one that was accepted and said nothing
   */
  slotFreed(userId: string, isForHeard = false): void {
    if (this.#parts.queue.sizeOf(userId) > 0 && !this.#isDraining) this.#serve(userId, { freed: 1, isForHeard });
  }

  /** A run is over: places taken before it began had their chance. */
  refuseUnserved(userId: string, serial: number): void {
    this.#serve(userId, { freed: 0, isForHeard: false });
    for (const [ahead, place] of this.#parts.queue.placesOf(userId).entries())
      if (place.serial < serial) this.#refusePlace(place, this.#quotaRefusal(userId, ahead));
  }

  /**
   * Serves the user's queue: one for each freed slot, then as long as there is room, counted anew for each. Serving one
   * may free other slots; they are served by the loop that goes on already, not by one inside it.
   */
  #serve(userId: string, { freed, isForHeard }: { freed: number; isForHeard: boolean }): void {
    const { limits, queue, room } = this.#parts;
    const underWay = this.#serving.get(userId);
    if (underWay !== undefined) {
      underWay.freed += freed;
      if (isForHeard) underWay.forHeard += freed;
      return;
    }
    const round = { freed, forHeard: isForHeard ? freed : 0 };
    this.#serving.set(userId, round);
    while (queue.sizeOf(userId) > 0 && (round.freed > 0 ? limits.of(userId) > 0 : room.isFor(userId))) {
      const heard = round.forHeard > 0 ? queue.firstHeardOf(userId) : undefined;
      round.freed = Math.max(0, round.freed - 1);
      round.forHeard = Math.max(0, round.forHeard - 1);
      this.#servePlace(heard ?? queue.headOf(userId));
    }
    this.#serving.delete(userId);
  }

  /** What the newest connection says of its user and itself. @returns whether the user may hold more than before */
  #hear({ userId, threadId, limit, idleTimeoutMs }: UserExecutionContext): boolean {
    const { events, limits, config } = this.#parts;
    if (idleTimeoutMs !== undefined && !isIdleTimeout(idleTimeoutMs)) {
      const got = `${describe(idleTimeoutMs)}, wanted ${idleTimeoutWanted}`;
      const key = isolationKey({ userId, threadId });
      events.emit('idleTimeout.rejected', { userId, threadId, key, got, used: config.idleManagerTimeoutMs });
    }
    return limit !== undefined && limits.say(userId, limit) && !this.#isDraining;
  }

  /** What connections said of a user's limit goes with the user's last manager. */
  forgetLimitIfGone(userId: string): void {
    if (this.#parts.registry.countOf(userId) === 0) this.#parts.limits.forget(userId);
  }

  #servePlace(place: Place | undefined): void {
    const { queue, clock } = this.#parts;
    if (place === undefined) return;
    queue.remove(place);
    const outcome = this.#watched(place.context, this.#grant(place, clock.now() - place.takenAtMs));
    if (!isPending(outcome) && outcome.refusal !== null) this.#announceRefusal(place.context, outcome.refusal);
    place.grant(outcome);
  }

  #decide(claim: Claim): Admission | PendingAdmission {
    const { registry, limits, queue, refusals, room } = this.#parts;
    if (this.#isDraining) return refused(refusals.draining());
    const { context } = claim;
    const { userId } = context;
    const existing = registry.get(context);
    if (existing !== undefined) return this.#takeOver(existing, claim);
    const limit = limits.of(userId);
    if (limit === 0) return refused(this.#quotaRefusal(userId, null));
    if (queue.sizeOf(userId) > 0 || !room.makeWithin(limit, userId)) return this.#enqueue(claim, limit);
    if (!room.makeInTotal(userId)) return refused(refusals.capacity(this.#parts.config.maxTotalManagers ?? 0));
    return this.#watched(context, this.#grant(claim, 0));
  }

  /** Of a manager whose own reservation is not confirmed yet, the newer connection waits for that too. */
  #takeOver(manager: WebSocketManager, claim: Claim): Admission | PendingAdmission {
    const { context } = claim;
    const outcome = this.#parts.takeover.claim(manager, claim);
    if (isPending(outcome) || outcome.ticket === null) return this.#watched(context, outcome);
    return this.#watched(context, this.#parts.confirmations.whenConfirmed(outcome.ticket));
  }

  /** Takes the slot: from here on the key has a manager. The ledger confirms, then or later; the monitor looks after. */
  #grant({ context, arrival }: Claim, waitedMs: number): Admission | PendingAdmission {
    const { registry, tickets, events, confirmations, monitor, lifecycle } = this.#parts;
    const manager = new WebSocketManager(lifecycle, context);
    const managerCount = registry.add(manager);
    const ticket = tickets.issue(manager, context, { arrival });
    lifecycle.admitted(manager);
    events.emitOf('manager.admitted', manager, { managerCount, waitedMs });
    const outcome = confirmations.confirm(ticket, this.#denied);
    monitor.observe(context.userId);
    return outcome;
  }

  /** The ledger has no slot for it: the user's quota is full on other nodes. */
  readonly #denied = (manager: WebSocketManager): void => {
    this.#parts.tickets.refuse(manager, this.#quotaRefusal(manager.userId, 0));
  };

  #enqueue({ context, arrival }: Claim, limit: number): Admission | PendingAdmission {
    const { queue, emergency, refusals, clock, events, waitingCap } = this.#parts;
    const { userId, threadId } = context;
    const key = UserExecutionContext.keyOf(context);
    const former = queue.placeOf(userId, key);
    const waiting = queue.sizeOf(userId);
    if (former === undefined && waiting >= limit) return refused(this.#quotaRefusal(userId, waiting));
    if (former === undefined && !waitingCap.hasRoomFor(userId)) return refused(refusals.crowded());
    if (former !== undefined && arrival < former.arrival) return refused(refusals.replaced());
    // One that takes another's place in line is refused no sooner: the run that goes on has asked before it came.
    const serial = emergency.nextSerial();
    const turn = { serial, takenAtMs: clock.now(), arrival, leave: this.#leave, accepted: this.#accepted };
    const place = new Place(key, context, turn);
    queue.put(place);
    if (former !== undefined) this.#turnAway(former, refusals.replaced());
    events.emit('admission.queued', { userId, threadId, key, position: queue.positionOf(place) });
    emergency.wake(userId);
    return place;
  }

  readonly #accepted = (place: Place): void => {
    this.#parts.emergency.accepted(place);
  };

  readonly #userIdAsKept = (userId: string): string | undefined => this.#parts.registry.userIdAsKept(userId);

  readonly #leave = (place: Place): void => {
    const { queue, events, clock, refusals } = this.#parts;
    if (!queue.remove(place)) return;
    const { userId, threadId } = place.context;
    events.emit('admission.cancelled', { userId, threadId, key: place.key, waitedMs: clock.now() - place.takenAtMs });
    place.settle(refused(refusals.cancelled()));
  };

  #refusePlace(place: Place, refusal: RefusalError): void {
    if (this.#parts.queue.remove(place)) this.#turnAway(place, refusal);
  }

  #turnAway(place: Place, refusal: RefusalError): void {
    const { takenAtMs, isHeard } = place;
    this.#announceRefusal(place.context, refusal, { waitedMs: this.#parts.clock.now() - takenAtMs, isHeard });
    place.settle(refused(refusal));
  }

  /** Announces the refusals of an admission that was decided later than asked. */
  #watched(context: UserExecutionContext, outcome: Admission | PendingAdmission): Admission | PendingAdmission {
    if (!isPending(outcome)) return outcome;
    const askedAtMs = this.#parts.clock.now();
    void outcome.settled.then(({ refusal }) => {
      if (refusal === null) return;
      this.#announceRefusal(context, refusal, { waitedMs: this.#parts.clock.now() - askedAtMs, isHeard: true });
    });
    return outcome;
  }

  #announceRefusal(
    context: UserExecutionContext,
    refusal: RefusalError,
    { waitedMs, isHeard } = { waitedMs: 0, isHeard: true },
  ): void {
    const { userId, threadId } = context;
    const { code, closeCause, retryAfterMs = null } = refusal;
    const key = UserExecutionContext.keyOf(context);
    const ahead = refusal instanceof QuotaExceededError ? refusal.ahead : null;
    const said = { code, closeCause, retryAfterMs, waitedMs, ahead, isHeard };
    this.#parts.events.emit('admission.refused', { userId, threadId, key, ...said });
  }

  /** @param ahead newcomers that wait before it; `null` if it would be refused even without others */
  #quotaRefusal(userId: string, ahead: number | null): RefusalError {
    const { limits, refusals, registry, userCleanup } = this.#parts;
    const rule = userCleanup.engagement();
    let shortestMs = Infinity;
    for (const manager of registry.ofUser(userId).values()) {
      const waitMs = manager.state === 'reserved' ? this.#ticketLeftMs(manager) : timeToFloorMs(manager, rule);
      shortestMs = Math.min(shortestMs, waitMs);
    }
    const firstFreeInMs = shortestMs === Infinity ? rule.floorMs : shortestMs;
    return refusals.quota({ limit: limits.of(userId), firstFreeInMs, ahead });
  }

  /** A slot without a socket comes back by itself. */
  #ticketLeftMs(manager: WebSocketManager): number {
    const { clock, config } = this.#parts;
    return Math.max(0, manager.admittedAtMs + config.ticketMs - clock.now());
  }
}
