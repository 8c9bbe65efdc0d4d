import { describe, expect, it } from 'vitest';
import { isPending } from '../../../src/index.js';
import { FakeConnection } from '../../../src/testing/index.js';
import { harness, remote, silent, type Client, type Harness, type PeerOptions } from '../support.js';

/** A user with 20 connections that have answered pings, and then fell silent so long ago. */
async function twentySilent(silentForMs: number, environment = 'production') {
  const h = harness({ environment });
  const clients = await h.fill('ada', 20, remote);
  for (let passed = 0; passed < 60_000; passed += 30_000) {
    await h.time.advance(30_000);
    for (const { transport } of clients) transport.message();
  }
  for (const { transport } of clients) transport.fallSilent();
  await h.time.advance(silentForMs);
  return { h, clients };
}

const admittedAfter = (h: Harness): number[] =>
  h
    .said('manager.admitted')
    .filter(({ waitedMs }) => waitedMs > 0)
    .map(({ waitedMs }) => waitedMs);

const leftOf = (clients: readonly Client[]): string[] =>
  clients.filter(({ manager }) => !manager.isReleased).map(({ context }) => context.threadId);

/** A newcomer that was accepted first and waits as an open socket, as the adapters do it. */
function accepted(h: Harness, threadId: string, options: PeerOptions = remote) {
  const transport = new FakeConnection({ ...options, time: h.time });
  const outcome = h.mooring.decide({ userId: 'ada', threadId });
  if (!isPending(outcome)) throw new Error('it does not have to wait');
  outcome.accepted?.(transport);
  const found: { admission: Awaited<typeof outcome.settled> | null } = { admission: null };
  void outcome.settled.then((admission) => (found.admission = admission));
  return { transport, outcome, found };
}

describe('a newcomer of a user whose 20 connections fell silent', () => {
  it.each([
    ['production', 28_000, 1_000],
    ['production', 45_000, 1_000],
    ['production', 0, 3_000],
    ['production', 500, 3_000],
    ['staging', 28_000, 1_000],
    ['staging', 0, 3_000],
    ['development', 28_000, 1_000],
    ['development', 0, 1_200],
  ])('in %s, %d ms ago, gets in after %d ms', async (environment, silentForMs, afterMs) => {
    const { h, clients } = await twentySilent(silentForMs, environment);
    const before = h.said('manager.released').length;
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(afterMs);
    expect(admittedAfter(h)).toEqual([afterMs]);
    expect(h.said('manager.released').length - before).toBe(1);
    expect(leftOf(clients)).toHaveLength(20 - before - 1);
  });

  it('takes the place of one, and the others stay: 19 more newcomers get theirs within 0.3 s each', async () => {
    const { h, clients } = await twentySilent(0);
    h.arrive('ada', 'thread_first', remote);
    await h.time.advance(3_000);
    for (let newcomer = 1; newcomer < 20; newcomer++) {
      h.arrive('ada', `thread_new${newcomer}`, remote);
      await h.time.advance(300);
      expect(leftOf(clients)).toHaveLength(19 - newcomer);
    }
    expect(
      Math.max(
        ...h
          .said('manager.admitted')
          .slice(21)
          .map(({ waitedMs }) => waitedMs),
      ),
    ).toBeLessThanOrEqual(300);
    expect(h.said('admission.refused')).toEqual([]);
  });

  it('and those whose place nobody wants are gone within 75 s', async () => {
    const { h, clients } = await twentySilent(0);
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(75_000);
    expect(leftOf(clients)).toEqual([]);
    expect(h.said('manager.released').map(({ by }) => by)).toEqual([
      'admission',
      ...Array.from({ length: 19 }, () => 'heartbeat'),
    ]);
  });

  it('and one that falls silent to the same pings a moment later gives its place without being asked anew', async () => {
    const h = harness();
    const clients = await h.fill('ada', 20, remote);
    const slow = clients[19]!;
    slow.transport.pongAfterMs = 700;
    for (let passed = 0; passed < 600_000; passed += 30_000) {
      await h.time.advance(30_000);
      for (const { transport } of clients) transport.message();
    }
    for (const { transport } of clients) transport.fallSilent();
    h.arrive('ada', 'thread_first', remote);
    await h.time.advance(3_000);
    for (let newcomer = 1; newcomer < 20; newcomer++) h.arrive('ada', `thread_new${newcomer}`, remote);
    await h.time.advance(250);
    expect(leftOf(clients)).toEqual([slow.context.threadId]);
    await h.time.advance(50);
    expect(leftOf(clients)).toEqual([]);
    expect(h.said('admission.refused')).toEqual([]);
  });

  it('with unknown round trips gets in after 4.5 s', async () => {
    const h = harness();
    await h.fill('ada', 20, { ...silent, isNew: true });
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(4_500);
    expect(admittedAfter(h)).toEqual([4_500]);
  });
});

