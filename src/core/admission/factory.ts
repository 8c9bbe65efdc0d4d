import { describe, type EventStream } from '../events.js';
import { QuotaExceededError, type RefusalError } from '../errors.js';
import { contextOf, UserExecutionContext, type ContextFields } from '../identity/user-execution-context.js';
import { isolationKey, parseIsolationKey, type KeyParts } from '../identity/isolation-key.js';
import type { EmergencyCleanup } from '../cleanup/emergency.js';
import type { EmergencyCleanupResult, EvictionRequest } from '../cleanup/emergency-run.js';
import type { CleanupRequest, CleanupResult, RequestedCleanup } from '../cleanup/requested.js';
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
import { isPending, refused, type Admission, type AdmitOptions, type PendingAdmission } from './admission.js';
import type { ArrivalOrder } from './arrival-order.js';
import { Place, type PlaceQueue } from './queue.js';
import type { LedgerDesk } from './ledger-desk.js';
import type { Refusals } from './refusals.js';
import type { Room } from './room.js';
import type { Claim, Takeover } from './takeover.js';
import type { TicketDesk } from './ticket.js';
import type { WaitingCap } from './waiting-cap.js';

interface FactoryParts {
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
  readonly desk: TicketDesk;
  readonly takeover: Takeover;
  readonly ledger: LedgerDesk;
  readonly emergency: EmergencyCleanup;
  readonly requested: RequestedCleanup;
  readonly userCleanup: UserCleanup;
  readonly monitor: WebSocketResourceMonitor;
  readonly refusals: Refusals;
}

/**
 * Creates and gives up managers: who gets one, who waits, who is refused.
 *
 * Decided in one breath: nothing awaits between reading a count and taking the slot, and there is no lock.
 * @source seed fixes 1 and 2; spec section 3
 */
export class WebSocketManagerFactory {
  readonly #parts: FactoryParts;
  /** Users whose queue is being served, with the slots that were freed meanwhile. */
  readonly #serving = new Map<string, { freed: number; forHeard: number }>();
  #isDraining = false;

  /** @internal */
  constructor(parts: FactoryParts) {
    this.#parts = parts;
  }

  /** Whether admission is shut for good. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * A slot for a connection of this context: at once where there is one, else after the user's dead and abandoned
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

  /**
   * A manager of its own for a thread, before any socket: one that gets none within `ticketMs` is released again.
   * Where the thread has a manager, that one.
   * @throws MalformedContextError, QuotaExceededError or another RefusalError
   * @source seed, `WebSocketManagerFactory`
   */
  async createManager(fields: ContextFields): Promise<WebSocketManager> {
    const existing = this.getManager(fields);
    if (existing !== undefined) return existing;
    const outcome = this.admit(fields);
    const { ticket, refusal } = isPending(outcome) ? await outcome.settled : outcome;
    if (refusal !== null) throw refusal;
    return ticket.manager;
  }

  /** The manager of a thread, by context or isolation key. */
  getManager(of: ContextFields | string): WebSocketManager | undefined {
    const parts = typeof of === 'string' ? partsOf(of) : of;
    return parts === null ? undefined : this.#parts.registry.get(parts);
  }

  /** How many managers count against the user's limit, reserved slots included. @source seed, `get_user_manager_count` */
  getUserManagerCount(userId: string): number {
    return this.#parts.registry.countOf(userId);
  }

  /** The user's managers, oldest first. */
  getUserManagers(userId: string): WebSocketManager[] {
    return [...this.#parts.registry.ofUser(userId).values()];
  }

  /** Everybody who holds a manager. @source seed, `_get_active_users` */
  getActiveUsers(): Set<string> {
    return new Set(this.#parts.registry.users());
  }

  /** The same, one after the other and each with their managers: for walks through many, with pauses. */
  managersByUser(): Iterable<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]> {
    return this.#parts.registry.byUser();
  }

  /** How many managers the user may hold; `Infinity` where there is no limit. */
  limitOf(userId: string): number {
    return this.#parts.limits.of(userId);
  }

  /** How many of the user's newcomers wait for a slot. */
  getWaitingCount(userId: string): number {
    return this.#parts.queue.sizeOf(userId);
  }

  /** How many newcomers of all users wait for a slot. */
  get waitingCount(): number {
    return this.#parts.queue.size;
  }

  /** How many users hold a manager. */
  get userCount(): number {
    return this.#parts.registry.userCount;
  }

  /** Managers of all users. */
  get managerCount(): number {
    return this.#parts.registry.size;
  }

  /** Releases the manager with this key. @returns whether there was one. @source seed, `cleanup_manager` */
  cleanupManager(key: string): boolean {
    return this.#cleanup(this.getManager(key));
  }

  /** As {@link cleanupManager}, by context. @source seed fix 2, `cleanup_manager_by_context` */
  cleanupManagerByContext(context: ContextFields): boolean {
    return this.#cleanup(this.getManager(context));
  }

  #cleanup(manager: WebSocketManager | undefined): boolean {
    return manager !== undefined && this.#parts.lifecycle.release(manager, 'requested');
  }

