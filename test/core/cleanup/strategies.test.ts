import { describe, expect, it } from 'vitest';
import { strategiesByName } from '../../../src/core/cleanup/playbook.js';
import { oldest } from '../../../src/core/cleanup/strategies/oldest.js';
import type { CleanupContext, Strategy, Victim } from '../../../src/core/cleanup/strategies/victim.js';
import { noFindings } from '../../../src/core/liveness/probe.js';
import { releaseReasons, strategies, strategyNames } from '../../../src/core/vocabulary.js';
import type { WebSocketManager } from '../../../src/index.js';
import { harness, remote, type Client, type Harness } from '../support.js';

/** What a cleanup under pressure sees now. */
const sightOf = (h: Harness): CleanupContext => ({
  ...noFindings,
  nowMs: h.mooring.now(),
  idleRatio: 0.3,
  reportedErrorTimeoutMs: 300_000,
  engagement: { floorMs: 60_000, streamingWindowMs: 5_000, idleManagerTimeoutMs: 600_000 },
});

const managersOf = (clients: readonly Client[]): WebSocketManager[] => clients.map(({ manager }) => manager);
const threadsOf = (victims: readonly Victim[]): string[] => victims.map(({ manager }) => manager.threadId);

async function three() {
  const h = harness({ config: { backgroundCleanupIntervalMs: 3_600_000 } });
  const clients = await h.fill('ada', 3, remote);
  return { h, clients, managers: managersOf(clients), context: () => sightOf(h) };
}

describe('disconnected', () => {
  it('chooses what is not open', async () => {
    const { clients, managers, context } = await three();
    clients[1]!.transport.closes.push({ code: 1000, reason: '' });
    expect(strategiesByName.disconnected.choose(managers, context())).toEqual([
      { manager: managers[1], strategy: 'disconnected', reason: 'disconnected', finding: 'closed' },
    ]);
  });

  it('chooses what was silent to a probe, and what is stuck, with its cause', async () => {
    const { clients, managers, context } = await three();
    const findings = { silent: new Set([clients[0]!.connection]), stuck: new Set([clients[2]!.connection]) };
    expect(strategiesByName.disconnected.choose(managers, { ...context(), ...findings })).toMatchObject([
      { manager: { threadId: 'thread_1' }, finding: 'silent' },
      { manager: { threadId: 'thread_3' }, finding: 'stuck', closeCause: 'slow' },
    ]);
  });

  it('does not choose what cannot be read: that is probed', async () => {
    const { clients, managers, context } = await three();
    clients[0]!.transport.throwsFrom.add('isOpen');
    expect(strategiesByName.disconnected.choose(managers, context())).toEqual([]);
  });
});

describe('idle', () => {
  it.each([
    [179_999, []],
    [180_000, ['thread_1', 'thread_2', 'thread_3']],
  ])('after %i ms chooses %j', async (ageMs, chosen) => {
    const { h, managers, context } = await three();
    await h.time.advance(ageMs);
    expect(threadsOf(strategiesByName.idle.choose(managers, context()))).toEqual(chosen);
  });

  it('does not choose what is held, or was active in either direction', async () => {
    const { h, clients, managers, context } = await three();
    managers[0]!.hold();
    await h.time.advance(100_000);
    clients[1]!.transport.send();
    clients[2]!.transport.message();
    await h.time.advance(100_000);
    expect(strategiesByName.idle.choose(managers, context())).toEqual([]);
  });
});

describe('errored', () => {
  it('chooses what failed, at once', async () => {
    const { managers, context } = await three();
    managers[1]!.fail(new Error('broken'));
    expect(strategiesByName.error.choose(managers, context())).toEqual([
      { manager: managers[1], strategy: 'error', reason: 'error' },
    ]);
  });

  it.each([
    [299_999, []],
    [300_000, ['thread_1']],
  ])('%i ms after a report chooses %j', async (ageMs, chosen) => {
    const { h, managers, context } = await three();
    managers[0]!.reportError(new Error('odd'));
    await h.time.advance(ageMs);
    expect(threadsOf(strategiesByName.error.choose(managers, context()))).toEqual(chosen);
  });

  it('forgives whoever is heard of afterwards', async () => {
    const { h, clients, managers, context } = await three();
    managers[0]!.fail(new Error('broken'));
    await h.time.advance(1);
    clients[0]!.transport.message();
    expect(strategiesByName.error.choose(managers, context())).toEqual([]);
  });
});

