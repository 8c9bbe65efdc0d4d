import { describe, expect, it } from 'vitest';
import { harness, remote, type Client, type Harness } from '../support.js';

const intervalMs = 25_000;
const idleManagerTimeoutMs = 600_000;

/** A user with two healthy connections and, beside them, one whose peer is gone. */
async function besideADeadOne(h: Harness) {
  const healthy = await h.fill('ada', 2, { prefix: 'healthy', ...remote });
  const dead = await h.connect('ada', 'thread_dead', remote);
  await h.time.advance(100);
  dead.transport.fallSilent();
  return { healthy, dead };
}

function expectOnlyTheDeadOneGone(h: Harness, healthy: readonly Client[]): void {
  expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_dead', reason: 'disconnected' }]);
  for (const { transport } of healthy) expect(transport.closes).toEqual([]);
}

describe("openclaw#105698, HikariCP's housekeeper: a loop that was blocked for 1.2 s while probes are out", () => {
  it.each([0, 1, 10, 19, 249, 250, 499, 500, 501, 749, 999])(
    'begun %i ms after the first ping, closes nobody who answers, and frees the dead one',
    async (afterMs) => {
      const h = harness({ config: { maxManagersPerUser: 3 } });
      const { healthy } = await besideADeadOne(h);
      const newcomer = h.arrive('ada', 'thread_new', remote);
      await h.time.advance(afterMs);
      h.time.stall(1_200);
      await h.time.advance(5_000);
      expectOnlyTheDeadOneGone(h, healthy);
      expect(newcomer.outcome?.refusal).toBeNull();
    },
  );

  it('closes nobody whose answer is read only after the timers have run', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const { healthy } = await besideADeadOne(h);
    for (const { transport } of healthy) transport.pongAfterMs = null;
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(600);
    h.time.stall(1_200);
    await h.time.advance(0);
    for (const { transport } of healthy) transport.pong(transport.pings[0]!);
    await h.time.advance(5_000);
    expectOnlyTheDeadOneGone(h, healthy);
  });

  it('does not take bytes from before it for an answer', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const { healthy, dead } = await besideADeadOne(h);
    await h.time.advance(5_000);
    h.time.stall(1_200);
    h.time.afterPoll(() => {
      dead.transport.message();
    });
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(5_000);
    expectOnlyTheDeadOneGone(h, healthy);
  });
});

describe('three heartbeat intervals in which nothing ran', () => {
  it.each([0, 1, 6_000, 13_000, 13_249, 13_250, 13_270, 20_000, 24_999, 38_000, 50_000, 62_000])(
    'begun after %i ms, close nobody who answers, and the dead one goes',
    async (afterMs) => {
      const h = harness();
      const { healthy } = await besideADeadOne(h);
      await h.time.advance(afterMs);
      h.time.stall(3 * intervalMs);
      await h.time.advance(3 * intervalMs + 1_000);
      expectOnlyTheDeadOneGone(h, healthy);
    },
  );

  it('are told once', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    h.time.stall(3 * intervalMs);
    await h.time.advance(1_000);
    const [stall, ...others] = h.said('process.stalled');
    expect(stall!.stalledMs).toBeGreaterThanOrEqual(3 * intervalMs - 250);
    expect(others).toEqual([]);
  });
});

describe('a machine suspended for twice the idle timeout', () => {
  it.each([0, 1, 13_270, 59_999, 60_000, 70_000])(
    'after %i ms, finds nobody idle and nobody dead but the one that is',
    async (afterMs) => {
      const h = harness();
      const { healthy } = await besideADeadOne(h);
      await h.time.advance(afterMs);
      h.time.stall(2 * idleManagerTimeoutMs);
      await h.time.advance(3 * intervalMs + 1_000);
      expectOnlyTheDeadOneGone(h, healthy);
    },
  );

  it('counts the time in which it ran: the idle go when that is 10 minutes', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', remote);
    await h.time.advance(300_000);
    h.time.stall(2 * idleManagerTimeoutMs);
    await h.time.advance(299_000);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(61_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'idle' }]);
  });

  it('again and again, closes nobody', async () => {
    const h = harness();
    const [healthy] = await h.fill('ada', 1, remote);
    for (let i = 0; i < 20; i++) {
      await h.time.advance(7_300);
      h.time.stall(100_000 + 13 * i);
      await h.time.advance(0);
      healthy!.transport.message();
    }
    expect(h.said('manager.released')).toEqual([]);
    expect(h.said('heartbeat.missed')).toEqual([]);
  });
});

describe('a process that stalls most of the time', () => {
  it.each([
    [200, 100],
    [400, 50],
    [1_000, 100],
  ])('%i ms of every %i ms more, still sweeps, audits and lets what is due expire', async (stalledMs, freeMs) => {
    const h = harness({ config: { idleManagerTimeoutMs: 60_000, journalBytes: 0 } });
    await h.connect('ada', 'thread_idle', remote);
    const ticket = h.ticket('bob', 'thread_unattached');
    const startedAtMs = h.time.now();
    while (h.mooring.managerCount > 0 && h.time.now() - startedAtMs < 1_200_000) {
      h.time.stall(stalledMs);
      await h.time.advance(freeMs);
    }
    expect(ticket.refusal?.code).toBe('ticket.expired');
    expect(h.said('manager.released').map(({ reason }) => reason)).toEqual(['unattached', 'idle']);
    expect(h.said('background.completed').length).toBeGreaterThan(0);
    expect(h.mooring.kpis().kpis.find(({ name }) => name === 'accumulation')?.samples).toBeGreaterThan(0);
  });
});