/** test/simulation/pauses.test.ts tries each of these 100 times, at any moment. */
describe('connections in use whose process pauses while a newcomer comes', () => {
  const pauses = [500, 1_300, 2_000, 2_800];
  const rhythms = [200, 1_000, 5_000, 20_000];

  it.each(['production', 'staging'])('in %s none is closed, whatever they were doing', async (environment) => {
    for (const pauseMs of pauses) {
      for (const everyMs of rhythms) {
        const h = harness({ environment });
        const clients = await h.fill('ada', 20, remote);
        await h.time.advance(40_000);
        for (let spoken = 0; spoken < 3; spoken++) {
          for (const { transport } of clients) transport.message();
          await h.time.advance(everyMs);
        }
        for (const { transport } of clients) transport.fallSilent();
        const newcomer = h.arrive('ada', 'thread_new', remote);
        await h.time.advance(pauseMs);
        for (const { transport } of clients) {
          transport.pongAfterMs = 20;
          transport.pong(transport.pings.at(-1)!);
        }
        await h.time.advance(10_000);
        expect(h.said('manager.released'), `${environment} ${pauseMs} ${everyMs}`).toEqual([]);
        expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
      }
    }
  });

  it('of 8 s costs one of them its place', async () => {
    const { h, clients } = await twentySilent(0);
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(8_000);
    for (const { transport } of clients) if (!transport.isClosed) transport.pong(transport.pings.at(-1)!);
    for (const { transport } of clients) transport.pongAfterMs = 20;
    await h.time.advance(60_000);
    expect(leftOf(clients)).toHaveLength(19);
  });
});

describe('the order in which suspects give their places', () => {
  async function threeSilent(h: Harness) {
    const clients = await h.fill('ada', 3, remote);
    await h.time.advance(10_000);
    return clients as [Client, Client, Client];
  }

  it('is that of their last byte, the oldest first', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const [first, second, third] = await threeSilent(h);
    for (const { transport } of [second, third, first]) {
      transport.message();
      transport.fallSilent();
      await h.time.advance(10);
    }
    for (let newcomer = 0; newcomer < 3; newcomer++) h.arrive('ada', `thread_new${newcomer}`, remote);
    await h.time.advance(3_000);
    expect(h.said('manager.released').map(({ threadId }) => threadId)).toEqual(['thread_2', 'thread_3', 'thread_1']);
  });

  it('leaves those that are held to the last', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const [first, second, third] = await threeSilent(h);
    first.manager.hold();
    for (const { transport } of [first, second, third]) transport.fallSilent();
    for (let newcomer = 0; newcomer < 3; newcomer++) h.arrive('ada', `thread_new${newcomer}`, remote);
    await h.time.advance(3_000);
    expect(h.said('manager.released').map(({ threadId }) => threadId)).toEqual(['thread_2', 'thread_3', 'thread_1']);
  });
});

