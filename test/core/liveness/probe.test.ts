import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.js';
import { Pinger } from '../../../src/core/liveness/ping.js';
import { Probe, type ProbeFindings, type ProbeParts } from '../../../src/core/liveness/probe.js';
import { Suspicion } from '../../../src/core/liveness/suspicion.js';
import { SimulatedTime } from '../../../src/testing/index.js';
import { seeded, silent, type PeerOptions } from '../support.js';
import { sample } from '../../../src/core/liveness/silence.js';
import { loneConnection, watchfulClock, type LoneConnection } from './lone-connection.js';

/** Two pings, `probeTimeoutMs` apart. */
const askedMs = 1_000;

/** From the first ping of the probe, where none was unanswered before. */
const minSilenceMs = 3_000;

const { config } = loadConfig({ environment: 'production' });

/** Time in which sockets are looked at only when told to. */
class PollingTime extends SimulatedTime {
  readonly polls: (() => void)[] = [];

  override afterPoll(callback: () => void): void {
    this.polls.push(callback);
  }

  poll(): void {
    for (const callback of this.polls.splice(0)) callback();
  }
}

interface ProbingOptions {
  readonly time?: SimulatedTime;
  readonly isStarted?: boolean;
  readonly settings?: Partial<ProbeParts['config']>;
}

/** Peers that have answered before, and a probe of them that has started unless told otherwise. */
function probing(
  peers: readonly PeerOptions[],
  { time = new SimulatedTime(), isStarted = true, settings = {} }: ProbingOptions = {},
) {
  const at = watchfulClock(time);
  const lone = peers.map((peer) => loneConnection(at, peer));
  for (const { connection } of lone) connection.roundTripMs = 0;
  const found: ProbeFindings[] = [];
  const pinger = new Pinger(seeded(1));
  const suspected: number[] = [];
  const suspicion = new Suspicion({ suspectsFound: () => suspected.push(at.clock.now()) });
  const parts = { clock: at.clock, pinger, suspicion, config: { ...config, ...settings } };
  const probe = new Probe(parts, {
    connections: lone.map(({ connection }) => connection),
    onDone: (findings) => found.push(findings),
  });
  if (isStarted) probe.start();
  return { ...at, lone, probe, found, pinger, suspicion, suspected, parts };
}

const silentOf = (found: readonly ProbeFindings[], lone: readonly LoneConnection[]): boolean[] =>
  lone.map(({ connection }) => found[0]!.silent.has(connection));

const pingsOf = (lone: readonly LoneConnection[]): number[] => lone.map(({ transport }) => transport.pings.length);

describe('a probe', () => {
  it('pings all at once', () => {
    const { lone } = probing([silent, silent, silent]);
    expect(pingsOf(lone)).toEqual([1, 1, 1]);
  });

  it.each([
    [499, 1, 0],
    [500, 2, 0],
    [2_999, 2, 0],
    [3_000, 2, 1],
    [60_000, 2, 1],
  ])('has after %i ms sent %i pings and given %i verdicts', async (forMs, pings, verdicts) => {
    const { time, lone, found } = probing([silent]);
    await time.advance(forMs);
    expect(pingsOf(lone)).toEqual([pings]);
    expect(found).toHaveLength(verdicts);
  });

  it('finds those silent that said nothing, and no other', async () => {
    const { time, lone, found } = probing([silent, { pongAfterMs: 20 }, silent]);
    await time.advance(minSilenceMs);
    expect(silentOf(found, lone)).toEqual([true, false, true]);
  });

  it('sends each ping with a payload of its own', async () => {
    const { time, lone } = probing([silent, silent]);
    await time.advance(1_000);
    const payloads = lone.flatMap(({ transport }) => transport.pings);
    expect(new Set(payloads).size).toBe(4);
  });

  it('asks everybody, also one that was seen a moment ago', () => {
    const { lone, probe } = probing([silent], { isStarted: false });
    lone[0]!.transport.message();
    probe.start();
    expect(pingsOf(lone)).toEqual([1]);
  });

  it('does not ask the second time who has answered', async () => {
    const { time, lone } = probing([{ pongAfterMs: 20 }, silent]);
    await time.advance(1_000);
    expect(pingsOf(lone)).toEqual([1, 2]);
  });
});

