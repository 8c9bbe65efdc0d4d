import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/core/events.js';
import { SuccessMetrics } from '../../../src/core/kpis/success-metrics.js';
import type { AuditFindings } from '../../../src/core/kpis/audit.js';
import {
  loadWebSocketConfig,
  type AlertLevel,
  type Kpi,
  type KpiName,
  type MooringEvents,
  type ReleaseReason,
} from '../../../src/index.js';
import { heapUsed } from '../../support/heap.js';
import { loneConnection, watchfulClock } from '../liveness/lone-connection.js';
import { harness, isMutating, remote, silent, type Harness, type HarnessOptions } from '../support.js';
import { tallyOf } from '../../support/tally.js';

const hourMs = 3_600_000;

function kpiOf(h: Harness, name: KpiName): Kpi {
  const kpi = h.mooring.kpis().kpis.find((each) => each.name === name);
  if (kpi === undefined) throw new Error(`there is no KPI ${name}`);
  return kpi;
}

/** The metrics alone, told of single events at moments that the test sets. */
class Told {
  nowMs = 100 * hourMs;
  level: AlertLevel = 'normal';
  readonly #events = new EventStream(() => 0);
  readonly metrics = new SuccessMetrics({
    clock: { now: () => this.nowMs } as ConstructorParameters<typeof SuccessMetrics>[0]['clock'],
    events: this.#events,
    config: loadWebSocketConfig({ environment: 'production', env: {} }),
    monitor: { levelOf: () => this.level },
  });

  kpi(name: KpiName): Kpi | undefined {
    return this.metrics.report().kpis.find((each) => each.name === name);
  }

  admitted(userId: string, waitedMs = 0): void {
    this.#events.emit('manager.admitted', { ...keyOf(userId), managerCount: 1, waitedMs });
  }

  refused(userId: string, how: Partial<MooringEvents['admission.refused']> = {}): void {
    const usual = { code: 'quota.exceeded', closeCause: 'quota', retryAfterMs: null, waitedMs: 0 } as const;
    this.#events.emit('admission.refused', { ...keyOf(userId), ...usual, ahead: 0, isHeard: true, ...how });
  }

  cancelled(userId: string, waitedMs: number): void {
    this.#events.emit('admission.cancelled', { ...keyOf(userId), waitedMs });
  }

  released(userId: string, reason: ReleaseReason, silentMs = 0): void {
    const ages = { ageMs: 10 * hourMs, idleMs: 0, silentMs };
    this.#events.emit('manager.released', {
      ...keyOf(userId),
      reason,
      by: null,
      limitMs: null,
      finding: null,
      closeCause: null,
      generation: 1,
      ...ages,
    });
  }

  cleaned(durationMs: number, how: Partial<MooringEvents['cleanup.completed']> = {}): void {
    const byStrategy = tallyOf();
    const usual = { trigger: 'admission', cleaned: 0, byStrategy, attempts: 1, timedOut: false, remaining: 1 } as const;
    this.#events.emit('cleanup.completed', { userId: 'ada', durationMs, ...usual, ...how });
  }

  reached(userId: string, level: AlertLevel): void {
    const usage = { managerCount: 1, maxManagers: 2, usageRatio: 0.5 };
    this.#events.emit('level.changed', { userId, level, previous: 'normal', direction: 'rise', ...usage });
  }

  audited(findings: Partial<AuditFindings> = {}): void {
    const none = { atMs: this.nowMs, managers: 0, users: 0, newlyOverdue: 0, accumulated: 0, miscounted: 0 };
    this.metrics.audited({ ...none, ...findings });
  }
}

function keyOf(userId: string): { userId: string; threadId: string; key: string } {
  return { userId, threadId: 'thread_1', key: `${userId}:thread_1` };
}

/** A user may hold two. */
function small(options: HarnessOptions = {}): Harness {
  return harness({ ...options, config: { maxManagersPerUser: 2, ...options.config } });
}