describe('a suspect', () => {
  const oneSuspect = async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [dead, alive] = await h.fill('ada', 2, remote);
    await h.time.advance(10_000);
    dead!.transport.fallSilent();
    return { h, dead: dead!, alive: alive! };
  };

  it('is told as silent, by admission', async () => {
    const { h, dead } = await oneSuspect();
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(3_000);
    expect(h.said('manager.released')).toMatchObject([
      { threadId: 'thread_1', reason: 'disconnected', finding: 'silent', by: 'admission', closeCause: 'silent' },
    ]);
    expect(dead.transport.closes).toEqual([{ code: 1013, reason: 'silent' }]);
    expect(h.said('cleanup.completed').at(-1)).toMatchObject({ trigger: 'admission', byStrategy: { disconnected: 1 } });
  });

  it('keeps its place while no newcomer wants it, though a cleanup found it', async () => {
    const { h, dead } = await oneSuspect();
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(2_000);
    newcomer.vanish();
    await h.time.advance(20_000);
    expect(dead.manager.isReleased).toBe(false);
  });

  it('that is heard of in the poll phase of the newcomer that would get its place keeps it', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first, second] = await h.fill('ada', 2, remote);
    await h.time.advance(10_000);
    for (const { transport } of [first!, second!]) transport.fallSilent();
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(3_000);
    h.time.afterPoll(() => {
      second!.transport.message();
    });
    second!.transport.pongAfterMs = 20;
    const late = h.arrive('ada', 'thread_late', remote);
    await h.time.advance(5_000);
    expect(second!.manager.isReleased).toBe(false);
    expect(late.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('is taken over by a newer connection of its thread at once', async () => {
    const { h, dead } = await oneSuspect();
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(1_000);
    const again = await h.connect('ada', dead.context.threadId, remote);
    expect(again.connection.generation).toBe(2);
    await h.time.advance(8_000);
    expect(h.said('manager.released')).toEqual([]);
  });

  it('that a newer connection of its thread is about to take over keeps its place', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first, second] = await h.fill('ada', 2, remote);
    await h.time.advance(10_000);
    for (const { transport } of [first!, second!]) {
      transport.fallSilent();
      await h.time.advance(100);
    }
    const newcomer = h.arrive('ada', 'thread_gone', remote);
    await h.time.advance(2_000);
    newcomer.vanish();
    await h.time.advance(3_000);
    expect(h.mooring.suspectCount).toBe(2);
    const ticket = h.ticket('ada', 'thread_1');
    h.arrive('ada', 'thread_new', remote);
    await h.time.settle();
    expect(h.said('manager.released').map(({ threadId }) => threadId)).toEqual(['thread_2']);
    ticket.cancel();
    await h.time.settle();
    expect(first!.manager.isReleased).toBe(false);
  });

  it('goes on request, and with it all suspects of the run', async () => {
    const { h, clients } = await twentySilent(0);
    const result = h.mooring.emergencyCleanup('ada');
    await h.time.advance(3_000);
    expect(await result).toMatchObject({ cleaned: 20, remaining: 0, durationMs: 3_000 });
    expect(leftOf(clients)).toEqual([]);
    expect(h.said('manager.released').every(({ by, finding }) => by === 'request' && finding === 'silent')).toBe(true);
  });
});

