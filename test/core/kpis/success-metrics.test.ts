import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/core/events.js';
import { SuccessMetrics } from '../../../src/core/kpis/success-metrics.js';
import { loadWebSocketConfig, type Kpi, type KpiName } from '../../../src/index.js';
import { heapUsed } from '../../support/heap.js';
import { harness, isMutating, remote, silent, type Harness, type HarnessOptions } from '../support.js';

const hourMs = 3_600_000;

function kpiOf(h: Harness, name: KpiName): Kpi {
  const kpi = h.mooring.kpis().kpis.find((each) => each.name === name);
  if (kpi === undefined) throw new Error(`there is no KPI ${name}`);
  return kpi;
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
    expect(h.mooring.kpis().window).toEqual({ durationMs: 10_000, isSinceStart: true });
    h.time.advanceSync(30 * hourMs);
    const { durationMs, isSinceStart } = h.mooring.kpis().window;
    expect(isSinceStart).toBe(false);
    expect(durationMs).toBeGreaterThanOrEqual(23 * hourMs);
    expect(durationMs).toBeLessThanOrEqual(24 * hourMs);
  });
});

describe('KPI 1, emergency cleanup time', () => {
  it('is that of runs, and of newcomers that waited', async () => {
    const h = small();
    await h.fill('ada', 2, silent);
    await h.time.advance(5_000);
    const arrival = h.arrive('ada', 'thread_new');
    await h.time.advance(1_100);
    expect(arrival.outcome?.link).not.toBeNull();
    const kpi = kpiOf(h, 'emergencyCleanupTime');
    expect(kpi).toMatchObject({ verdict: 'pass', samples: 2, detail: { runs: 1, waits: 1, timedOut: 0 } });
    expect(kpi.detail['longestMs']).toBe(1_000);
  });

  it('fails where a run timed out', async () => {
    const h = small();
    await h.mooring.factory.emergencyCleanup('ada');
    expect(kpiOf(h, 'emergencyCleanupTime').verdict).toBe('pass');
    const [completed] = h.said('cleanup.completed');
    if (completed === undefined) throw new Error('no run was announced');
    h.mooring.events.emit('cleanup.completed', { ...completed, timedOut: true, durationMs: 10_000 });
    expect(kpiOf(h, 'emergencyCleanupTime')).toMatchObject({ verdict: 'fail', detail: { timedOut: 1 } });
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
      for (const { connection } of clients) connection.message();
      await h.time.advance(300_000);
    }
    expect(kpiOf(h, 'alertFrequency')).toMatchObject({ value: 1, samples: 1 });
  });
});

describe('KPI 4, accumulation', () => {
  it('is 0 where all that should be gone is', async () => {
    const h = harness();
    await h.fill('ada', 5, silent);
    await h.time.advance(600_000);
    expect(kpiOf(h, 'accumulation')).toMatchObject({ value: 0, verdict: 'pass' });
  });

  it('counts what is not open and stays', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 3_600_000, idleManagerTimeoutMs: 3_600_000 } });
    const clients = await h.fill('ada', 3, remote);
    for (const { connection } of clients.slice(1)) connection.closes.push({ code: 1006, reason: 'nobody said so' });
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
    for (const { connection } of clients) connection.message();
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
    // Its ping does not leave, which excuses it for a while.
    first?.connection.sendStuck(100_000);
    first?.connection.fallSilent();
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
    first?.connection.message();
    first?.connection.fallSilent();
    await h.time.advance(120_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    expect(kpiOf(h, 'wrongRefusals')).toMatchObject({ value: 0, samples: 1 });
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
    const { connection } = await h.connect('ada', 'thread_1', silent);
    while (h.countOf('ada') > 0) await h.time.advance(1_000);
    const releasedAgoMs = h.time.now() - (h.said('manager.released')[0]?.atMs ?? 0) + 1_700_000_000_000;
    await h.time.advance(Math.max(0, afterMs - releasedAgoMs));
    if (!connection.isTerminated) connection.message();
    await h.time.advance(2_000);
    expect(kpiOf(h, 'falseKills')).toMatchObject({ value, samples: 1 });
    expect(h.said('connection.answeredLate')).toHaveLength(value);
  });

  it('counts one that answers the close frame', async () => {
    const h = harness();
    const { connection } = await h.connect('ada', 'thread_1', { pongAfterMs: null, closeAfterMs: null });
    h.mooring.on('manager.released', () => {
      h.time.setTimer(() => {
        connection.bytesReceived += 8;
        connection.vanish();
      }, 500);
    });
    await h.time.advance(120_000);
    expect(kpiOf(h, 'falseKills')).toMatchObject({ value: 1, verdict: 'fail' });
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
      const metrics = new SuccessMetrics({ clock, events, config, levelOf: () => 'warning' });
      for (let user = 0; user < 200_000; user++) {
        now += 432;
        const userId = `${'Ж'.repeat(240)}${user}`;
        const of = { userId, threadId: 'thread_1', key: `${userId}:thread_1` };
        events.emit('manager.admitted', { ...of, managerCount: 1, waitedMs: user % 5_000 });
        const refusal = { code: 'quota.exceeded', closeCause: 'quota', retryAfterMs: 1, waitedMs: 500 } as const;
        events.emit('admission.refused', { ...of, ...refusal, ahead: user % 20 });
      }
      expect(heapUsed() - before).toBeLessThan(4 * 2 ** 20);
      expect(metrics.report().kpis.find(({ name }) => name === 'wrongRefusals')?.samples).toBeGreaterThan(190_000);
    },
  );
});