describe('the success metrics', () => {
  it('are seven, in their order, without data at the start', () => {
    const { kpis } = harness().mooring.kpis();
    expect(kpis.map(({ number, verdict, value }) => [number, verdict, value])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((number) => [number, 'no data', null]),
    );
  });

  it('survive JSON', () => {
    const report = harness().mooring.kpis();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('say that they are since the start, until that is a day ago', async () => {
    const h = harness();
    await h.time.advance(10_000);
    expect(h.mooring.kpis().window).toEqual({ durationMs: 10_000, lengthMs: 24 * hourMs, isSinceStart: true });
    h.time.advanceSync(30 * hourMs);
    const { durationMs, isSinceStart } = h.mooring.kpis().window;
    expect(isSinceStart).toBe(false);
    expect(durationMs).toBeGreaterThanOrEqual(23 * hourMs);
    expect(durationMs).toBeLessThanOrEqual(24 * hourMs);
  });

  it('are about as short a time as the setting says, and forget what came before', async () => {
    const h = small({ config: { kpiWindowMs: 300_000 } });
    await h.fill('ada', 2);
    await h.time.advance(2_000);
    void h.mooring.emergencyCleanup('ada');
    h.time.advanceSync(200_000);
    expect(h.mooring.kpis().window).toMatchObject({ lengthMs: 300_000, isSinceStart: true });
    expect(kpiOf(h, 'emergencyCleanupTime').samples).toBe(1);
    expect(kpiOf(h, 'connectionSuccess').detail).toMatchObject({ wanted: 1, gotIn: 1 });
    h.time.advanceSync(100_000);
    const { durationMs, isSinceStart } = h.mooring.kpis().window;
    expect(isSinceStart).toBe(false);
    expect(durationMs).toBeGreaterThan(287_000);
    expect(durationMs).toBeLessThanOrEqual(300_000);
    expect(kpiOf(h, 'emergencyCleanupTime').verdict).toBe('no data');
    expect(kpiOf(h, 'connectionSuccess').verdict).toBe('no data');
  });
});

describe('KPI 1, emergency cleanup time', () => {
  it('is that of runs, and of newcomers that waited', async () => {
    const h = small();
    await h.fill('ada', 2, silent);
    await h.time.advance(5_000);
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(1_100);
    expect(arrival.outcome?.connection).not.toBeNull();
    const kpi = kpiOf(h, 'emergencyCleanupTime');
    expect(kpi).toMatchObject({ verdict: 'pass', samples: 2, detail: { runs: 1, waits: 1, timedOut: 0 } });
    expect(kpi.detail['longestMs']).toBe(1_000);
  });

  it('fails where a run timed out', async () => {
    const h = small();
    await h.mooring.emergencyCleanup('ada');
    expect(kpiOf(h, 'emergencyCleanupTime').verdict).toBe('pass');
    const [completed] = h.said('cleanup.completed');
    if (completed === undefined) throw new Error('no run was announced');
    h.mooring.events.emit('cleanup.completed', { ...completed, timedOut: true, durationMs: 10_000 });
    expect(kpiOf(h, 'emergencyCleanupTime')).toMatchObject({ verdict: 'fail', detail: { timedOut: 1 } });
  });

  it.each([
    ['a run of 9,999 ms, the hundredth', 'pass', [9_999], []],
    ['a run of 10,000 ms, the hundredth', 'fail', [10_000], []],
    ['a newcomer that waited 10,000 ms, the hundredth', 'fail', [], [10_000]],
    ['two runs of 4,800 ms', 'pass', [4_800, 4_800], []],
    ['two runs of 5,200 ms', 'fail', [5_200, 5_200], []],
    ['two newcomers that waited 5,200 ms', 'fail', [], [5_200, 5_200]],
    ['two runs of exactly 5,000 ms', 'fail', [5_000, 5_000], []],
  ])('with %s: %s', (_, verdict, runs, waits) => {
    const told = new Told();
    for (let other = 0; other < 99; other++) told.cleaned(10);
    for (let other = 0; other < 99; other++) told.admitted('bob', 10);
    for (const durationMs of runs) told.cleaned(durationMs);
    for (const waitedMs of waits) told.admitted('ada', waitedMs);
    expect(told.kpi('emergencyCleanupTime')?.verdict).toBe(verdict);
  });

  it('fails for a run that timed out, however short', () => {
    const told = new Told();
    told.cleaned(10, { timedOut: true });
    expect(told.kpi('emergencyCleanupTime')?.verdict).toBe('fail');
  });

  it.each([
    ['admission', 1],
    ['request', 1],
    ['level', 0],
    ['background', 0],
  ] as const)('is not of cleanups nobody waits for: of %s %i', (trigger, samples) => {
    const told = new Told();
    told.cleaned(10, { trigger });
    expect(told.kpi('emergencyCleanupTime')?.samples).toBe(samples);
  });
});

describe('KPI 2, background effectiveness', () => {
  it('is 1 where everybody idle is released in time', async () => {
    const h = harness();
    await h.fill('ada', 3, remote);
    await h.time.advance(800_000);
    expect(kpiOf(h, 'backgroundEffectiveness')).toMatchObject({ value: 1, verdict: 'pass', samples: 3 });
  });

  it('is 0 where nobody is', async () => {
    const h = harness();
    const clients = await h.fill('ada', 3, remote);
    h.mooring.backgroundCleanup.stop();
    await h.time.advance(900_000);
    expect(h.countOf('ada')).toBe(3);
    expect(kpiOf(h, 'backgroundEffectiveness')).toMatchObject({
      value: 0,
      verdict: 'fail',
      samples: 3,
      detail: { overdue: 3, releasedAsIdle: 0 },
    });
    expect(clients).toHaveLength(3);
  });

  it('counts nobody twice, and nobody who is held', async () => {
    const h = harness();
    const [first] = await h.fill('ada', 3, remote);
    h.mooring.backgroundCleanup.stop();
    let letGo = first?.manager.hold();
    for (let minute = 0; minute < 40; minute++) {
      await h.time.advance(60_000);
      letGo?.();
      letGo = first?.manager.hold();
    }
    expect(kpiOf(h, 'backgroundEffectiveness').detail).toEqual({ overdue: 2, releasedAsIdle: 0 });
  });

  it.each([
    [8, 'fail'],
    [9, 'fail'],
    [10, 'pass'],
  ])('with one overdue and %i released as idle: %s', (released, verdict) => {
    const told = new Told();
    told.audited({ newlyOverdue: 1 });
    for (let manager = 0; manager < released; manager++) told.released('ada', 'idle');
    told.released('ada', 'closed');
    expect(told.kpi('backgroundEffectiveness')).toMatchObject({ verdict, samples: released + 1 });
  });
});

describe('KPI 3, alert frequency', () => {
  it('is the part of the users that reached warning', async () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    for (let user = 0; user < 9; user++) await h.connect(`user-${user}`, 'thread_1');
    await h.fill('ada', 3);
    expect(kpiOf(h, 'alertFrequency')).toMatchObject({ value: 0.1, verdict: 'fail', samples: 10 });
  });

  it.skipIf(isMutating)('counts a user who stays, in every hour', async () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    const clients = await h.fill('ada', 3, remote);
    for (let minute = 0; minute < 30 * 60; minute += 5) {
      for (const { transport } of clients) transport.message();
      await h.time.advance(300_000);
    }
    expect(kpiOf(h, 'alertFrequency')).toMatchObject({ value: 1, samples: 1 });
  });

  it('counts a user at warning whom only audits have met for a day', async () => {
    const h = harness({
      config: {
        maxManagersPerUser: 5,
        heartbeatIntervalMs: hourMs,
        idleManagerTimeoutMs: 24 * hourMs,
        backgroundCleanupIntervalMs: hourMs,
      },
    });
    const clients = await h.fill('ada', 3, remote);
    await h.time.advance(13 * hourMs);
    for (const { transport } of clients) transport.message();
    await h.time.advance(13 * hourMs);
    expect(kpiOf(h, 'alertFrequency')).toMatchObject({ value: 1, samples: 1 });
  });

  it.each([
    [19, 'fail'],
    [20, 'fail'],
    [21, 'pass'],
  ])('with one alerted of %i users: %s', (users, verdict) => {
    const told = new Told();
    for (let user = 0; user < users; user++) told.admitted(`user-${user}`);
    told.reached('user-0', 'warning');
    told.reached('user-1', 'info');
    expect(told.kpi('alertFrequency')).toMatchObject({ verdict, detail: { users, alerted: 1 } });
  });

  it.each([
    ['info', 0],
    ['warning', 1],
  ] as const)('counts a user whom nothing but an audit meets, at level %s %i times', (level, alerted) => {
    const told = new Told();
    told.level = level;
    told.metrics.visited(loneConnection(watchfulClock()).manager);
    expect(told.kpi('alertFrequency')).toMatchObject({ samples: 1, detail: { users: 1, alerted } });
  });
});