describe('a newcomer that was accepted and waits as an open socket', () => {
  it('is asked whether it is there when it is accepted, and with the pings of the run', async () => {
    const { h } = await twentySilent(0);
    const { transport } = accepted(h, 'thread_new', silent);
    expect(transport.pings).toHaveLength(1);
    await h.time.advance(8_000);
    expect(transport.pings.length).toBeGreaterThan(0);
  });

  it('is asked again when a run begins while it waits', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_first', remote);
    await h.time.advance(100);
    const { transport, outcome } = accepted(h, 'thread_new', silent);
    await h.time.advance(899);
    expect(transport.pings).toHaveLength(1);
    await h.time.advance(1);
    expect(transport.pings).toHaveLength(2);
    outcome.cancel();
  });

  it('gets the place of a suspect once it was heard of', async () => {
    const { h } = await twentySilent(0);
    const { found } = accepted(h, 'thread_new');
    await h.time.advance(3_000);
    expect(found.admission?.refusal).toBeNull();
  });

  it('that answers nothing gets none, is refused with the run, and is no wrong refusal', async () => {
    const { h, clients } = await twentySilent(0);
    const { found } = accepted(h, 'thread_new', silent);
    await h.time.advance(8_000);
    expect(found.admission?.refusal?.code).toBe('quota.exceeded');
    expect(leftOf(clients)).toHaveLength(20);
    expect(h.said('admission.refused')).toMatchObject([{ isHeard: false }]);
    await h.time.advance(120_000);
    expect(h.mooring.kpis().kpis.find(({ name }) => name === 'wrongRefusals')?.value).not.toBe(1);
  });

  it('that answers nothing does not stand before one that does', async () => {
    const { h } = await twentySilent(0);
    const mute = accepted(h, 'thread_mute', silent);
    const lively = accepted(h, 'thread_lively');
    await h.time.advance(3_000);
    expect(lively.found.admission?.refusal).toBeNull();
    await h.time.advance(1_600);
    expect(mute.found.admission?.refusal?.code).toBe('quota.exceeded');
  });

  it('that answers nothing gets what comes free by itself', async () => {
    const { h, clients } = await twentySilent(0);
    const { found } = accepted(h, 'thread_mute', silent);
    clients[0]!.transport.vanish();
    await h.time.settle();
    expect(found.admission?.refusal).toBeNull();
  });

  it('that is heard of last of all, beside a suspect, gets its place', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [dead, far] = await h.fill('ada', 2, remote);
    await h.time.advance(30_000);
    dead!.transport.fallSilent();
    far!.transport.pongAfterMs = 2_000;
    far!.connection.roundTripMs = 2_000;
    await h.time.advance(30_000);
    for (const { transport } of [dead!, far!]) transport.send();
    const { found } = accepted(h, 'thread_farther', { pongAfterMs: 2_700 });
    await h.time.advance(2_800);
    expect(found.admission?.refusal).toBeNull();
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', finding: 'silent' }]);
    await h.time.advance(8_000);
  });

  it('with a longer round trip than the others is waited for, and then evicts one that was left alone', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    await h.time.advance(100_000);
    const { found } = accepted(h, 'thread_far', { pongAfterMs: 900 });
    await h.time.advance(1_000);
    expect(found.admission?.refusal).toBeNull();
    expect(h.said('manager.released')).toMatchObject([{ reason: 'evicted' }]);
  });

  it('does not hold up one that has answered', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    await h.time.advance(100_000);
    accepted(h, 'thread_mute', silent);
    const lively = accepted(h, 'thread_lively');
    await h.time.advance(100);
    expect(lively.found.admission?.refusal).toBeNull();
    await h.time.advance(8_000);
  });

  it('that answers nothing evicts nobody', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const clients = await h.fill('ada', 2, remote);
    await h.time.advance(100_000);
    const { found } = accepted(h, 'thread_mute', silent);
    await h.time.advance(8_000);
    expect(found.admission?.refusal?.code).toBe('quota.exceeded');
    expect(leftOf(clients)).toHaveLength(2);
  });

  it('that comes while another is waited for gets the place of a suspect within 0.3 s', async () => {
    const { h } = await twentySilent(0);
    accepted(h, 'thread_mute', silent);
    await h.time.advance(3_500);
    const { found } = accepted(h, 'thread_lively');
    await h.time.advance(300);
    expect(found.admission?.refusal).toBeNull();
    await h.time.advance(8_000);
  });

  it('that answers late gets the place of a suspect that stands, within 0.3 s of its answer', async () => {
    const { h, clients } = await twentySilent(0);
    h.arrive('ada', 'thread_first', remote);
    await h.time.advance(3_000);
    const { found } = accepted(h, 'thread_late', { pongAfterMs: 400 });
    await h.time.advance(399);
    expect(found.admission).toBeNull();
    await h.time.advance(300);
    expect(found.admission?.refusal).toBeNull();
    expect(leftOf(clients)).toHaveLength(18);
  });
});

describe('a newcomer that takes the place in line of another one of its thread', () => {
  it('is not refused by the run that asked before it came, and gets the place of who fell silent since', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [dead, slow] = await h.fill('ada', 2, remote);
    await h.time.advance(30_000);
    slow!.transport.pongAfterMs = 2_900;
    slow!.connection.roundTripMs = 2_900;
    const former = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(500);
    dead!.transport.fallSilent();
    await h.time.advance(1_500);
    const newer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(1_000);
    expect(former.outcome?.refusal?.code).toBe('key.replaced');
    expect(newer.outcome).toBeNull();
    await h.time.advance(4_000);
    expect(newer.outcome?.refusal).toBeNull();
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', finding: 'silent' }]);
  });
});

