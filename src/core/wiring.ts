import { WebSocketManagerFactory } from './admission/factory.js';
import { LedgerDesk } from './admission/ledger-desk.js';
import { PlaceQueue } from './admission/queue.js';
import type { QuotaLedger } from './admission/quota-ledger.js';
import { Refusals } from './admission/refusals.js';
import { Takeover } from './admission/takeover.js';
import { TicketDesk } from './admission/ticket.js';
import { BackgroundCleanup } from './cleanup/background.js';
import { EmergencyCleanup } from './cleanup/emergency.js';
import { LevelCleanup } from './cleanup/level-cleanup.js';
import { RequestedCleanup } from './cleanup/requested.js';
import { UserCleanup } from './cleanup/user-cleanup.js';
import { closingLimit } from './config.js';
import { WebSocketConnectionManager } from './connections.js';
import { EventStream } from './events.js';
import { Journal } from './journal.js';
import { Heartbeat } from './liveness/heartbeat.js';
import { Pinger } from './liveness/ping.js';
import { StallClock } from './liveness/stall-clock.js';
import { Suspicion } from './liveness/suspicion.js';
import { ClosingConnections, type Closable } from './managers/closing.js';
import { UserLimits, type LimitOf } from './managers/limits.js';
import { ManagedConnection } from './managers/managed-connection.js';
import type { ManagerHost, WebSocketManager } from './managers/manager.js';
import { sample } from './liveness/silence.js';
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
import type { Random, Time } from './time.js';

/** What a Mooring is made of. */
export interface MooringParts {
  readonly config: WebSocketConfig;
  readonly time: Time;
  readonly random: Random;
  /** Another limit for some users. Without it everybody has `maxManagersPerUser`. */
  readonly limitOf?: LimitOf | undefined;
  /** A quota shared with others. Without it the local limit decides alone. */
  readonly ledger?: QuotaLedger | undefined;
}

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
function layGround({ config, time, random, limitOf }: MooringParts) {
  const events = new EventStream(() => time.wallNow());
  const onStall = (stalledMs: number): void => {
    events.emit('process.stalled', { stalledMs });
  };
  const clock = new StallClock({ time, toleranceMs: config.stallToleranceMs, onStall });
  const registry = new ManagerRegistry();
  const whenOver = (link: Closable): void => {
    if (link instanceof ManagedConnection) announceLateAnswer(events, link);
  };
  const limits = new UserLimits({ events, maxManagersPerUser: config.maxManagersPerUser, limitOf });
  const closing = new ClosingConnections({
    ...{ clock, ...config, whenOver },
    limitOfUser: (userId) => limits.of(userId),
    limitOfAll: () => closingLimit(config, registry.size),
  });
  const hooks = new ReleaseHooks({ clock, events, hookTimeoutMs: config.hookTimeoutMs });
  const releaser = new Releaser({ registry, events, closing, hooks });
  const slices = new Slices({ time, clock, budgetMs: config.sliceBudgetMs });
  const pinger = new Pinger(random);
  const suspicion = new Suspicion();
  const journal = new Journal(events, config.journalBytes);
  return { events, clock, registry, closing, hooks, releaser, limits, slices, pinger, suspicion, journal };
}

type Ground = ReturnType<typeof layGround>;

