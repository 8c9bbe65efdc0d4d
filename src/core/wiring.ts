import { ArrivalOrder } from './admission/arrival-order.js';
import { WebSocketManagerFactory } from './admission/factory.js';
import { LedgerDesk } from './admission/ledger-desk.js';
import { PlaceQueue } from './admission/queue.js';
import { RefusalPacer } from './admission/refusal-pacer.js';
import { Refusals } from './admission/refusals.js';
import { Room } from './admission/room.js';
import { Takeover } from './admission/takeover.js';
import { TicketDesk } from './admission/ticket.js';
import { WaitingCap } from './admission/waiting-cap.js';
import { BackgroundCleanup } from './cleanup/background.js';
import { EmergencyCleanup } from './cleanup/emergency.js';
import { LevelCleanup } from './cleanup/level-cleanup.js';
import { RequestedCleanup } from './cleanup/requested.js';
import { SuspectPlaces, type WaitingRoom } from './cleanup/suspect-places.js';
import { UserCleanup } from './cleanup/user-cleanup.js';
import { closingLimit } from './config.js';
import { WebSocketConnectionManager } from './connections.js';
import { Drain } from './drain.js';
import { EventStream } from './events.js';
import { Journal } from './journal.js';
import { Keepalives } from './liveness/keepalives.js';
import { Heartbeat } from './liveness/heartbeat.js';
import { Pinger } from './liveness/ping.js';
import { StallClock } from './liveness/stall-clock.js';
import { Suspicion } from './liveness/suspicion.js';
import { ClosingConnections, type Closable } from './managers/closing.js';
import { AwayManagers } from './managers/away.js';
import { Holds } from './managers/holds.js';
import { UserLimits } from './managers/limits.js';
import { ManagedConnection } from './managers/managed-connection.js';
import type { ManagerHost, WebSocketManager } from './managers/manager.js';
import { LateAnswers } from './kpis/late-answers.js';
import { SuccessMetrics } from './kpis/success-metrics.js';
import { Audit } from './cleanup/audit.js';
import { LeakDetector } from './cleanup/leak-detector.js';
import { ManagerRegistry } from './managers/registry.js';
import { Releaser } from './managers/release.js';
import { ReleaseHooks } from './managers/release-hooks.js';
import { thresholdsOf, type AlertLevel } from './pressure/level.js';
import { WebSocketResourceMonitor } from './pressure/monitor.js';
import type { WebSocketConfig } from './settings.js';
import { Slices } from './slices.js';
import type { MooringParts } from './mooring-parts.js';

/** All parts of a Mooring. */
export type Wiring = ReturnType<typeof wire>;

/** Makes all parts and ties them together, in the order of the flow. */
export function wire(parts: MooringParts) {
  const ground = layGround(parts);
  const watch = setWatch(parts, ground);
  const books = openBooks(parts, { ...ground, ...watch });
  const entrance = openEntrance(parts, { ...ground, ...watch, ...books });
  const wiring = { ...ground, ...watch, ...books, ...entrance };
  tie(wiring);
  return wiring;
}

/** What everything stands on: time, events, the registry and the one way out of it. */
function layGround({ config, time, random, limitOf, isKeepalive }: MooringParts) {
  const events = new EventStream(() => time.wallNow(), time.contexts);
  const onStall = (stalledMs: number): void => {
    events.emit('process.stalled', { stalledMs });
  };
  const clock = new StallClock({ time, toleranceMs: config.stallToleranceMs, onStall });
  const registry = new ManagerRegistry();
  const lateAnswers = new LateAnswers(events);
  const whenOver = (link: Closable): void => {
    if (link instanceof ManagedConnection) lateAnswers.over(link);
  };
  const limits = new UserLimits({ events, maxManagersPerUser: config.maxManagersPerUser, limitOf });
  const closing = new ClosingConnections({
    ...{ clock, ...config, whenOver },
    limitOfUser: (userId) => limits.of(userId),
    limitOfAll: () => closingLimit(config, registry.size),
  });
  const hooks = new ReleaseHooks({ clock, events, hookTimeoutMs: config.hookTimeoutMs });
  const releaser = new Releaser({ registry, events, closing, hooks });
  const holds = new Holds({ clock, events, maxHoldMs: config.maxHoldMs });
  const drain = new Drain({ clock, config, registry, releaser, random });
  const away = new AwayManagers({ clock, events, registry, releaser, resumeGraceMs: config.resumeGraceMs });
  const slices = new Slices({ time, clock, budgetMs: config.sliceBudgetMs });
  const pinger = new Pinger(random);
  const suspicion = new Suspicion();
  const keepalives = new Keepalives({ events, recogniseKeepalives: config.recogniseKeepalives, isKeepalive });
  const arrivals = new ArrivalOrder();
  const journal = new Journal(events, config.journalBytes);
  return {
    events,
    clock,
    registry,
    closing,
    hooks,
    releaser,
    drain,
    holds,
    away,
    limits,
    slices,
    pinger,
    suspicion,
    keepalives,
    arrivals,
    lateAnswers,
    journal,
  };
}

