import { describe, expect, it } from 'vitest';
import { Pinger } from '../../../src/core/liveness/ping.js';
import { Probe, type ProbeFindings } from '../../../src/core/liveness/probe.js';
import { SimulatedTime } from '../../../src/testing/index.js';
import { seeded, silent, type PeerOptions } from '../support.js';
import { loneLink, watchfulClock, type LoneLink } from './lone-link.js';

const windowMs = 500;

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

/** Peers, and a probe of them that has started unless told otherwise. */
function probing(peers: readonly PeerOptions[], { time = new SimulatedTime(), isStarted = true } = {}) {
  const at = watchfulClock(time);
  const lone = peers.map((peer) => loneLink(at, peer));
  const found: ProbeFindings[] = [];
  const halves: number[] = [];
  const probe = new Probe(
    { clock: at.clock, pinger: new Pinger(seeded(1)), slowConsumerTimeoutMs: 60_000 },
    {
      links: lone.map(({ link }) => link),
      spacingMs: windowMs,
      windowMs,
      onHalf: () => halves.push(at.clock.now()),
      onDone: (findings) => found.push(findings),
    },
  );
  if (isStarted) probe.start();
  return { ...at, lone, probe, found, halves };
}

const silentOf = (found: readonly ProbeFindings[], lone: readonly LoneLink[]): boolean[] =>
  lone.map(({ link }) => found[0]!.silent.has(link));

const pingsOf = (lone: readonly LoneLink[]): number[] => lone.map(({ connection }) => connection.pings.length);