describe('a backlog that stands while a newcomer waits', () => {
  const blocked = async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [slow, busy] = await h.fill('ada', 2, remote);
    await h.time.advance(30_000);
    busy!.transport.message();
    slow!.transport.message();
    slow!.transport.sendStuck(1_000_000);
    return { h, slow: slow!, busy: busy! };
  };

  it('for less than backlogExcuseMs is none of a suspect: the run waits for it', async () => {
    const { h, slow } = await blocked();
    await h.time.advance(5_000);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(2_900);
    expect(slow.manager.isReleased).toBe(false);
    expect(newcomer.outcome).toBeNull();
    await h.time.advance(500);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.said('manager.released')).toMatchObject([
      { closeCause: 'slow', finding: 'stuck', by: 'admission', limitMs: 8_000 },
    ]);
    expect(slow.transport.closes).toEqual([{ code: 1013, reason: 'slow' }]);
  });

  it('and moves is left alone', async () => {
    const { h, slow } = await blocked();
    const newcomer = h.arrive('ada', 'thread_new', remote);
    for (let passed = 0; passed < 12; passed++) {
      await h.time.advance(1_000);
      slow.transport.bytesSent += 1_000;
      slow.transport.unsentBytes -= 1_000;
    }
    expect(slow.manager.isReleased).toBe(false);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('is the last of all: one left alone for a minute goes before it', async () => {
    const { h, slow, busy } = await blocked();
    await h.time.advance(61_000 - 30_000);
    slow.transport.message();
    await h.time.advance(30_000);
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(8_000);
    expect(busy.manager.releasedFor).toBe('evicted');
    expect(slow.manager.releasedFor).not.toBe('evicted');
  });
});

describe('two backlogs that stand while newcomers wait', () => {
  /** The second began to stand three seconds before the first. */
  const blocked = async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const [later, earlier, busy] = await h.fill('ada', 3, remote);
    await h.time.advance(30_000);
    for (const { transport } of [later!, earlier!, busy!]) transport.message();
    earlier!.transport.sendStuck(1_000_000);
    await h.time.advance(3_000);
    later!.transport.sendStuck(1_000_000);
    await h.time.advance(2_000);
    return h;
  };

  const releasedIn = (h: Harness): string[] => h.said('manager.released').map(({ threadId }) => threadId);

  it('give their places each at its own time, the longest first', async () => {
    const h = await blocked();
    for (const newcomer of [1, 2]) h.arrive('ada', `thread_new${newcomer}`, remote);
    await h.time.advance(2_900);
    expect(releasedIn(h)).toEqual([]);
    await h.time.advance(600);
    expect(releasedIn(h)).toEqual(['thread_2']);
    await h.time.advance(2_400);
    expect(releasedIn(h)).toEqual(['thread_2']);
    await h.time.advance(600);
    expect(releasedIn(h)).toEqual(['thread_2', 'thread_1']);
  });

  it('keep their places if a newer connection of their thread is about to take over', async () => {
    const h = await blocked();
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(100);
    const ticket = h.ticket('ada', 'thread_2');
    await h.time.advance(5_000);
    ticket.cancel();
    await h.time.settle();
    expect(releasedIn(h)).toEqual([]);
    await h.time.advance(1_500);
    expect(releasedIn(h)).toHaveLength(1);
  });
});

describe('a message handed over while more than maxUnsentBytes wait', () => {
  it('closes its connection as slow, at once', async () => {
    const h = harness();
    const { connection, transport } = await h.connect('ada', 'thread_1', remote);
    connection.overfull();
    expect(h.said('manager.released')).toMatchObject([
      { reason: 'disconnected', closeCause: 'slow', finding: 'overfull', by: null },
    ]);
    expect(transport.closes).toEqual([{ code: 1013, reason: 'slow' }]);
  });

  it('on a connection that was taken over changes nothing', async () => {
    const h = harness();
    const { connection } = await h.connect('ada', 'thread_1', remote);
    await h.connect('ada', 'thread_1', remote);
    connection.overfull();
    expect(h.countOf('ada')).toBe(1);
  });
});
