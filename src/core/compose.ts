import { AdmissionControl } from './admission/admission.js';
import { ArrivalOrder } from './admission/arrival-order.js';
import { Connector } from './admission/connector.js';
import { LedgerConfirmations } from './quota/confirmations.js';
import { PlaceQueue } from './admission/queue.js';
import { RefusalPacer } from './admission/refusal-pacer.js';
import { Refusals } from './admission/refusals.js';
import { Room } from './admission/room.js';
import { Takeover } from './admission/takeover.js';
import { Tickets } from './admission/ticket.js';
import { WaitingCap } from './admission/waiting-cap.js';
import { BackgroundCleanup } from './cleanup/background.js';
import { EmergencyCleanup } from './cleanup/emergency.js';
import { LevelCleanup } from './cleanup/level-cleanup.js';
import { RequestedCleanup } from './cleanup/requested.js';
import { SuspectPlaces, type WaitingRoom } from './cleanup/suspect-places.js';
import { UserCleanup } from './cleanup/user-cleanup.js';
import { closingLimit } from './bounds.js';
import { Journal } from './diagnostics/journal.js';
import { LeakDetector } from './diagnostics/leak-detector.js';
import { Drain } from './drain.js';
import { coreEvents } from './event-table.js';
import { EventStream } from './events.js';
import { Audit } from './kpis/audit.js';
import { LateAnswers } from './kpis/late-answers.js';
import { SuccessMetrics } from './kpis/success-metrics.js';
import { Heartbeat } from './liveness/heartbeat.js';
import { Keepalives } from './liveness/keepalives.js';
import { Pinger } from './liveness/ping.js';
import { StallClock } from './liveness/stall-clock.js';
import { Suspicion } from './liveness/suspicion.js';
import { AwayManagers } from './managers/away.js';
import { ClosingConnections } from './managers/closing.js';
import { Holds } from './managers/holds.js';
import { Lifecycle } from './managers/lifecycle.js';
import { UserLimits } from './managers/limits.js';
import { ManagerRegistry } from './managers/registry.js';
import { ReleaseHooks } from './managers/release-hooks.js';
import type { MooringParts } from './mooring-parts.js';
import { thresholdsOf } from './pressure/level.js';
import { WebSocketResourceMonitor } from './pressure/monitor.js';
import { Slices } from './slices.js';

/** All parts of a Mooring. */
export type Composition = ReturnType<typeof compose>;

/**
 * Makes all parts, in an order in which each gets what it calls. What a part reports, it reports to the lifecycle, which
 * gets the parts it acts on last.
 */
