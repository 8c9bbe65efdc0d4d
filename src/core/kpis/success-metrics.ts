import type { EventStream, KeyedDetails, MooringEvent } from '../events.js';
import type { WebSocketManager } from '../managers/manager.js';
import { isAtLeast } from '../pressure/level.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import type { AlertLevel } from '../vocabulary.js';
import type { AuditFindings } from './audit.js';
import { DistinctCount } from './distinct-count.js';
import { DurationHistogram } from './duration-histogram.js';
import { judged, type Kpi, type SuccessReport } from './kpi.js';
import { SlidingWindow } from './sliding-window.js';
import { textHash } from './text-hash.js';
import { UserMinutes, type UserMinuteCount } from './user-minutes.js';
import { WrongRefusals } from './wrong-refusals.js';

/** A newcomer that gives up within this time does not count as kept waiting. */
const shortWaitMs = 2_000;

/** How many parts the window has: those of a day are its hours. */
const windowParts = 24;

/** How long an emergency cleanup may take. */
const longestRunMs = 10_000;
const p99RunMs = 5_000;

interface MetricsParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  readonly monitor: { levelOf(userId: string): AlertLevel };
}

/**
 * Measures the success metrics over `kpiWindowMs`, from the event stream and the audit alone. It takes at most 4 MiB,
 * whatever the load.
 * @see docs/decisions/0011-success-metrics.md
 */
