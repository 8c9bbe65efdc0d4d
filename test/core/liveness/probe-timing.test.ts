import { describe, expect, it } from 'vitest';
import { ProbeTiming } from '../../../src/core/liveness/probe-timing.js';
import { Pinger } from '../../../src/core/liveness/ping.js';
import { seeded, silent } from '../support.js';
import { loneConnection, watchfulClock } from './lone-connection.js';

const timing = new ProbeTiming({ probeTimeoutMs: 500, emergencyCleanupTimeoutMs: 10_000 });

describe('how long a probe waits', () => {
  it.each([
    [-1, 500, 500],
    [0, 500, 500],
    [125, 500, 500],
    [126, 500, 504],
    [500, 500, 2_000],
    [1_000, 500, 4_000],
    [1_001, 504, 4_000],
    [1_500, 2_500, 4_000],
    [1_875, 4_000, 4_000],
    [6_000, 4_000, 4_000],
  ])('for an answer that usually takes %i ms: %i between the pings, %i after the second', (...row) => {
    const [roundTripMs, spacingMs, windowMs] = row;
    expect(timing.forRoundTrip(roundTripMs)).toEqual({ spacingMs, windowMs });
  });

  it('is never more than 80 % of a cleanup', () => {
    for (let roundTripMs = 0; roundTripMs < 20_000; roundTripMs += 7) {
      const { spacingMs, windowMs } = timing.forRoundTrip(roundTripMs);
      expect(spacingMs + windowMs).toBeLessThanOrEqual(8_000);
    }
  });

  it.each([
    [5_999, false],
    [6_000, false],
    [6_001, true],
  ])('%i ms are too slow for it: %s', (roundTripMs, isTooSlow) => {
    expect(timing.isTooSlow(roundTripMs)).toBe(isTooSlow);
  });
});

describe('the usual time', () => {
  it.each([
    [124, true],
    [125, true],
    [126, false],
  ])('is enough for a round trip of %i ms: %s', (roundTripMs, isUsual) => {
    expect(timing.isUsual(roundTripMs)).toBe(isUsual);
  });
});

describe('a round trip that is unknown', () => {
  it('is taken for a second', () => {
    expect(timing.roundTripOf(loneConnection(watchfulClock(), silent).connection)).toBe(1_000);
  });

  it.each([
    [4_499, 1_000],
    [4_500, 0],
  ])('of one that was asked %i ms ago is taken for %i ms', async (agoMs, wantedMs) => {
    const at = watchfulClock();
    await at.time.advance(1_000);
    const { connection } = loneConnection(at, silent);
    new Pinger(seeded(1)).ping(connection);
    await at.time.advance(agoMs);
    expect(timing.roundTripOf(connection)).toBe(wantedMs);
  });
});