describe('a probe', () => {
  it('pings all at once', () => {
    const { lone } = probing([silent, silent, silent]);
    expect(pingsOf(lone)).toEqual([1, 1, 1]);
  });

  it.each([
    [499, 1, 0],
    [500, 2, 0],
    [999, 2, 0],
    [1_000, 2, 1],
    [60_000, 2, 1],
  ])('has after %i ms sent %i pings and given %i verdicts', async (forMs, pings, verdicts) => {
    const { time, lone, found } = probing([silent]);
    await time.advance(forMs);
    expect(pingsOf(lone)).toEqual([pings]);
    expect(found).toHaveLength(verdicts);
  });

  it('tells the half', async () => {
    const { time, halves } = probing([silent]);
    await time.advance(2_000);
    expect(halves).toEqual([500]);
  });

  it('finds those silent who said nothing, and nobody else', async () => {
    const { time, lone, found } = probing([silent, { pongAfterMs: 20 }, silent]);
    await time.advance(1_000);
    expect(silentOf(found, lone)).toEqual([true, false, true]);
  });

  it('sends each ping with a payload of its own', async () => {
    const { time, lone } = probing([silent, silent]);
    await time.advance(1_000);
    const payloads = lone.flatMap(({ connection }) => connection.pings);
    expect(new Set(payloads).size).toBe(4);
  });

  it('asks everybody, also one that was seen a moment ago', () => {
    const { lone, probe } = probing([silent], { isStarted: false });
    lone[0]!.connection.message();
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
  it.each([0, 1, 499, 500, 501, 999])('a byte after %i ms is life', async (afterMs) => {
    const { time, lone, found } = probing([silent]);
    await time.advance(afterMs);
    lone[0]!.connection.bytesReceived += 1;
    await time.advance(1_000);
    expect(silentOf(found, lone)).toEqual([false]);
  });

  it('a pong of whatever payload is life, and tells no round trip', async () => {
    const { time, lone, found } = probing([silent]);
    await time.advance(700);
    lone[0]!.connection.pong('not ours');
    expect(found).toHaveLength(1);
    expect(silentOf(found, lone)).toEqual([false]);
    expect(lone[0]!.link.roundTripMs).toBe(-1);
  });

  it('an answer to the first ping in the time of the second tells its round trip', async () => {
    const { time, lone } = probing([{ pongAfterMs: 700 }]);
    await time.advance(1_000);
    expect(lone[0]!.link.roundTripMs).toBe(700);
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
    lone[0]!.connection.bytesReceived += 1;
    await time.advance(500);
    expect(found).toHaveLength(1);
  });

  it('once', async () => {
    const { time, lone, found } = probing([{ pongAfterMs: 20 }]);
    await time.advance(20);
    lone[0]!.connection.pong('again');
    await time.advance(5_000);
    expect(found).toHaveLength(1);
  });

  it('without findings when cancelled, and asks no more', async () => {
    const { time, lone, probe, found } = probing([silent]);
    probe.cancel();
    lone[0]!.connection.pong('late');
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

describe('before a verdict of silence', () => {
  it('the sockets are looked at once more: an answer may be waiting behind the timer', async () => {
    const time = new PollingTime();
    const { lone, found } = probing([silent, silent], { time });
    await time.advance(1_000);
    expect(found).toEqual([]);
    lone[0]!.connection.message();
    time.poll();
    expect(silentOf(found, lone)).toEqual([false, true]);
  });

  it('a pong that comes in that very look is heard, and the verdict given once', async () => {
    const time = new PollingTime();
    const { lone, found } = probing([silent], { time });
    await time.advance(1_000);
    lone[0]!.connection.pong('late');
    time.poll();
    expect(found).toHaveLength(1);
    expect(silentOf(found, lone)).toEqual([false]);
  });
});

describe('who cannot be judged', () => {
  it.each([
    ['has unsent data', { unsentBytes: 1 }],
    ['is not read', { isReadingPaused: true }],
  ])('%s is neither silent nor stuck', async (_, state) => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    Object.assign(lone[0]!.connection, state);
    probe.start();
    await time.advance(1_000);
    expect(found).toEqual([{ silent: new Set(), stuck: new Set() }]);
  });

  it('is stuck once that has lasted for slowConsumerTimeoutMs without a byte either way', async () => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    lone[0]!.connection.unsentBytes = 1;
    await time.advance(59_000);
    probe.start();
    await time.advance(1_000);
    expect(found).toEqual([{ silent: new Set(), stuck: new Set([lone[0]!.link]) }]);
  });

  it('is not asked a second time while the first ping has not left', async () => {
    const { time, lone, probe } = probing([silent], { isStarted: false });
    lone[0]!.connection.unsentBytes = 1;
    probe.start();
    await time.advance(1_000);
    expect(pingsOf(lone)).toEqual([1]);
  });
});

describe('a broken socket', () => {
  it('that is not open is not asked', async () => {
    const { time, lone, probe, found } = probing([silent], { isStarted: false });
    lone[0]!.connection.vanish();
    probe.start();
    await time.advance(1_000);
    expect(pingsOf(lone)).toEqual([0]);
    expect(found).toHaveLength(1);
  });

  it('of which the state cannot be read is asked', async () => {
    const { time, lone, found } = probing([
      { ...silent, throwsFrom: ['isOpen'] },
      { throwsFrom: ['isOpen'], pongAfterMs: 20 },
    ]);
    await time.advance(1_000);
    expect(pingsOf(lone)).toEqual([2, 1]);
    expect(silentOf(found, lone)).toEqual([true, false]);
  });

  it('that cannot be pinged is silent unless it says something', async () => {
    const throws: PeerOptions = { ...silent, throwsFrom: ['ping'] };
    const { time, lone, found } = probing([throws, throws]);
    lone[1]!.connection.message();
    await time.advance(1_000);
    expect(silentOf(found, lone)).toEqual([true, false]);
  });
});

describe('two probes of one connection', () => {
  it('do not take its answer from each other', async () => {
    const { lone, probe: first, clock, time } = probing([silent]);
    const { link, connection } = lone[0]!;
    const found: ProbeFindings[] = [];
    const parts = { clock, pinger: new Pinger(seeded(2)), slowConsumerTimeoutMs: 60_000 };
    const request = { links: [link], spacingMs: windowMs, windowMs };
    new Probe(parts, { ...request, onDone: (findings) => found.push(findings) }).start();
    first.cancel();
    await time.advance(100);
    connection.pong(connection.pings[0]!);
    expect(found).toHaveLength(1);
  });
});
