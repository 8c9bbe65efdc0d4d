import { describe, expect, it } from 'vitest';
import { Pinger } from '../../../src/core/liveness/ping.js';
import { seeded, silent, type PeerOptions } from '../support.js';
import { loneLink, watchfulClock } from './lone-link.js';

function pinging(options: PeerOptions = silent) {
  const at = watchfulClock();
  return { ...at, ...loneLink(at, options), pinger: new Pinger(seeded(1)) };
}

describe('a ping', () => {
  it('has a payload that is never the same twice, in ASCII and short enough', () => {
    const { pinger, link, connection } = pinging();
    for (let i = 0; i < 1_000; i++) pinger.ping(link);
    expect(new Set(connection.pings).size).toBe(1_000);
    for (const payload of connection.pings) expect(payload).toMatch(/^[\x21-\x7e]{1,125}$/);
  });

  it('says whether it was sent', () => {
    const { pinger, link, connection } = pinging();
    expect(pinger.ping(link)).toBe(true);
    connection.throwsFrom.add('ping');
    expect(pinger.ping(link)).toBe(false);
  });
});

describe('the usual round trip', () => {
  it('is unknown before the first answer', () => {
    const { pinger, link } = pinging();
    pinger.ping(link);
    expect(link.roundTripMs).toBe(-1);
  });

  it('is the first one that was measured, then follows', async () => {
    const { time, pinger, link, connection } = pinging({ pongAfterMs: 100 });
    pinger.ping(link);
    await time.advance(100);
    expect(link.roundTripMs).toBe(100);
    connection.pongAfterMs = 500;
    pinger.ping(link);
    await time.advance(500);
    expect(link.roundTripMs).toBe(200);
  });

  it('is told by an answer to any of the last pings', async () => {
    const { time, pinger, link, connection } = pinging();
    for (let i = 0; i < 3; i++) {
      pinger.ping(link);
      await time.advance(100);
    }
    connection.pong(connection.pings[1]!);
    expect(link.roundTripMs).toBe(200);
  });

  it('is not told by an answer that came while the process stood still: that time is taken out', async () => {
    const { time, pinger, link, connection } = pinging();
    pinger.ping(link);
    time.stall(5_000);
    connection.pong(connection.pings[0]!);
    expect(link.roundTripMs).toBe(-1);
    await time.advance(1_000);
    pinger.ping(link);
    await time.advance(300);
    connection.pong(connection.pings[1]!);
    expect(link.roundTripMs).toBe(300);
  });

  it('is not told by an answer that comes twice', async () => {
    const { time, pinger, link, connection } = pinging();
    pinger.ping(link);
    await time.advance(100);
    connection.pong(connection.pings[0]!);
    await time.advance(10_000);
    connection.pong(connection.pings[0]!);
    expect(link.roundTripMs).toBe(100);
  });

  it.each(['', 'm1.0', '\u0000', 'x'.repeat(125)])(
    'superset-websocket: is not told by a pong nobody asked for: %j',
    async (payload) => {
      const { time, pinger, link, connection } = pinging();
      pinger.ping(link);
      await time.advance(100);
      connection.pong(payload);
      expect(link.roundTripMs).toBe(-1);
    },
  );

  it.each([
    [0, true],
    [1, false],
    [2, false],
    [3, true],
    [5, true],
  ])('is told by the first ping and the last three: of six, by number %i: %s', async (index, isTold) => {
    const { time, pinger, link, connection } = pinging();
    for (let i = 0; i < 6; i++) {
      pinger.ping(link);
      await time.advance(100);
    }
    connection.pong(connection.pings[index]!);
    expect(link.roundTripMs).toBe(isTold ? 600 - 100 * index : -1);
  });

  it('is believed to be short again sooner than to be long, also where it was nothing', async () => {
    const { time, pinger, link, connection } = pinging();
    const roundTrips: number[] = [];
    for (const forMs of [0, 400, 0]) {
      pinger.ping(link);
      await time.advance(forMs);
      connection.pong(connection.pings.at(-1)!);
      roundTrips.push(link.roundTripMs);
    }
    expect(roundTrips).toEqual([0, 100, 50]);
  });
});
