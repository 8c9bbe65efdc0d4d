import { describe, expect, it } from 'vitest';
import { Audit, type AuditFindings } from '../../../src/core/kpis/audit.js';
import { ManagerRegistry } from '../../../src/core/managers/registry.js';
import { Slices } from '../../../src/core/slices.js';
import type { WebSocketManager } from '../../../src/index.js';
import { afterThisTest } from '../../support/setup.js';
import { harness, remote, type Client } from '../support.js';

const intervalMs = 60_000;
const overdueAfterMs = 720_000;
const notOpenGraceMs = 5_000;

/**
 * An audit of a registry of its own, in which lies whatever the test puts there: the managers come from a Mooring that
 * neither pings nor cleans up in the background.
 */
async function audited(count: number) {
  const h = harness({ config: { heartbeatIntervalMs: 86_400_000, ticketMs: 86_400_000 } });
  const clients = await h.fill('ada', count, remote);
  h.mooring.backgroundCleanup.stop();
  const registry = new ManagerRegistry();
  for (const { manager } of clients) registry.add(manager);
  const announced = { live: count, changes: count };
  const found: AuditFindings[] = [];
  const visited: WebSocketManager[] = [];
  const polls: (() => void)[] = [];
  const audit = new Audit({
    clock: h.mooring.clock,
    slices: new Slices({ time: h.time, clock: { afterPoll: (act) => polls.push(act) }, budgetMs: 0 }),
    config: h.mooring.config,
    registry,
    metrics: {
      announced: () => ({ ...announced }),
      visited: (manager) => visited.push(manager),
      audited: (findings) => found.push(findings),
    },
  });
  afterThisTest(() => {
    audit.stop();
  });
  return { h, clients, registry, announced, found, visited, polls, audit };
}

/** As the adapter sees a socket that is closed, though nobody was told. */
const closeQuietly = ({ transport }: Client): void => void transport.closes.push({ code: 1000, reason: '' });

describe('an audit', () => {
  it('comes one interval after it was armed, and again for as long as there is a manager', async () => {
    const { h, found, registry, clients, visited, audit } = await audited(2);
    audit.arm();
    audit.arm();
    await h.time.advance(intervalMs - 1);
    expect(visited).toEqual([]);
    await h.time.advance(1);
    expect(visited).toEqual(clients.map(({ manager }) => manager));
    expect(found).toEqual([
      { atMs: h.mooring.now(), managers: 2, users: 1, newlyOverdue: 0, accumulated: 0, miscounted: 0 },
    ]);
    await h.time.advance(intervalMs);
    expect(found).toHaveLength(2);
    for (const { manager } of clients) registry.remove(manager);
    await h.time.advance(5 * intervalMs);
    expect(found).toHaveLength(3);
    audit.arm();
    await h.time.advance(intervalMs);
    expect(found).toHaveLength(4);
  });

  it('that is armed while it walks walks once', async () => {
    const { h, polls, found, audit } = await audited(17);
    audit.arm();
    await h.time.advance(intervalMs);
    expect(polls).toHaveLength(1);
    audit.arm();
    await h.time.advance(intervalMs);
    expect([polls.length, found.length]).toEqual([1, 0]);
    polls.shift()!();
    expect(found).toHaveLength(1);
  });

  it('that is armed while it waits for a second look waits once', async () => {
    const { h, clients, found, visited, audit } = await audited(1);
    closeQuietly(clients[0]!);
    audit.arm();
    await h.time.advance(intervalMs);
    audit.arm();
    await h.time.advance(notOpenGraceMs);
    expect([visited.length, found.length]).toEqual([1, 1]);
    await h.time.advance(intervalMs - 1);
    expect(visited).toHaveLength(1);
  });

  it.each(['before it begins', 'while it walks', 'before it looks again'])(
    'says nothing when stopped %s',
    async (when) => {
      const { h, clients, polls, found, visited, audit } = await audited(17);
      closeQuietly(clients[0]!);
      audit.arm();
      if (when === 'before it begins') audit.stop();
      await h.time.advance(intervalMs);
      if (when === 'while it walks') audit.stop();
      for (const poll of polls) poll();
      audit.stop();
      audit.arm();
      await h.time.advance(10 * intervalMs);
      expect(found).toEqual([]);
      expect(visited).toHaveLength({ 'before it begins': 0, 'while it walks': 16, 'before it looks again': 17 }[when]!);
    },
  );
});