describe('KPI 4, accumulation', () => {
  it('compares with what was announced, and knows when that has changed', () => {
    const told = new Told();
    told.admitted('ada');
    told.admitted('grace');
    told.released('ada', 'closed');
    expect(told.metrics.announced()).toEqual({ live: 1, changes: 3 });
  });

  it('is 0 where all that should be gone is', async () => {
    const h = harness();
    await h.fill('ada', 5, silent);
    await h.time.advance(600_000);
    expect(kpiOf(h, 'accumulation')).toMatchObject({ value: 0, verdict: 'pass' });
  });

  it('counts what is not open and stays', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 3_600_000, idleManagerTimeoutMs: 3_600_000 } });
    const clients = await h.fill('ada', 3, remote);
    for (const { transport } of clients.slice(1)) transport.closes.push({ code: 1006, reason: 'nobody said so' });
    await h.time.advance(66_000);
    expect(kpiOf(h, 'accumulation')).toMatchObject({ value: 2, verdict: 'fail', detail: { accumulated: 2 } });
  });

  it('counts idle managers that nobody cleans up', async () => {
    const h = harness();
    await h.fill('ada', 3, remote);
    h.mooring.backgroundCleanup.stop();
    await h.time.advance(900_000);
    expect(kpiOf(h, 'accumulation')).toMatchObject({ value: 3, verdict: 'fail' });
  });

  it('is the worst of each kind that any audit found, together', () => {
    const told = new Told();
    told.audited({ accumulated: 2, miscounted: 3 });
    told.audited();
    told.nowMs += hourMs;
    told.audited({ accumulated: 1, miscounted: 1 });
    expect(told.kpi('accumulation')).toMatchObject({
      value: 5,
      samples: 3,
      detail: { accumulated: 2, miscounted: 3 },
    });
  });
});