export class SuccessMetrics {
  readonly #parts: MetricsParts;
  readonly #startedAtMs: number;
  readonly #window: SlidingWindow<Hour>;
  readonly #refusals: WrongRefusals;
  readonly #userMinutes = new UserMinutes((count, atMs) => {
    this.#window.at(atMs).add(count);
  });
  #admitted = 0;
  #released = 0;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.now();
    const { heartbeatIntervalMs, maxHeartbeatMisses, slowConsumerTimeoutMs, kpiWindowMs } = parts.config;
    this.#window = new SlidingWindow(() => new Hour(), kpiWindowMs / windowParts, windowParts);
    // The time in which the heartbeat finds a dead connection: its pings, an excuse, and an interval for being late.
    this.#refusals = new WrongRefusals((maxHeartbeatMisses + 2) * heartbeatIntervalMs + slowConsumerTimeoutMs);
    this.#listen(parts.events);
  }

  /** According to the events: admissions less releases, and the number of both. */
  announced(): { readonly live: number; readonly changes: number } {
    return { live: this.#admitted - this.#released, changes: this.#admitted + this.#released };
  }

  /** An audit visits the manager: its user counts in this hour, also without any event. */
  visited({ userId }: WebSocketManager): void {
    const hour = this.#hour();
    if (hour.isAudited) return;
    const user = textHash(userId);
    hour.users.add(user);
    if (isAtLeast(this.#parts.monitor.levelOf(userId), 'warning')) hour.alertedUsers.add(user);
  }

  audited({ newlyOverdue, accumulated, miscounted }: AuditFindings): void {
    const hour = this.#hour();
    hour.isAudited = true;
    hour.audits += 1;
    hour.overdue += newlyOverdue;
    hour.accumulated = Math.max(hour.accumulated, accumulated);
    hour.miscounted = Math.max(hour.miscounted, miscounted);
  }

  report(): SuccessReport {
    const now = this.#parts.clock.now();
    this.#userMinutes.catchUp(now);
    const hours = this.#window.all(now);
    const beganAtMs = Math.max(this.#startedAtMs, this.#window.beginsAtMs(now));
    return {
      kpis: [
        emergencyCleanupTime(hours),
        backgroundEffectiveness(hours),
        alertFrequency(hours),
        accumulation(hours),
        connectionSuccess(hours, this.#userMinutes.present()),
        wrongRefusals(hours),
        falseKills(hours),
      ],
      window: {
        durationMs: now - beganAtMs,
        lengthMs: this.#parts.config.kpiWindowMs,
        isSinceStart: beganAtMs === this.#startedAtMs,
      },
    };
  }

  #hour(): Hour {
    return this.#window.at(this.#parts.clock.now());
  }

  #listen(events: EventStream): void {
    events.observe('manager.admitted', ({ userId }, { waitedMs }) => {
      this.#whenAdmitted(userId, waitedMs);
    });
    events.on('connection.replaced', ({ userId }) => {
      this.#wanted(userId, true);
    });
    events.on('connection.resumed', ({ userId }) => {
      this.#wanted(userId, true);
    });
    events.on('admission.refused', (event) => {
      this.#whenRefused(event);
    });
    events.on('admission.cancelled', ({ userId, waitedMs }) => {
      if (waitedMs > shortWaitMs) this.#wanted(userId, false);
    });
    events.observe('manager.released', ({ userId }, details) => {
      this.#whenReleased(userId, details);
    });
    events.on('connection.answeredLate', ({ by }) => {
      if (by === 'heartbeat') this.#hour().falseKills += 1;
      else this.#hour().suspectsHeardLate += 1;
    });
    events.on('level.changed', ({ userId, level }) => {
      if (isAtLeast(level, 'warning')) this.#hour().alertedUsers.add(textHash(userId));
    });
    events.on('cleanup.completed', (event) => {
      this.#whenCleaned(event);
    });
  }

  #wanted(userId: string, gotIn: boolean, nowMs = this.#parts.clock.now()): void {
    const user = textHash(userId);
    this.#userMinutes.note(user, gotIn, nowMs);
    this.#window.at(nowMs).users.add(user);
  }

  #whenAdmitted(userId: string, waitedMs: number): void {
    this.#admitted += 1;
    // The new manager has just read the clock.
    this.#wanted(userId, true, this.#parts.clock.recentMs);
    if (waitedMs > 0) this.#hour().waits.add(waitedMs);
  }

  #whenRefused({ userId, code, ahead, waitedMs, isHeard }: MooringEvent<'admission.refused'>): void {
    if (code === 'quota.exceeded' || code === 'capacity.exceeded') this.#wanted(userId, false);
    else if (code === 'admission.cancelled' && waitedMs > shortWaitMs) this.#wanted(userId, false);
    else this.#hour().refusedOtherwise += 1;
    if (ahead === null || !isHeard) return;
    const now = this.#parts.clock.now();
    this.#window.at(now).refusals += 1;
    this.#refusals.refused(userId, { ahead, sinceMs: now - waitedMs }, now);
  }

  #whenReleased(userId: string, { reason, ageMs, silentMs, finding }: KeyedDetails<'manager.released'>): void {
    this.#released += 1;
    if (reason === 'idle') this.#hour().idleReleases += 1;
    if (reason !== 'disconnected') return;
    const hour = this.#hour();
    hour.deadReleases += 1;
    if (finding === 'silent' && silentMs < this.#parts.config.minSilenceMs) hour.falseKills += 1;
    const now = this.#parts.clock.now();
    const died = { admittedAtMs: now - ageMs, lastByteAtMs: now - silentMs };
    hour.wrongRefusals += this.#refusals.died(userId, died);
  }

  #whenCleaned({ trigger, durationMs, timedOut }: MooringEvent<'cleanup.completed'>): void {
    if (trigger !== 'admission' && trigger !== 'request') return;
    const hour = this.#hour();
    hour.runs.add(durationMs);
    if (timedOut) hour.timedOutRuns += 1;
  }
}

/** The measurements of one part of the window; of an hour, if the window is a day. */
class Hour {
  readonly runs = new DurationHistogram();
  readonly waits = new DurationHistogram();
  readonly users = new DistinctCount();
  readonly alertedUsers = new DistinctCount();
  readonly userMinutes: UserMinuteCount = { wanted: 0, gotIn: 0 };
  timedOutRuns = 0;
  idleReleases = 0;
  deadReleases = 0;
  overdue = 0;
  audits = 0;
  isAudited = false;
  accumulated = 0;
  miscounted = 0;
  refusals = 0;
  refusedOtherwise = 0;
  wrongRefusals = 0;
  falseKills = 0;
  suspectsHeardLate = 0;