describe('orca#12790: one unanswered ping is not death', () => {
  it.each([0, 1, 499, 500, 501, 999, 1_001, 2_999])('a byte after %i ms is life', async (afterMs) => {
    const { time, lone, found } = probing([silent]);
    await time.advance(afterMs);
    lone[0]!.transport.bytesReceived += 1;
    await time.advance(minSilenceMs);
    expect(silentOf(found, lone)).toEqual([false]);
  });

  it('a pong of whatever payload is life, and tells no round trip', async () => {
    const { time, lone, found } = probing([silent]);
    await time.advance(700);
    lone[0]!.transport.pong('not ours');
    expect(found).toHaveLength(1);
    expect(silentOf(found, lone)).toEqual([false]);
    expect(lone[0]!.connection.roundTripMs).toBe(0);
  });

  it('an answer to the first ping in the time of the second tells its round trip', async () => {
    const { time, lone, probe } = probing([{ pongAfterMs: 700 }], { isStarted: false });
    lone[0]!.connection.roundTripMs = -1;
    probe.start();
    await time.advance(1_000);
    expect(lone[0]!.connection.roundTripMs).toBe(700);
  });
});

describe('a probe ends', () => {
  it('as soon as all have answered', async () => {
    const { time, found, clock } = probing([{ pongAfterMs: 20 }, { pongAfterMs: 30 }]);
    await time.advance(29);
    expect(found).toHaveLength(0);
    await time.advance(1);
    expect(found).toHaveLength(1);
    expect(clock.now()).toBe(30);
  });

  it('at once where everybody answers at once, or there is nobody', () => {
    expect(probing([{}, {}]).found).toHaveLength(1);
    expect(probing([]).found).toHaveLength(1);
  });

  it('at the half where bytes of all have come by then', async () => {
    const { time, lone, found } = probing([silent]);
    lone[0]!.transport.bytesReceived += 1;
    await time.advance(500);
    expect(found).toHaveLength(1);
  });

  it('after 80 % of the time of a run, though a silence would have to last longer', async () => {
    const { time, lone, found } = probing([silent], { settings: { minSilenceMs: 9_000 } });
    await time.advance(7_999);
    expect(found).toHaveLength(0);
    await time.advance(1);
    expect(silentOf(found, lone)).toEqual([false]);
  });

  it('and lets go of its connections', async () => {
    const { time, lone, found } = probing([silent, { pongAfterMs: 20 }]);
    await time.advance(minSilenceMs);
    expect(found).toHaveLength(1);
    expect(lone.map(({ connection }) => connection.watcher)).toEqual([null, null]);
  });

  it('once', async () => {
    const { time, lone, found } = probing([{ pongAfterMs: 20 }]);
    await time.advance(20);
    lone[0]!.transport.pong('again');
    await time.advance(5_000);
    expect(found).toHaveLength(1);
  });

  it('without findings when cancelled, and asks no more', async () => {
    const { time, lone, probe, found } = probing([silent]);
    probe.cancel();
    lone[0]!.transport.pong('late');
    await time.advance(5_000);
    expect(found).toEqual([]);
    expect(pingsOf(lone)).toEqual([1]);
  });

  it('before it began when cancelled before', async () => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    probe.cancel();
    probe.start();
    await time.advance(5_000);
    expect(found).toEqual([]);
    expect(pingsOf(lone)).toEqual([0]);
  });
});

describe('a probe whose result nobody waits for any longer', () => {
  it('asks nobody a second time, and is over', async () => {
    const { time, lone, probe, found, suspected } = probing([silent, silent]);
    const timers = time.pendingTimers;
    await time.advance(400);
    probe.pingNoMore();
    expect(time.pendingTimers).toBe(timers - 1);
    await time.advance(20_000);
    expect(pingsOf(lone)).toEqual([1, 1]);
    expect([found, suspected]).toEqual([[], []]);
  });

  it('still judges those that it has asked twice', async () => {
    const { time, lone, probe, suspicion } = probing([silent, silent], { isStarted: false });
    lone[1]!.connection.roundTripMs = 1_500;
    probe.start();
    await time.advance(500);
    probe.pingNoMore();
    await time.advance(20_000);
    expect(pingsOf(lone)).toEqual([2, 1]);
    expect(lone.map(({ connection }) => suspicion.has(connection))).toEqual([true, false]);
  });
});

describe('before a verdict of silence', () => {
  it('the sockets are looked at once more: an answer may be waiting behind the timer', async () => {
    const time = new PollingTime();
    const { lone, found } = probing([silent, silent], { time });
    await time.advance(minSilenceMs);
    expect(found).toEqual([]);
    lone[0]!.transport.message();
    time.poll();
    expect(silentOf(found, lone)).toEqual([false, true]);
  });

  it('a pong that comes in that very look is heard, and the verdict given once', async () => {
    const time = new PollingTime();
    const { lone, found } = probing([silent], { time });
    await time.advance(1_000);
    lone[0]!.transport.pong('late');
    time.poll();
    expect(found).toHaveLength(1);
    expect(silentOf(found, lone)).toEqual([false]);
  });
});