type Ground = ReturnType<typeof layGround>;

/** What watches managers: heartbeat, monitor and the cleanups. */
function setWatch({ config }: MooringParts, ground: Ground) {
  const { clock, events, registry, limits } = ground;
  const queue = new PlaceQueue();
  const thresholds = thresholdsOf(config);
  const heartbeat = new Heartbeat({ ...config, ...ground });
  const userCleanup = new UserCleanup({ ...ground, config });
  const waitingRoom = waitingRoomOf(queue, limits);
  const suspectPlaces = new SuspectPlaces({ ...ground, backlogExcuseMs: config.backlogExcuseMs, waitingRoom });
  const emergency = new EmergencyCleanup({ ...ground, config, userCleanup, suspectPlaces, waitingRoom });
  const levels = new LevelCleanup({ clock, events, config, thresholds, registry, userCleanup });
  const monitor = new WebSocketResourceMonitor({
    ...{ clock, events, registry, limits, thresholds },
    cleanupCooldownMs: config.cleanupCooldownMs,
    remembersLimits: config.forcedEviction === 'by-level',
    isRunning: (userId) => emergency.isRunning(userId),
    act: (action) => {
      levels.act(action);
    },
    whenCrowded: (userId) => {
      for (const { link } of registry.ofUser(userId).values()) if (link !== null) heartbeat.introduce(link);
    },
  });
  const background = new BackgroundCleanup({ ...ground, config, userCleanup, monitor });
  const requested = new RequestedCleanup({ ...ground, config, userCleanup, monitor });
  return { queue, heartbeat, userCleanup, emergency, requested, monitor, background };
}

/** The queue as cleanup sees it: nobody makes room for newcomers that a limit of 0 will not let in. */
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

type Watch = ReturnType<typeof setWatch>;

/** What measures whether the promise is kept. */
function openBooks({ config, random }: MooringParts, built: Ground & Watch) {
  const { clock, events, slices, registry, monitor } = built;
  const levelOf = (userId: string): AlertLevel => monitor.levelOf(userId);
  const metrics = new SuccessMetrics({ clock, events, config, levelOf });
  const audit = new Audit({
    ...{ clock, slices, config, registry },
    announced: () => metrics.announced(),
    visit: (manager) => {
      metrics.met(manager);
    },
    whenDone: (findings) => {
      metrics.audited(findings);
    },
  });
  const leaks = new LeakDetector({ clock, events, random, config });
  return { metrics, audit, leaks };
}

type Books = ReturnType<typeof openBooks>;

/** Where managers come from. */
function openEntrance({ config, random, ledger }: MooringParts, built: Ground & Watch & Books) {
  const { clock, closing, background, audit, leaks, heartbeat, monitor, queue } = built;
  const { ticketMs } = config;
  const refusals = new Refusals(config, random);
  const pacer = new RefusalPacer(clock);
  const whenOpened = (link: ManagedConnection): void => {
    heartbeat.add(link);
    if (link.generation > 1) background.takenOver(link.manager);
    if (monitor.isCrowded(link.manager.userId)) heartbeat.introduce(link);
  };
  const desk = new TicketDesk({ ...built, refusals, ticketMs, whenOpened });
  const waitingCap = new WaitingCap({ config, queue });
  const takeover = new Takeover({ ...built, config, desk, refusals, waitingCap });
  const ledgerDesk = new LedgerDesk({ ...built, desk, ledger });
  const host = hostOf({ ...built, config, takeover });
  const whenAdmitted = (manager: WebSocketManager): void => {
    background.add(manager);
    audit.arm();
    leaks.admitted(manager);
  };
  const room = new Room({ ...built, config });
  const factory = new WebSocketManagerFactory({
    ...{ ...built, config, room, desk, takeover, refusals, waitingCap, host, whenAdmitted },
    ledger: ledgerDesk,
  });
  const connections = new WebSocketConnectionManager({ factory, closing, refusals, pacer, arrivals: built.arrivals });
  return { refusals, pacer, desk, takeover, ledgerDesk, factory, connections };
}