  /** Releases all managers of exactly this user. @returns how many. @source seed fix 2, `cleanup_all_user_managers` */
  cleanupAllUserManagers(userId: string): number {
    return this.getUserManagers(userId).filter((manager) => this.#parts.lifecycle.release(manager, 'requested')).length;
  }

  /**
   * Probes the user's connections and releases those that are dead, idle or in error; evicts only as many as asked for.
   * Never rejects.
   * @throws TypeError where `evict` or `keep` is no integer of at least 0
   * @source seed fix 1, `_emergency_cleanup_with_timeout`
   */
  emergencyCleanup(userId: string, wanted: EvictionRequest = {}): Promise<EmergencyCleanupResult> {
    return this.#parts.emergency.request(userId, wanted);
  }

  /**
   * Asks the user's connections whether they are there, and releases who is dead, or idle or in error by the measure of
   * the background cleanup. A dry run says who would go, and releases nobody. Never rejects.
   */
  cleanup(userId: string, request: CleanupRequest = {}): Promise<CleanupResult> {
    return this.#parts.requested.clean(userId, request);
  }

  /** Whom {@link emergencyCleanup} would release, and why: it asks, and releases nobody. Never rejects. */
  previewEmergencyCleanup(userId: string, wanted: EvictionRequest = {}): Promise<CleanupResult> {
    return this.#parts.requested.previewEmergency(userId, wanted);
  }

  /** @internal Shuts admission: whoever waits is told to go elsewhere, and freed slots are handed to nobody. */
  drain(): void {
    this.#isDraining = true;
    for (const place of this.#parts.queue.all()) this.#refusePlace(place, this.#parts.refusals.draining());
  }

  /**
   * @internal A slot of this user is free: the first in line gets it, in the same breath. It may be taken again even
   * above a limit that was lowered, since the count does not grow by it.
   * @param isForHeard it goes to the first in line that was heard of, and not to one that was accepted and said nothing
   */
  slotFreed(userId: string, isForHeard = false): void {
    if (this.#parts.queue.sizeOf(userId) > 0 && !this.#isDraining) this.#serve(userId, { freed: 1, isForHeard });
  }

  /** @internal A run is over: places taken before it began had their chance. */
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

  /** @internal What connections said of a user's limit goes with the user's last manager. */
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
    return this.#watched(context, this.#parts.ledger.whenConfirmed(outcome.ticket));
  }

  /** Takes the slot: from here on the key has a manager. The ledger confirms, then or later; the monitor looks after. */
  #grant({ context, arrival }: Claim, waitedMs: number): Admission | PendingAdmission {
    const { registry, desk, events, ledger, monitor, lifecycle } = this.#parts;
    const manager = new WebSocketManager(lifecycle, context);
    const managerCount = registry.add(manager);
    const ticket = desk.issue(manager, context, { arrival });
    lifecycle.admitted(manager);
    events.emitOf('manager.admitted', manager, { managerCount, waitedMs });
    const outcome = ledger.confirm(ticket, () => this.#quotaRefusal(context.userId, 0));
    monitor.observe(context.userId);
    return outcome;
  }

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

  /** @param ahead newcomers that stood before it; `null` where it would be refused with nobody there */
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

  /** A slot that nobody has attached to yet comes back by itself. */
  #ticketLeftMs(manager: WebSocketManager): number {
    const { clock, config } = this.#parts;
    return Math.max(0, manager.admittedAtMs + config.ticketMs - clock.now());
  }
}

/** Whose key it is; `null` where it is none. */
function partsOf(key: string): KeyParts | null {
  try {
    return parseIsolationKey(key);
  } catch {
    return null;
  }
}
