import { AdmissionControl } from './admission/admission.js';
import { ArrivalOrder } from './admission/arrival-order.js';
import { Connector } from './admission/connector.js';
import { PlaceQueue } from './admission/queue.js';
import { RefusalPacer } from './admission/refusal-pacer.js';
import { Refusals } from './admission/refusals.js';
import { Room } from './admission/room.js';
import { Takeover } from './admission/takeover.js';
import { Tickets } from './admission/ticket.js';
import { closingLimit } from './bounds.js';
import { BackgroundCleanup } from './cleanup/background.js';
import { EmergencyCleanup } from './cleanup/emergency.js';
import { routineStrategies } from './cleanup/playbook.js';
import { RequestedCleanup } from './cleanup/requested.js';
import type { RoutineStrategy } from './cleanup/strategies/victim.js';
import { SuspectSlots } from './cleanup/suspect-slots.js';
import { UserCleanup } from './cleanup/user-cleanup.js';
import { Journal } from './diagnostics/journal.js';
import { LeakDetector } from './diagnostics/leak-detector.js';
import { Drain } from './drain.js';
import type { EventRowsByName } from './event-row.js';
import { coreEvents } from './event-table.js';
import { EventStream, type EventChannels } from './events.js';
import { Audit } from './kpis/audit.js';
import { LateAnswers } from './kpis/late-answers.js';
import { SuccessMetrics } from './kpis/success-metrics.js';
import { Heartbeat } from './liveness/heartbeat.js';
import { Keepalives, type IsKeepalive } from './liveness/keepalives.js';
import { Pinger } from './liveness/ping.js';
import { StallClock } from './liveness/stall-clock.js';
import { Suspicion } from './liveness/suspicion.js';
import { AwayManagers } from './managers/away.js';
import { ClosingConnections } from './managers/closing.js';
import { Holds } from './managers/holds.js';
import { Lifecycle } from './managers/lifecycle.js';
import { UserLimits, type LimitOf } from './managers/limits.js';
import { ManagerRegistry } from './managers/registry.js';
import { ReleaseHooks } from './managers/release-hooks.js';
import { levelTotals, thresholdsOf } from './pressure/level.js';
import { WebSocketResourceMonitor } from './pressure/monitor.js';
import { Confirmations } from './quota/confirmations.js';
import type { QuotaLedger } from './quota/quota-ledger.js';
import type { TellRenamed } from './seed-names.js';
import type { WebSocketConfig } from './settings.js';
import { Slices } from './slices.js';
import type { Random, Time } from './time.js';

/** What a Mooring is made with. */
export interface MooringSetup {
  readonly config: WebSocketConfig;
  readonly time: Time;
  readonly random: Random;
  /**
   * Another limit for some users, e.g. by plan. It must give an integer of at least 0, or `Infinity`, at once.
   * @default the setting maxManagersPerUser for all users
   */
  readonly limitOf?: LimitOf | undefined;
  /**
   * Messages that are keepalives in addition to the presets, e.g. `(message) => message === 'tick'`; see
   * {@link IsKeepalive}.
   * @default none
   */
  readonly isKeepalive?: IsKeepalive | undefined;
  /** A quota shared with other processes. @default the local limit alone decides */
  readonly ledger?: QuotaLedger | undefined;
  /** The events that adapters and the admin API emit. The journal keeps those whose row says so. @default none */
  readonly edgeEvents?: EventRowsByName | undefined;
  /** Where events are published beside the listeners. @default nowhere */
  readonly channels?: EventChannels | undefined;
  /** The strategies of every cleanup, in their order. @default those of the playbook */
  readonly strategies?: readonly RoutineStrategy[] | undefined;
  /** Called each time a name of the original sketch is used. @default nothing is called */
  readonly tellRenamed?: TellRenamed | undefined;
}

/** All parts of a Mooring, by name. */
export type Composition = ReturnType<typeof compose>;

type Base = ReturnType<typeof makeBase>;
type Managers = ReturnType<typeof makeManagers>;
type Cleanup = ReturnType<typeof makeCleanup>;

/**
 * Makes all parts, in an order in which each gets the parts that it calls. What a part reports, it reports to the
 * lifecycle, which gets the parts it acts on last.
 */
export function compose(setup: MooringSetup) {
  const { config, random } = setup;
  const base = makeBase(setup);
  const managers = makeManagers(setup, base);
  const cleanup = makeCleanup(setup, { ...base, ...managers });
  const admission = makeAdmission(setup, { ...base, ...managers, ...cleanup });

  const { clock, events, slices } = base;
  const { registry, lifecycle } = managers;
  const { monitor } = cleanup;
  const metrics = new SuccessMetrics({ clock, config, events, monitor });
  const audit = new Audit({ clock, config, slices, registry, metrics });
  const lateAnswers = new LateAnswers(events);
  const leaks = new LeakDetector({ clock, config, events, random });

  const parts = { ...base, ...managers, ...cleanup, ...admission, metrics, audit, lateAnswers, leaks };
  lifecycle.connect(parts);
  parts.confirmations.start();
  return parts;
}