describe('KPI 5, connection success', () => {
  it('counts a user once in a minute', async () => {
    const h = small();
    for (let attempt = 0; attempt < 3; attempt++) await h.connect('ada', 'thread_1', remote);
    await h.connect('bob', 'thread_1', remote);
    expect(kpiOf(h, 'connectionSuccess')).toMatchObject({ value: 1, samples: 2 });
    await h.time.advance(60_000);
    await h.connect('ada', 'thread_1', remote);
    expect(kpiOf(h, 'connectionSuccess')).toMatchObject({ value: 1, samples: 3 });
  });

  it('falls with each minute in which a user did not get in', async () => {
    const h = small();
    const clients = await h.fill('ada', 2, remote);
    await h.time.advance(60_000);
    for (const { transport } of clients) transport.message();
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(1_100);
    expect(arrival.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(kpiOf(h, 'connectionSuccess')).toMatchObject({ value: 0.5, verdict: 'fail', samples: 2 });
  });

  it.each([
    [1_900, 1],
    [2_100, 2],
  ])('counts a caller that gave up after %i ms as one of %i', async (afterMs, samples) => {
    const h = small({ config: { probeTimeoutMs: 2_000 } });
    await h.time.advance(58_000);
    await h.fill('ada', 2, silent);
    await h.time.advance(4_000);
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(afterMs);
    arrival.vanish();
    await h.time.settle();
    expect(kpiOf(h, 'connectionSuccess').samples).toBe(samples);
  });

  it('reports refusals for other reasons apart', async () => {
    const h = small();
    await h.connect('ada', 'thread_1');
    void h.mooring.stop();
    h.refusal('ada', 'thread_2');
    expect(kpiOf(h, 'connectionSuccess')).toMatchObject({ value: 1, detail: { refusedOtherwise: 1 } });
  });

  it.each([
    [98, 'fail'],
    [99, 'fail'],
    [100, 'pass'],
  ])('with one user refused and %i admitted: %s', (admitted, verdict) => {
    const told = new Told();
    told.refused('ada');
    for (let user = 0; user < admitted; user++) told.admitted(`user-${user}`);
    expect(told.kpi('connectionSuccess')).toMatchObject({ verdict, samples: admitted + 1 });
  });

  it.each([
    [2_000, { wanted: 0, gotIn: 0 }],
    [2_001, { wanted: 1, gotIn: 0 }],
  ])('after %i ms in the queue, a caller that gave up makes %j', (waitedMs, wanted) => {
    const told = new Told();
    told.cancelled('ada', waitedMs);
    expect(told.kpi('connectionSuccess')?.detail).toMatchObject(wanted);
  });

  it.each([
    ['quota.exceeded', 0, { wanted: 1, gotIn: 0, refusedOtherwise: 0 }],
    ['capacity.exceeded', 0, { wanted: 1, gotIn: 0, refusedOtherwise: 0 }],
    ['admission.cancelled', 2_000, { wanted: 0, gotIn: 0, refusedOtherwise: 1 }],
    ['admission.cancelled', 2_001, { wanted: 1, gotIn: 0, refusedOtherwise: 0 }],
    ['key.contested', 2_001, { wanted: 0, gotIn: 0, refusedOtherwise: 1 }],
  ] as const)('counts a refusal for %s after %i ms as %j', (code, waitedMs, detail) => {
    const told = new Told();
    told.refused('ada', { code, waitedMs });
    expect(told.kpi('connectionSuccess')?.detail).toEqual(detail);
  });
});

describe('KPI 6, wrong refusals', () => {
  it('is 0 where those counted were alive', async () => {
    const h = small();
    await h.fill('ada', 2, remote);
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(1_100);
    expect(arrival.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(kpiOf(h, 'wrongRefusals')).toMatchObject({ value: 0, verdict: 'pass', samples: 1 });
  });

  it('counts one that was refused over a connection that was dead', async () => {
    const h = small();
    const [first] = await h.fill('ada', 2, remote);
    await h.time.advance(10_000);
    // It is not read, which excuses it for a while.
    first!.transport.isReadingPaused = true;
    first!.transport.fallSilent();
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(1_000);
    expect(arrival.outcome?.refusal?.code).toBe('quota.exceeded');
    await h.time.advance(120_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    expect(kpiOf(h, 'wrongRefusals')).toMatchObject({ value: 1, verdict: 'fail', samples: 1 });
  });

  it('does not count one over a connection that answered after it', async () => {
    const h = small();
    const [first] = await h.fill('ada', 2, remote);
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(1_100);
    expect(arrival.outcome?.refusal?.code).toBe('quota.exceeded');
    first?.transport.message();
    first?.transport.fallSilent();
    await h.time.advance(120_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    expect(kpiOf(h, 'wrongRefusals')).toMatchObject({ value: 0, samples: 1 });
  });

  it.each([
    ['before it asked', 8_001, 1],
    ['while it waited', 8_000, 0],
  ])('of a newcomer that waited 2 s, over one last heard of %s', (_, silentMs, value) => {
    const told = new Told();
    told.refused('ada', { waitedMs: 2_000 });
    told.nowMs += 6_000;
    told.released('ada', 'disconnected', silentMs);
    expect(told.kpi('wrongRefusals')).toMatchObject({ value, samples: 1 });
  });

  it('are not for those that the quota did not refuse, nor over those released alive', () => {
    const told = new Told();
    told.refused('ada', { code: 'capacity.exceeded', ahead: null });
    told.refused('bob');
    told.nowMs += 60_000;
    told.released('ada', 'disconnected', hourMs);
    told.released('bob', 'idle', hourMs);
    expect(told.kpi('wrongRefusals')).toMatchObject({ value: 0, samples: 1 });
  });

  it.each([
    [0, 1],
    [1, 0],
  ])('are looked for until a dead connection must have been found, and %i ms longer', (laterMs, value) => {
    const told = new Told();
    const { heartbeatIntervalMs, maxHeartbeatMisses, slowConsumerTimeoutMs } = loadWebSocketConfig({
      environment: 'production',
      env: {},
    });
    told.refused('ada');
    told.nowMs += heartbeatIntervalMs * (maxHeartbeatMisses + 2) + slowConsumerTimeoutMs + laterMs;
    told.refused('bob');
    told.released('ada', 'disconnected', hourMs);
    expect(told.kpi('wrongRefusals')?.value).toBe(value);
  });
});

describe('KPI 7, false kills', () => {
  it('is 0 where the dead stay silent', async () => {
    const h = harness();
    await h.fill('ada', 2, silent);
    await h.time.advance(120_000);
    expect(kpiOf(h, 'falseKills')).toMatchObject({ value: 0, verdict: 'pass', samples: 2 });
  });

  it.each([
    [900, 1],
    [1_100, 0],
  ])('counts one that sends something %i ms after it was released: %i', async (afterMs, value) => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', silent);
    while (h.countOf('ada') > 0) await h.time.advance(1_000);
    const releasedAgoMs = h.time.now() - (h.said('manager.released')[0]?.atMs ?? 0) + 1_700_000_000_000;
    await h.time.advance(Math.max(0, afterMs - releasedAgoMs));
    if (!transport.isTerminated) transport.message();
    await h.time.advance(2_000);
    expect(kpiOf(h, 'falseKills')).toMatchObject({ value, samples: 1 });
    expect(h.said('connection.answeredLate')).toHaveLength(value);
  });

  it('counts one that answers the close frame', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', { pongAfterMs: null, closeAfterMs: null });
    h.mooring.on('manager.released', () => {
      h.time.setTimer(() => {
        transport.bytesReceived += 8;
        transport.vanish();
      }, 500);
    });
    await h.time.advance(120_000);
    expect(kpiOf(h, 'falseKills')).toMatchObject({ value: 1, verdict: 'fail' });
    expect(h.said('connection.answeredLate')).toMatchObject([{ key: 'ada:thread_1', generation: 1 }]);
  });

  it('is none of one that was not open, whose last bytes nobody had looked at', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', silent);
    transport.message();
    transport.closes.push({ code: 1006, reason: 'nobody said so' });
    await h.time.advance(60_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    expect(h.said('connection.answeredLate')).toEqual([]);
  });

  it('is none of one that was released for another reason', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', silent);
    h.mooring.release('ada:thread_1');
    transport.bytesReceived += 8;
    await h.time.advance(2_000);
    expect(h.said('connection.answeredLate')).toEqual([]);
  });

  it('is none of one that was replaced before its successor was released as dead', async () => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', silent);
    const { transport } = await h.connect('ada', 'thread_1', silent);
    transport.closes.push({ code: 1006, reason: 'nobody said so' });
    await h.mooring.emergencyCleanup('ada');
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    former.transport.bytesReceived += 8;
    await h.time.advance(2_000);
    expect(h.said('connection.answeredLate')).toEqual([]);
  });

  it('are looked for among those released as dead alone', () => {
    const told = new Told();
    told.released('ada', 'disconnected');
    told.released('ada', 'closed');
    expect(told.kpi('falseKills')?.samples).toBe(1);
  });
});

