import { describe, expect, it } from 'vitest';
import { Pinger } from '../../../src/core/liveness/ping.js';
import { seeded, silent, type PeerOptions } from '../support.js';
import { loneConnection, watchfulClock } from './lone-connection.js';

function pinging(options: PeerOptions = silent) {
  const at = watchfulClock();
  return { ...at, ...loneConnection(at, options), pinger: new Pinger(seeded(1)) };
}

describe('a ping', () => {
  it('has a payload that is never the same twice, in ASCII and short enough', () => {
    const { pinger, connection, transport } = pinging();
    for (let i = 0; i < 1_000; i++) pinger.ping(connection);
    expect(new Set(transport.pings).size).toBe(1_000);
    for (const payload of transport.pings) expect(payload).toMatch(/^[\x21-\x7e]{1,125}$/);
  });

  it('says whether it was sent', () => {
    const { pinger, connection, transport } = pinging();
    expect(pinger.ping(connection)).toBe(true);
    transport.throwsFrom.add('ping');
    expect(pinger.ping(connection)).toBe(false);
  });
});

describe('the usual round trip', () => {
  it('is unknown before the first answer', () => {
    const { pinger, connection } = pinging();
    pinger.ping(connection);
    expect(connection.roundTripMs).toBe(-1);
  });

  it('is the first one that was measured, then follows', async () => {
    const { time, pinger, connection, transport } = pinging({ pongAfterMs: 100 });
    pinger.ping(connection);
    await time.advance(100);
    expect(connection.roundTripMs).toBe(100);
    transport.pongAfterMs = 500;
    pinger.ping(connection);
    await time.advance(500);
    expect(connection.roundTripMs).toBe(200);
  });

  it('is told by an answer to any of the last pings', async () => {
    const { time, pinger, connection, transport } = pinging();
    for (let i = 0; i < 3; i++) {
      pinger.ping(connection);
      await time.advance(100);
    }
    transport.pong(transport.pings[1]!);
    expect(connection.roundTripMs).toBe(200);
  });

  it('is not told by an answer that came while the process stood still: that time is taken out', async () => {
    const { time, pinger, connection, transport } = pinging();
    pinger.ping(connection);
    time.stall(5_000);
    transport.pong(transport.pings[0]!);
    expect(connection.roundTripMs).toBe(-1);
    await time.advance(1_000);
    pinger.ping(connection);
    await time.advance(300);
    transport.pong(transport.pings[1]!);
    expect(connection.roundTripMs).toBe(300);
  });

  it('is not told by an answer that comes twice', async () => {
    const { time, pinger, connection, transport } = pinging();
    pinger.ping(connection);
    await time.advance(100);
    transport.pong(transport.pings[0]!);
    await time.advance(10_000);
    transport.pong(transport.pings[0]!);
    expect(connection.roundTripMs).toBe(100);
  });

  it.each(['', 'm1.0', '\u0000', 'x'.repeat(125)])(
    'superset-websocket: is not told by a pong nobody asked for: %j',
    async (payload) => {
      const { time, pinger, connection, transport } = pinging();
      pinger.ping(connection);
      await time.advance(100);
      transport.pong(payload);
      expect(connection.roundTripMs).toBe(-1);
    },
  );

  it.each([
    [0, true],
    [1, false],
    [2, false],
    [3, true],
    [5, true],
  ])('is told by the first ping and the last three: of six, by number %i: %s', async (index, isTold) => {
    const { time, pinger, connection, transport } = pinging();
    for (let i = 0; i < 6; i++) {
      pinger.ping(connection);
      await time.advance(100);
    }
    transport.pong(transport.pings[index]!);
    expect(connection.roundTripMs).toBe(isTold ? 600 - 100 * index : -1);
  });

  it('is believed to be short again sooner than to be long, also where it was nothing', async () => {
    const { time, pinger, connection, transport } = pinging();
    const roundTrips: number[] = [];
    for (const forMs of [0, 400, 0]) {
      pinger.ping(connection);
      await time.advance(forMs);
      transport.pong(transport.pings.at(-1)!);
      roundTrips.push(connection.roundTripMs);
    }
    expect(roundTrips).toEqual([0, 100, 50]);
  });
});