// eslint-disable-next-line max-lines-per-function -- a list of what is made of what; it decides nothing
export function compose({ config, time, random, limitOf, isKeepalive, edgeEvents, ledger }: MooringParts) {
  const { backlogExcuseMs, closeCodes, closeGraceMs, maxManagersPerUser, resumeGraceMs, ticketMs } = config;

  const events = new EventStream(() => time.wallNow(), time.contexts);
  const onStall = (stalledMs: number): void => {
    events.emit('process.stalled', { stalledMs });
  };
  const clock = new StallClock({ time, toleranceMs: config.stallToleranceMs, onStall });
  const slices = new Slices({ time, clock, budgetMs: config.sliceBudgetMs });
  const journal = new Journal(events, config.journalBytes, { ...coreEvents, ...edgeEvents });
  const keepalives = new Keepalives({ events, recogniseKeepalives: config.recogniseKeepalives, isKeepalive });
  const thresholds = thresholdsOf(config);

  const lifecycle = new Lifecycle(clock, config.idleManagerTimeoutMs);
  const registry = new ManagerRegistry();
  const limits = new UserLimits({ events, maxManagersPerUser, limitOf });
  const holds = new Holds({ clock, events, lifecycle, maxHoldMs: config.maxHoldMs });
  const away = new AwayManagers({ clock, events, registry, lifecycle, resumeGraceMs });
  const hooks = new ReleaseHooks({ clock, events, hookTimeoutMs: config.hookTimeoutMs });
  const limitOfUser = (userId: string): number => limits.of(userId);
  const limitOfAll = (): number => closingLimit(config, registry.size);
  const closing = new ClosingConnections({ clock, closeGraceMs, closeCodes, limitOfUser, limitOfAll, lifecycle });
  const drain = new Drain({ clock, config, registry, lifecycle, random });

  const pinger = new Pinger(random);
  const suspicion = new Suspicion(lifecycle);
  const heartbeat = new Heartbeat({
    clock,
    events,
    pinger,
    suspicion,
    slices,
    lifecycle,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    maxHeartbeatMisses: config.maxHeartbeatMisses,
    slowConsumerTimeoutMs: config.slowConsumerTimeoutMs,
  });

  const queue = new PlaceQueue();
  const waitingRoom = waitingRoomOf(queue, limits);
  const userCleanup = new UserCleanup({ clock, config, registry, lifecycle });
  const suspectPlaces = new SuspectPlaces({
    clock,
    pinger,
    registry,
    lifecycle,
    suspicion,
    waitingRoom,
    backlogExcuseMs,
  });
  const emergency = new EmergencyCleanup({
    clock,
    config,
    pinger,
    suspicion,
    events,
    registry,
    lifecycle,
    userCleanup,
    suspectPlaces,
    waitingRoom,
  });
  const levels = new LevelCleanup({ clock, events, config, thresholds, registry, userCleanup });
  const monitor = new WebSocketResourceMonitor({
    clock,
    events,
    registry,
    limits,
    thresholds,
    cleanupCooldownMs: config.cleanupCooldownMs,
    remembersLimits: config.forcedEviction === 'by-level',
    emergency,
    levels,
    heartbeat,
  });
  const background = new BackgroundCleanup({ clock, events, config, slices, userCleanup, holds, monitor });
  const requested = new RequestedCleanup({
    clock,
    config,
    pinger,
    suspicion,
    events,
    registry,
    userCleanup,
    slices,
    monitor,
  });

  const lateAnswers = new LateAnswers(events);
  const metrics = new SuccessMetrics({ clock, events, config, levelOf: (userId) => monitor.levelOf(userId) });
  const audit = new Audit({ clock, slices, config, registry, metrics });
  const leaks = new LeakDetector({ clock, events, random, config });

  const arrivals = new ArrivalOrder();
  const refusals = new Refusals(config, random);
  const pacer = new RefusalPacer(clock);
  const tickets = new Tickets({ clock, events, lifecycle, closing, away, arrivals, refusals, ticketMs });
  const waitingCap = new WaitingCap({ config, queue });
  const takeover = new Takeover({
    clock,
    config,
    pinger,
    suspicion,
    tickets,
    refusals,
    lifecycle,
    arrivals,
    waitingCap,
  });
  const confirmations = new LedgerConfirmations({ clock, registry, events, limits, ledger });
  const room = new Room({ config, registry, limits, away, userCleanup });
  const admission = new AdmissionControl({
    clock,
    config,
    events,
    registry,
    lifecycle,
    limits,
    room,
    queue,
    waitingCap,
    arrivals,
    tickets,
    takeover,
    confirmations,
    emergency,
    userCleanup,
    monitor,
    refusals,
  });
  const connector = new Connector({ admission, registry, lifecycle, closing, refusals, pacer, arrivals });

  lifecycle.connect({
    events,
    registry,
    closing,
    hooks,
    holds,
    away,
    heartbeat,
    suspicion,
    arrivals,
    background,
    emergency,
    monitor,
    tickets,
    confirmations,
    takeover,
    admission,
    queue,
    lateAnswers,
    audit,
    leaks,
    drain,
  });
  return {
    events,
    clock,
    journal,
    keepalives,
    registry,
    holds,
    away,
    hooks,
    closing,
    drain,
    suspicion,
    heartbeat,
    emergency,
    monitor,
    background,
    requested,
    metrics,
    audit,
    leaks,
    arrivals,
    refusals,
    pacer,
    tickets,
    confirmations,
    lifecycle,
    limits,
    queue,
    admission,
    connector,
  };
}

/** The queue as cleanup sees it: no connection makes room for newcomers that a limit of 0 will not let in. */
function waitingRoomOf(queue: PlaceQueue, limits: UserLimits): WaitingRoom {
  return {
    sizeOf: (userId) => queue.sizeOf(userId),
    heardOf: (userId) => {
      const count = queue.heardOf(userId);
      return count > 0 && limits.of(userId) === 0 ? 0 : count;
    },
    placesOf: (userId) => queue.placesOf(userId),
  };
}