describe('oldest', () => {
  /** Left alone since 0, 10 and 20 s, in the order 2, 3, 1. */
  async function ordered() {
    const made = await three();
    for (const index of [2, 0]) {
      await made.h.time.advance(10_000);
      made.clients[index]!.transport.message();
    }
    await made.h.time.advance(100_000);
    return made;
  }

  it.each([
    [0, []],
    [1, ['thread_2']],
    [2, ['thread_2', 'thread_3']],
    [9, ['thread_2', 'thread_3', 'thread_1']],
    [-1, []],
  ])('of %i chooses those left alone longest: %j', async (most, chosen) => {
    const { managers, context } = await ordered();
    expect(threadsOf(oldest(managers, context(), most))).toEqual(chosen);
  });

  it('chooses the first admitted of two left alone as long', async () => {
    const { h, managers, context } = await three();
    await h.time.advance(100_000);
    expect(threadsOf(oldest([...managers].reverse(), context(), 3))).toHaveLength(3);
    expect(threadsOf(oldest(managers, context(), 1))).toEqual(['thread_1']);
  });

  it('never chooses what is engaged', async () => {
    const { h, clients, managers, context } = await ordered();
    managers[1]!.hold();
    clients[2]!.transport.send();
    clients[0]!.transport.message();
    expect(oldest(managers, context(), 3)).toEqual([]);
    await h.time.advance(5_000);
    expect(threadsOf(oldest(managers, context(), 3))).toEqual(['thread_3']);
  });
});

describe('every strategy', () => {
  const routine = Object.entries(strategiesByName).map(([name, { choose }]): [string, Strategy] => [name, choose]);
  const all: [string, Strategy][] = [...routine, ['oldest', (managers, context) => oldest(managers, context, 9)]];

  it('is here', () => {
    expect(all.map(([name]) => name)).toEqual(strategyNames);
  });

  it('has a reason of its own, so that a release is told as what it was', () => {
    const reasons = Object.values(strategies).map(({ reason }) => reason);
    expect(new Set(reasons).size).toBe(strategyNames.length);
    const others = ['closed', 'requested', 'unattached', 'moved', 'shutdown'];
    expect(Object.keys(releaseReasons).toSorted()).toEqual([...reasons, ...others].toSorted());
  });

  it.each(all)('%s leaves alone what has no socket yet, a successor, or is gone', async (_, strategy) => {
    const h = harness({ config: { backgroundCleanupIntervalMs: 3_600_000, ticketMs: 86_400_000 } });
    const reserved = h.ticket('ada', 'thread_reserved').manager;
    const [succeeded, released] = await h.fill('ada', 2, remote);
    await h.time.advance(700_000);
    for (const client of [succeeded!, released!]) client.manager.fail(new Error('broken'));
    h.ticket('ada', 'thread_1');
    h.mooring.release(released!.manager.key);
    expect(strategy([reserved, succeeded!.manager, released!.manager], sightOf(h))).toEqual([]);
  });

  it.each(all)('%s changes nothing', async (_, strategy) => {
    const { h, managers, context } = await three();
    await h.time.advance(200_000);
    managers[0]!.fail(new Error('broken'));
    expect(strategy(managers, context())).toEqual(strategy(managers, context()));
    expect(h.countOf('ada')).toBe(3);
  });
});

describe('in an order of their own', () => {
  it('the oldest are first, of those left alone as long', async () => {
    const h = harness({ config: { backgroundCleanupIntervalMs: 3_600_000 } });
    const first = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(1_000);
    const second = await h.connect('ada', 'thread_2', remote);
    first.transport.message();
    second.transport.message();
    await h.time.advance(200_000);
    const newestFirst = [second.manager, first.manager];
    expect(threadsOf(oldest(newestFirst, sightOf(h), 1))).toEqual(['thread_1']);
  });

  it.each([
    [299_999, []],
    [300_000, ['thread_1']],
  ])('errors are those reported %i ms ago, whenever that was: %j', async (agoMs, chosen) => {
    const { h, managers, context } = await three();
    await h.time.advance(200_000);
    managers[0]!.reportError(new Error('odd'));
    await h.time.advance(agoMs);
    expect(threadsOf(strategiesByName.error.choose(managers, context()))).toEqual(chosen);
  });
});