type Entrance = ReturnType<typeof openEntrance>;

/** What managers and their connections report, and what comes of it. */
function hostOf(built: Ground & Watch & { config: WebSocketConfig; takeover: Takeover }): ManagerHost {
  const { clock, closing, heartbeat, hooks, releaser, holds, away, queue, background, takeover, config } = built;
  // A newcomer that waits needs the place.
  const willBeAway = (manager: WebSocketManager): boolean => away.isFor(manager) && queue.sizeOf(manager.userId) === 0;
  const connectionEnded = (link: ManagedConnection): void => {
    heartbeat.remove(link);
    built.suspicion.remove(link);
    built.arrivals.remove(link);
    const { manager } = link;
    if (!link.isCurrent) return;
    const isAway = willBeAway(manager);
    manager.keepActivity();
    manager.link = null;
    if (isAway) away.add(manager);
    else releaser.release(manager, 'closed');
    takeover.incumbentEnded(manager);
  };
  const connectionClosing = (link: ManagedConnection): void => {
    closing.began(link);
    connectionEnded(link);
  };
  const connectionClosed = (link: ManagedConnection): void => {
    closing.closed(link);
    connectionEnded(link);
  };
  return {
    clock,
    idleManagerTimeoutMs: config.idleManagerTimeoutMs,
    takeHold: (manager, options) => holds.take(manager, options),
    connectionClosing,
    connectionClosed,
    endConnection: (link) => {
      if (link.manager.successor === null && !willBeAway(link.manager)) {
        releaser.release(link.manager, 'closed');
        return;
      }
      connectionClosed(link);
      closing.close(link, 'closed');
    },
    connectionOverfull: ({ manager }) => {
      releaser.release(manager, 'disconnected', { closeCause: 'slow', finding: 'overfull' });
    },
    managerFailed: (manager) => {
      background.failed(manager);
    },
    managerReported: (manager) => {
      background.reported(manager);
    },
    hookCameLate: (manager, hook, reason) => {
      hooks.run(hook, manager, reason);
    },
  };
}

/** Who hears of what, and in which order: here and nowhere else. */
function tie(parts: Ground & Watch & Books & Entrance): void {
  tieReleases(parts);
  tieVerdicts(parts);
}

/** What follows from a release, and from the end of a hold. */
function tieReleases(parts: Ground & Watch & Books & Entrance): void {
  const { closing, releaser, suspicion, lateAnswers, arrivals, heartbeat, background, desk, ledgerDesk } = parts;
  const { factory, monitor, leaks, holds, away, drain } = parts;
  releaser.whenFreed((manager, options) => {
    if (manager.link !== null) {
      heartbeat.remove(manager.link);
      suspicion.remove(manager.link);
      arrivals.remove(manager.link);
      if (options.finding === 'silent') lateAnswers.await(manager.link, options.by ?? null);
    }
    background.remove(manager);
    holds.released(manager);
    away.remove(manager);
    desk.released(manager);
    ledgerDesk.released(manager);
    factory.slotFreed(manager.userId, options.isForHeard);
  });
  releaser.whenDone((manager) => {
    monitor.observe(manager.userId);
    factory.forgetLimitIfGone(manager.userId);
    drain.released();
    leaks.released(manager);
  });
  closing.whenTold((link) => {
    if (link instanceof ManagedConnection) leaks.parted(link);
  });
  holds.whenLetGo((manager) => {
    away.end(manager);
    drain.letGo(manager);
  });
}

/** What follows from a death, a suspicion, the end of a run, and the beginning of the end. */
function tieVerdicts(parts: Ground & Watch & Books & Entrance): void {
  const { releaser, suspicion, events, pacer, heartbeat, factory, emergency, takeover } = parts;
  heartbeat.whenDead((link, finding) => {
    heartbeat.remove(link);
    const closeCause = finding === 'stuck' ? 'slow' : 'silent';
    if (link.isCurrent) releaser.release(link.manager, 'disconnected', { closeCause, finding, by: 'heartbeat' });
    takeover.incumbentEnded(link.manager);
  });
  suspicion.whenSuspected((userId) => {
    emergency.suspected(userId);
  });
  events.on('server.draining', () => {
    pacer.flush();
  });
  emergency.whenRunEnded((userId, serial) => {
    factory.refuseUnserved(userId, serial);
  });
}