/** Time, events, and what tells activity from keepalives. */
function makeBase({ config, time, isKeepalive, edgeEvents, channels }: MooringSetup) {
  const events = new EventStream(() => time.wallNow(), time.contexts, channels);
  const onStall = (stalledMs: number): void => {
    events.emit('process.stalled', { stalledMs });
  };
  const clock = new StallClock({ time, toleranceMs: config.stallToleranceMs, onStall });
  const slices = new Slices({ time, clock, budgetMs: config.sliceBudgetMs });
  const journal = new Journal(events, config.journalBytes, { ...coreEvents, ...edgeEvents });
  const keepalives = new Keepalives({ events, recogniseKeepalives: config.recogniseKeepalives, isKeepalive });
  return { events, clock, slices, journal, keepalives };
}

/** Managers, their connections, and what watches these. */
function makeManagers({ config, random, limitOf }: MooringSetup, { clock, events, slices }: Base) {
  const { closeCodes, closeGraceMs, backlogExcuseMs } = config;
  const lifecycle = new Lifecycle(clock, config.idleManagerTimeoutMs);
  const registry = new ManagerRegistry();
  const limits = new UserLimits({ config, events, limitOf });
  const holds = new Holds({ clock, config, events, lifecycle });
  const away = new AwayManagers({ clock, config, events, registry, lifecycle });
  const hooks = new ReleaseHooks({ clock, config, events });
  const limitOfUser = (userId: string): number => limits.of(userId);
  const limitOfAll = (): number => closingLimit(config, registry.size);
  const closing = new ClosingConnections({
    clock,
    closeGraceMs,
    backlogExcuseMs,
    closeCodes,
    limitOfUser,
    limitOfAll,
    lifecycle,
  });
  const drain = new Drain({ clock, config, random, registry, lifecycle });

  const pinger = new Pinger(random);
  const suspicion = new Suspicion(lifecycle);
  const heartbeat = new Heartbeat({ clock, config, events, pinger, suspicion, slices, lifecycle });
  return { lifecycle, registry, limits, holds, away, hooks, closing, drain, pinger, suspicion, heartbeat };
}

/** What the ledger says, all cleanups, and the monitor, which starts some of them. */
function makeCleanup(setup: MooringSetup, parts: Base & Managers) {
  const { config, random, ledger, strategies = routineStrategies } = setup;
  const { clock, events, slices, registry, limits, lifecycle, holds, pinger, suspicion, heartbeat } = parts;
  const [queue, asking] = [new PlaceQueue(limits), new PlaceQueue(limits)];
  const thresholds = thresholdsOf(config);
  const confirmations = new Confirmations({
    clock,
    random,
    config,
    events,
    levelsOf: (limit) => levelTotals(limit, thresholds),
    registry,
    limits,
    lifecycle,
    asking,
    ledger,
  });
  const userCleanup = new UserCleanup({ clock, config, events, thresholds, registry, lifecycle, strategies });
  const suspectSlots = new SuspectSlots({ config, queue, pinger, suspicion, registry, userCleanup });
  const emergency = new EmergencyCleanup({
    clock,
    config,
    events,
    queue,
    pinger,
    suspicion,
    registry,
    lifecycle,
    userCleanup,
    suspectSlots,
    confirmations,
  });
  const monitor = new WebSocketResourceMonitor({
    clock,
    config,
    events,
    thresholds,
    registry,
    limits,
    confirmations,
    emergency,
    userCleanup,
    heartbeat,
  });
  const background = new BackgroundCleanup({ clock, config, events, slices, strategies, userCleanup, holds, monitor });
  const requested = new RequestedCleanup({
    clock,
    config,
    events,
    slices,
    strategies,
    pinger,
    suspicion,
    registry,
    userCleanup,
    monitor,
  });
  return { queue, asking, confirmations, userCleanup, emergency, monitor, background, requested };
}

/** What decides about newcomers. */
function makeAdmission({ config, random }: MooringSetup, parts: Base & Managers & Cleanup) {
  const { clock, events, registry, limits, lifecycle, away, closing, pinger, suspicion } = parts;
  const { queue, asking, confirmations, userCleanup, emergency, monitor } = parts;
  const arrivals = new ArrivalOrder();
  const refusals = new Refusals(config, random);
  const pacer = new RefusalPacer(clock);
  const tickets = new Tickets({ clock, config, events, lifecycle, closing, away, arrivals, refusals });
  const room = new Room({ clock, config, registry, limits, queue, asking, confirmations, away, userCleanup });
  const takeover = new Takeover({
    clock,
    config,
    pinger,
    suspicion,
    lifecycle,
    room,
    arrivals,
    tickets,
    refusals,
  });
  const admission = new AdmissionControl({
    clock,
    config,
    events,
    registry,
    lifecycle,
    limits,
    room,
    queue,
    asking,
    arrivals,
    tickets,
    takeover,
    confirmations,
    emergency,
    monitor,
    refusals,
  });
  const connector = new Connector({ admission, registry, lifecycle, closing, refusals, pacer, arrivals });
  return { arrivals, refusals, pacer, tickets, takeover, admission, connector };
}