describe('the memory of all metrics', () => {
  it.skipIf(isMutating)(
    'stays under 4 MiB through a day of 200,000 users with long ids, all of whom are refused',
    () => {
      const events = new EventStream(() => 0);
      const config = loadWebSocketConfig({ environment: 'production', env: {} });
      let now = 0;
      const clock = { now: () => now } as ConstructorParameters<typeof SuccessMetrics>[0]['clock'];
      const before = heapUsed();
      const metrics = new SuccessMetrics({ clock, events, config, monitor: { levelOf: () => 'warning' } });
      for (let user = 0; user < 200_000; user++) {
        now += 432;
        const userId = `${'Ж'.repeat(240)}${user}`;
        const of = { userId, threadId: 'thread_1', key: `${userId}:thread_1` };
        events.emit('manager.admitted', { ...of, managerCount: 1, waitedMs: user % 5_000 });
        const refusal = { code: 'quota.exceeded', closeCause: 'quota', retryAfterMs: 1, waitedMs: 500 } as const;
        events.emit('admission.refused', { ...of, ...refusal, ahead: user % 20, isHeard: true });
      }
      expect(heapUsed() - before).toBeLessThan(4 * 2 ** 20);
      expect(metrics.report().kpis.find(({ name }) => name === 'wrongRefusals')?.samples).toBeGreaterThan(190_000);
    },
  );
});