/** What watches managers: heartbeat, monitor and the cleanups. */
function setWatch({ config }: MooringParts, ground: Ground) {
  const { clock, events, registry, limits } = ground;
  const queue = new PlaceQueue();
  const thresholds = thresholdsOf(config);
  const heartbeat = new Heartbeat({ ...config, ...ground });
  const userCleanup = new UserCleanup({ ...ground, config });
  const emergency = new EmergencyCleanup({
    ...{ ...ground, config, userCleanup },
    slowConsumerTimeoutMs: config.slowConsumerTimeoutMs,
    waitingRoom: queue,
  });
  const levels = new LevelCleanup({ clock, events, config, thresholds, registry, userCleanup });
  const monitor = new WebSocketResourceMonitor({
    ...{ clock, events, registry, limits, thresholds },
    cleanupCooldownMs: config.cleanupCooldownMs,
    remembersLimits: config.forcedEviction === 'by-level',
    isRunning: (userId) => emergency.isRunning(userId),
    act: (action) => {
      levels.act(action);
    },
    whenPressed: (userId) => {
      for (const { link } of registry.ofUser(userId).values()) if (link !== null) heartbeat.introduce(link);
    },
  });
  const background = new BackgroundCleanup({ ...ground, config, userCleanup, monitor });
  const requested = new RequestedCleanup({
    ...ground,
    config,
    userCleanup,
    monitor,
    slowConsumerTimeoutMs: config.slowConsumerTimeoutMs,
  });
  return { queue, heartbeat, userCleanup, emergency, requested, monitor, background };
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
  const { closing, background, audit, leaks, heartbeat, monitor } = built;
  const { ticketMs, slowConsumerTimeoutMs } = config;
  const refusals = new Refusals(config, random);
  const whenOpened = (link: ManagedConnection): void => {
    heartbeat.add(link);
    if (monitor.isPressed(link.manager.userId)) heartbeat.introduce(link);
  };
  const desk = new TicketDesk({ ...built, refusals, ticketMs, whenOpened });
  const takeover = new Takeover({ ...built, config, desk, refusals, slowConsumerTimeoutMs });
  const ledgerDesk = new LedgerDesk({ ...built, desk, ledger });
  const host = hostOf({ ...built, config, takeover });
  const whenAdmitted = (manager: WebSocketManager): void => {
    background.add(manager);
    audit.arm();
    leaks.admitted(manager);
  };
  const factory = new WebSocketManagerFactory({
    ...{ ...built, config, desk, takeover, refusals, host, whenAdmitted },
    ledger: ledgerDesk,
  });
  const connections = new WebSocketConnectionManager({ factory, closing, refusals });
  return { refusals, desk, takeover, ledgerDesk, factory, connections };
}

type Entrance = ReturnType<typeof openEntrance>;

/** What managers and their connections report, and what comes of it. */
function hostOf(built: Ground & Watch & { config: WebSocketConfig; takeover: Takeover }): ManagerHost {
  const { clock, closing, heartbeat, hooks, releaser, background, takeover, config } = built;
  const connectionEnded = (link: ManagedConnection): void => {
    heartbeat.remove(link);
    built.suspicion.remove(link);
    const { manager } = link;
    if (!link.isCurrent) return;
    manager.keepActivity();
    manager.link = null;
    releaser.release(manager, 'closed');
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
    connectionClosing,
    connectionClosed,
    endConnection: (link) => {
      if (link.manager.successor === null) {
        releaser.release(link.manager, 'closed');
        return;
      }
      connectionClosed(link);
      closing.close(link, 'closed');
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
function tie({
  closing,
  releaser,
  suspicion,
  heartbeat,
  background,
  desk,
  ledgerDesk,
  factory,
  monitor,
  emergency,
  takeover,
  leaks,
}: Ground & Watch & Books & Entrance): void {
  releaser.whenFreed((manager) => {
    if (manager.link !== null) {
      heartbeat.remove(manager.link);
      suspicion.remove(manager.link);
    }
    // What has arrived by now came before the verdict; what comes later contradicts it.
    if (manager.link !== null && manager.releasedFor === 'disconnected') sample(manager.link);
    background.remove(manager);
    desk.released(manager);
    ledgerDesk.released(manager);
    factory.slotFreed(manager.userId);
  });
  releaser.whenDone((manager) => {
    monitor.observe(manager.userId);
    leaks.released(manager);
  });
  closing.whenTold((link) => {
    if (link instanceof ManagedConnection) leaks.parted(link);
  });
  heartbeat.whenDead((link, finding) => {
    heartbeat.remove(link);
    const closeCause = finding === 'stuck' ? 'slow' : 'silent';
    if (link.isCurrent) releaser.release(link.manager, 'disconnected', { closeCause, finding, by: 'heartbeat' });
    takeover.incumbentEnded(link.manager);
  });
  emergency.whenRunEnded((userId, serial) => {
    factory.refuseUnserved(userId, serial);
  });
}

/** One that was released as dead, and yet: its counters were last looked at when it was judged. */
function announceLateAnswer(events: EventStream, link: ManagedConnection): void {
  const { manager, generation } = link;
  if (manager.releasedFor !== 'disconnected' || manager.link !== link) return;
  const before = link.bytesReceivedSeen;
  sample(link);
  if (link.bytesReceivedSeen === before) return;
  const { userId, threadId, key } = manager;
  events.emit('connection.answeredLate', { userId, threadId, key, generation });
}