describe('what should be gone', () => {
  /** Walks now, lets the grace pass with something done in it, and gives what was found. */
  async function lookTwice(made: Awaited<ReturnType<typeof audited>>, meanwhile = (): void => undefined) {
    made.audit.arm();
    await made.h.time.advance(intervalMs);
    expect(made.found).toEqual([]);
    meanwhile();
    await made.h.time.advance(notOpenGraceMs);
    return made.found.at(-1);
  }

  it('is what is not open, at both looks', async () => {
    const made = await audited(3);
    closeQuietly(made.clients[0]!);
    expect(await lookTwice(made)).toMatchObject({ accumulated: 1, newlyOverdue: 0 });
  });

  it.each([
    [2, 1],
    [3, 1],
  ])('is what missed its last heartbeat: %i misses', async (misses, accumulated) => {
    const made = await audited(2);
    made.clients[0]!.connection.misses = misses;
    expect(await lookTwice(made)).toMatchObject({ accumulated, newlyOverdue: 0 });
  });

  it('is not what has a heartbeat left', async () => {
    const { h, clients, found, audit } = await audited(1);
    clients[0]!.connection.misses = 1;
    audit.arm();
    await h.time.advance(intervalMs);
    expect(found).toMatchObject([{ accumulated: 0 }]);
  });

  it('is what is idle for two intervals more than it may be, and no sooner', async () => {
    const { h, clients, found, audit } = await audited(2);
    await h.time.advance(overdueAfterMs - intervalMs);
    clients[0]!.transport.message();
    audit.arm();
    await h.time.advance(intervalMs);
    expect(found).toMatchObject([{ accumulated: 0 }]);
    await h.time.advance(intervalMs + notOpenGraceMs);
    expect(found).toMatchObject([{}, { accumulated: 1, newlyOverdue: 1 }]);
    await h.time.advance(intervalMs + notOpenGraceMs);
    expect(found.at(-1)).toMatchObject({ accumulated: 1, newlyOverdue: 0 });
  });

  it('is not what is held', async () => {
    const { h, clients, found, audit } = await audited(1);
    await h.time.advance(overdueAfterMs);
    Object.defineProperty(clients[0]!.manager, 'isHeld', { value: true });
    audit.arm();
    await h.time.advance(intervalMs + notOpenGraceMs);
    expect(found).toMatchObject([{ accumulated: 0 }]);
  });

  it('is, where it has no socket, what is idle', async () => {
    const { h, registry, found, audit } = await audited(0);
    registry.add(h.ticket('ada', 'thread_reserved').manager);
    await h.time.advance(overdueAfterMs);
    audit.arm();
    await h.time.advance(intervalMs + notOpenGraceMs);
    expect(found).toMatchObject([{ managers: 1, accumulated: 1, newlyOverdue: 1 }]);
  });

  it('is not what was released meanwhile', async () => {
    const made = await audited(2);
    const [first] = made.clients;
    closeQuietly(first!);
    const found = await lookTwice(made, () => made.h.mooring.release(first!.manager.key));
    expect(found).toMatchObject({ accumulated: 0 });
  });

  it('is not what was heard of meanwhile', async () => {
    const made = await audited(1);
    made.clients[0]!.connection.misses = 2;
    const found = await lookTwice(made, () => {
      made.clients[0]!.connection.misses = 0;
    });
    expect(found).toMatchObject({ accumulated: 0 });
  });

  it('is not what has another socket now, though that is closed too', async () => {
    const made = await audited(1);
    const [first] = made.clients;
    closeQuietly(first!);
    const found = await lookTwice(made, () => {
      const { transport } = made.h.open(made.h.ticket('ada', 'thread_1'), remote);
      expect(first!.manager.connection?.transport).toBe(transport);
      transport.closes.push({ code: 1000, reason: '' });
    });
    expect(found).toMatchObject({ accumulated: 0 });
  });

  it('is not what should be gone for another reason by then', async () => {
    const made = await audited(1);
    const [first] = made.clients;
    closeQuietly(first!);
    const found = await lookTwice(made, () => {
      first!.transport.closes.length = 0;
      first!.connection.misses = 2;
    });
    expect(found).toMatchObject({ accumulated: 0 });
  });
});

describe('miscounts', () => {
  it.each([
    ['more', 5, 2],
    ['fewer', 1, 2],
  ])('are admissions less releases that are %s than the index has', async (_, live, miscounted) => {
    const { h, announced, found, audit } = await audited(3);
    announced.live = live;
    audit.arm();
    await h.time.advance(intervalMs);
    expect(found).toMatchObject([{ managers: 3, miscounted }]);
  });

  it.each([
    [0, 1],
    [1, 0],
  ])(
    'are a size that is not what was walked through, where %i things happened meanwhile',
    async (happened, miscounted) => {
      const { h, announced, registry, clients, polls, found, audit } = await audited(17);
      audit.arm();
      await h.time.advance(intervalMs);
      registry.remove(clients[0]!.manager);
      announced.changes += happened;
      polls.shift()!();
      expect(found).toMatchObject([{ managers: 17, miscounted }]);
    },
  );
});

describe('a manager that is away', () => {
  const graceMs = 10_000;

  it.each([
    [graceMs + notOpenGraceMs, 0],
    [graceMs + notOpenGraceMs + 1, 1],
  ])('for %i ms counts as accumulated: %i', async (awayMs, accumulated) => {
    const { h, clients, found, audit } = await audited(1);
    const { manager } = clients[0]!;
    manager.hold();
    manager.ensureExtras().awaySinceMs = intervalMs - awayMs;
    manager.connection = null;
    audit.arm();
    await h.time.advance(intervalMs + notOpenGraceMs);
    expect(found.map((findings) => findings.accumulated)).toEqual([accumulated]);
  });
});