describe('a connection that cannot be judged', () => {
  it.each([
    ['has unsent data', { unsentBytes: 1 }],
    ['is not read', { isReadingPaused: true }],
  ])('%s is neither silent nor stuck', async (_, state) => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    Object.assign(lone[0]!.transport, state);
    probe.start();
    await time.advance(askedMs);
    expect(found).toEqual([{ silent: new Set(), stuck: new Set() }]);
  });

  it('is stuck once its unsent data has not moved for slowConsumerTimeoutMs, whatever it sends', async () => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    const { connection, transport } = lone[0]!;
    transport.unsentBytes = 1;
    sample(connection);
    await time.advance(59_000);
    probe.start();
    await time.advance(999);
    transport.bytesReceived += 8;
    await time.advance(1);
    expect(found).toEqual([{ silent: new Set(), stuck: new Set([connection]) }]);
  });

  it('is not asked a second time while the first ping has not left', async () => {
    const { time, lone, probe } = probing([silent], { isStarted: false });
    lone[0]!.transport.unsentBytes = 1;
    probe.start();
    await time.advance(askedMs);
    expect(pingsOf(lone)).toEqual([1]);
  });
});

describe('a broken socket', () => {
  it('that is not open is not asked', async () => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    lone[0]!.transport.vanish();
    probe.start();
    await time.advance(askedMs);
    expect(pingsOf(lone)).toEqual([0]);
    expect(found).toHaveLength(1);
  });

  it('of which the state cannot be read is asked', async () => {
    const { time, lone, found } = probing([
      { ...silent, throwsFrom: ['isOpen'] },
      { throwsFrom: ['isOpen'], pongAfterMs: 20 },
    ]);
    await time.advance(minSilenceMs);
    expect(pingsOf(lone)).toEqual([2, 1]);
    expect(silentOf(found, lone)).toEqual([true, false]);
  });

  it('that cannot be pinged is silent unless it says something', async () => {
    const throws: PeerOptions = { ...silent, throwsFrom: ['ping'] };
    const { time, lone, found } = probing([throws, throws]);
    lone[1]!.transport.message();
    await time.advance(minSilenceMs);
    expect(silentOf(found, lone)).toEqual([true, false]);
  });

  it('that was replaced or released is not asked a second time', async () => {
    const { time, lone, found } = probing([silent]);
    lone[0]!.manager.connection = null;
    await time.advance(500);
    expect(pingsOf(lone)).toEqual([1]);
    expect(found).toHaveLength(1);
  });

  it('that closes while it is asked needs no verdict', async () => {
    const { time, lone, found } = probing([silent]);
    const { manager } = lone[0]!;
    await time.advance(600);
    manager.connection = null;
    await time.advance(minSilenceMs);
    expect(silentOf(found, lone)).toEqual([false]);
  });
});

describe('two probes of one connection', () => {
  it('do not take its answer from each other', async () => {
    const { lone, probe: first, parts, time } = probing([silent]);
    const { connection, transport } = lone[0]!;
    const found: ProbeFindings[] = [];
    new Probe(parts, { connections: [connection], onDone: (findings) => found.push(findings) }).start();
    first.cancel();
    await time.advance(100);
    transport.pong(transport.pings[0]!);
    expect(found).toHaveLength(1);
  });
});

describe('silence since an earlier ping', () => {
  it.each([
    [0, 3_000],
    [500, 2_500],
    [1_999, 1_001],
    [2_000, 1_000],
    [60_000, 1_000],
  ])('a ping unanswered for %i ms before makes a suspect after %i ms', async (beforeMs, afterMs) => {
    const { time, lone, probe, pinger, suspicion } = probing([silent], { isStarted: false });
    const { connection } = lone[0]!;
    await time.advance(5_000);
    pinger.ping(connection);
    await time.advance(beforeMs);
    probe.start();
    await time.advance(afterMs - 1);
    expect(suspicion.has(connection)).toBe(false);
    await time.advance(1);
    expect(suspicion.has(connection)).toBe(true);
  });

  it('does not count when a byte has come since, though no pong has', async () => {
    const { time, lone, probe, pinger, suspicion } = probing([silent], { isStarted: false });
    const { connection, transport } = lone[0]!;
    pinger.ping(connection);
    await time.advance(60_000);
    transport.message();
    probe.start();
    await time.advance(minSilenceMs - 1);
    expect(suspicion.has(connection)).toBe(false);
    await time.advance(1);
    expect(suspicion.has(connection)).toBe(true);
  });

  it('is remembered however many pings follow', async () => {
    const { time, lone, parts, pinger, suspicion } = probing([silent], { isStarted: false });
    const { connection } = lone[0]!;
    for (let ping = 0; ping < 20; ping++) {
      pinger.ping(connection);
      await time.advance(150);
    }
    new Probe(parts, { connections: [connection], onDone: () => {} }).start();
    await time.advance(askedMs);
    expect(suspicion.has(connection)).toBe(true);
  });

  it('that is only quiet is none: without a ping of ours nobody is a suspect sooner', async () => {
    const { time, lone, probe, suspicion } = probing([silent], { isStarted: false });
    await time.advance(600_000);
    probe.start();
    await time.advance(minSilenceMs - 1);
    expect(suspicion.has(lone[0]!.connection)).toBe(false);
  });
});