  add({ wanted, gotIn }: UserMinuteCount): void {
    this.userMinutes.wanted += wanted;
    this.userMinutes.gotIn += gotIn;
  }
}

function emergencyCleanupTime(hours: readonly Hour[]): Kpi {
  const runs = DurationHistogram.union(hours.map((hour) => hour.runs));
  const waits = DurationHistogram.union(hours.map((hour) => hour.waits));
  const timedOut = sum(hours, (hour) => hour.timedOutRuns);
  const p99Ms = Math.max(runs.quantile(0.99), waits.quantile(0.99));
  const longestMs = Math.max(runs.longestMs, waits.longestMs);
  return judged('emergencyCleanupTime', {
    value: p99Ms,
    samples: runs.samples + waits.samples,
    passes: timedOut === 0 && longestMs < longestRunMs && p99Ms < p99RunMs,
    detail: { runs: runs.samples, waits: waits.samples, timedOut, p99Ms, longestMs },
  });
}

function backgroundEffectiveness(hours: readonly Hour[]): Kpi {
  const released = sum(hours, (hour) => hour.idleReleases);
  const overdue = sum(hours, (hour) => hour.overdue);
  const value = 1 - overdue / Math.max(1, released + overdue);
  const detail = { releasedAsIdle: released, overdue };
  return judged('backgroundEffectiveness', { value, samples: released + overdue, passes: value > 0.9, detail });
}

function alertFrequency(hours: readonly Hour[]): Kpi {
  const users = Math.round(DistinctCount.union(hours.map((hour) => hour.users)));
  const alerted = Math.round(DistinctCount.union(hours.map((hour) => hour.alertedUsers)));
  const value = alerted / Math.max(1, users);
  return judged('alertFrequency', { value, samples: users, passes: value < 0.05, detail: { users, alerted } });
}

function accumulation(hours: readonly Hour[]): Kpi {
  const accumulated = Math.max(0, ...hours.map((hour) => hour.accumulated));
  const miscounted = Math.max(0, ...hours.map((hour) => hour.miscounted));
  const value = accumulated + miscounted;
  const samples = sum(hours, (hour) => hour.audits);
  return judged('accumulation', { value, samples, passes: value === 0, detail: { accumulated, miscounted } });
}

function connectionSuccess(hours: readonly Hour[], present: UserMinuteCount): Kpi {
  const wanted = present.wanted + sum(hours, (hour) => hour.userMinutes.wanted);
  const gotIn = present.gotIn + sum(hours, (hour) => hour.userMinutes.gotIn);
  const value = gotIn / Math.max(1, wanted);
  const detail = { wanted, gotIn, refusedOtherwise: sum(hours, (hour) => hour.refusedOtherwise) };
  return judged('connectionSuccess', { value, samples: wanted, passes: value > 0.99, detail });
}

function wrongRefusals(hours: readonly Hour[]): Kpi {
  const value = sum(hours, (hour) => hour.wrongRefusals);
  return judged('wrongRefusals', { value, samples: sum(hours, (hour) => hour.refusals), passes: value === 0 });
}

function falseKills(hours: readonly Hour[]): Kpi {
  const value = sum(hours, (hour) => hour.falseKills);
  const detail = { suspectsHeardLate: sum(hours, (hour) => hour.suspectsHeardLate) };
  return judged('falseKills', { value, samples: sum(hours, (hour) => hour.deadReleases), passes: value === 0, detail });
}

function sum(hours: readonly Hour[], of: (hour: Hour) => number): number {
  return hours.reduce((total, hour) => total + of(hour), 0);
}