describe('a suspect', () => {
  it('is one until a byte comes', async () => {
    const { time, lone, suspicion } = probing([silent]);
    const { connection, transport } = lone[0]!;
    await time.advance(60_000);
    expect(suspicion.has(connection)).toBe(true);
    transport.bytesReceived += 1;
    expect(suspicion.has(connection)).toBe(false);
    await time.advance(60_000);
    expect(suspicion.has(connection)).toBe(false);
    expect(suspicion.size).toBe(0);
  });

  it('is told together with all that become suspects in the same moment', async () => {
    const { time, suspected } = probing([silent, silent, silent]);
    await time.advance(60_000);
    expect(suspected).toEqual([minSilenceMs]);
  });

  it('is none of the findings if a byte comes while others are waited for', async () => {
    const { time, lone, probe, found } = probing([silent, silent], { isStarted: false });
    lone[1]!.connection.roundTripMs = 1_500;
    probe.start();
    await time.advance(4_000);
    lone[0]!.transport.bytesReceived += 1;
    await time.advance(2_500);
    expect(silentOf(found, lone)).toEqual([false, true]);
  });
});

describe('how long each connection is waited for', () => {
  /** A peer that is silent now, and whose answers took so long before; -1: it has answered nothing yet. */
  const suspectAfter = async (roundTripMs: number): Promise<number | null> => {
    const { time, lone, probe, suspected } = probing([silent], { isStarted: false });
    lone[0]!.connection.roundTripMs = roundTripMs;
    probe.start();
    await time.advance(20_000);
    return suspected[0] ?? null;
  };

  it.each([
    [0, 3_000],
    [125, 3_000],
    [600, 3_000],
    [700, 3_300],
    [-1, 4_500],
    [1_000, 4_500],
    [1_500, 6_500],
    [2_000, 8_000],
  ])('with a round trip of %i ms it is a suspect after %i ms', async (roundTripMs, afterMs) => {
    expect(await suspectAfter(roundTripMs)).toBe(afterMs);
  });

  it('one that is too slow to be asked is judged by an earlier ping, after four round trips', async () => {
    const { time, lone, probe, pinger, suspicion, found } = probing([silent], { isStarted: false });
    const { connection, transport } = lone[0]!;
    connection.roundTripMs = 7_000;
    pinger.ping(connection);
    await time.advance(25_000);
    probe.start();
    await time.advance(2_999);
    expect(suspicion.has(connection)).toBe(false);
    await time.advance(1);
    expect(suspicion.has(connection)).toBe(true);
    expect(transport.pings).toHaveLength(1);
    expect(found).toHaveLength(1);
  });

  it.each([
    ['without one it is not judged', null],
    ['nor by one that left too late', 10_000],
  ])('%s', async (_, beforeMs) => {
    const { time, lone, probe, pinger, found } = probing([silent], { isStarted: false });
    lone[0]!.connection.roundTripMs = 7_000;
    if (beforeMs !== null) pinger.ping(lone[0]!.connection);
    await time.advance(beforeMs ?? 0);
    probe.start();
    expect(found).toEqual([{ silent: new Set(), stuck: new Set() }]);
  });

  it.each([
    [19_999, false],
    [20_000, true],
  ])('if that ping left %i ms ago, the time of a run suffices: %s', async (beforeMs, isSuspect) => {
    const { time, lone, probe, pinger, suspicion } = probing([silent], { isStarted: false });
    const { connection } = lone[0]!;
    connection.roundTripMs = 7_000;
    pinger.ping(connection);
    await time.advance(beforeMs);
    probe.start();
    await time.advance(8_000);
    expect(suspicion.has(connection)).toBe(isSuspect);
  });

  it('without an unanswered ping it is waited for at no time', async () => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    lone[0]!.connection.roundTripMs = 7_000;
    await time.advance(600_000);
    probe.start();
    expect(found).toHaveLength(1);
  });

  it('the slow do not hold up the quick', async () => {
    const { time, lone, probe, suspected } = probing([silent, silent], { isStarted: false });
    lone[1]!.connection.roundTripMs = 1_500;
    probe.start();
    await time.advance(20_000);
    expect(suspected).toEqual([3_000, 6_500]);
  });
});
