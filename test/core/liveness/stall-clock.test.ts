import { describe, expect, it } from 'vitest';
import { StallClock, tickMs } from '../../../src/core/liveness/stall-clock.js';
import { SimulatedTime } from '../../../src/testing/index.js';

function clockAt(nowMs = 0) {
  const time = new SimulatedTime({ nowMs });
  const stalls: number[] = [];
  const clock = new StallClock({ time, toleranceMs: 100, onStall: (stalledMs) => stalls.push(stalledMs) });
  return { time, clock, stalls };
}

/** A clock with something armed, so that it watches itself. */
function watching() {
  const made = clockAt();
  const far = made.clock.setTimer(() => {}, 1e9);
  return { ...made, far };
}

describe('the clock', () => {
  it('goes with time', async () => {
    const { time, clock } = watching();
    await time.advance(12_345);
    expect(clock.now()).toBe(12_345);
  });

  it('gives whole milliseconds', () => {
    const { time, clock } = clockAt(5.75);
    time.stall(0.5);
    expect(clock.now()).toBe(6);
  });

  it('knows the time last read, which is never long ago', async () => {
    const { time, clock } = watching();
    for (const afterMs of [1, 100, 249, 250, 1_000, 12_345]) {
      await time.advance(afterMs);
      const { recentMs } = clock;
      expect(clock.now() - recentMs).toBeLessThan(tickMs);
      expect(clock.recentMs).toBe(clock.now());
    }
  });

  it('gives the wall time as it is, stalls included', () => {
    const { time, clock } = watching();
    const before = clock.wallNow();
    time.stall(5_000);
    expect(clock.wallNow() - before).toBe(5_000);
  });

  it('never goes back, though a loop that is blocked keeps reading it', () => {
    const { time, clock } = watching();
    const readings: number[] = [];
    for (let i = 0; i < 100; i++) {
      time.stall(50);
      readings.push(clock.now());
    }
    expect(readings).toEqual(readings.toSorted((a, b) => a - b));
    expect(readings.at(-1)).toBeLessThanOrEqual(tickMs + 100);
  });
});

describe('a timer', () => {
  it.each([
    [999, 0],
    [1_000, 1],
    [60_000, 1],
  ])('of 1000 ms has fired after %i ms: %i', async (forMs, times) => {
    const { time, clock } = clockAt();
    let fired = 0;
    clock.setTimer(() => (fired += 1), 1_000);
    await time.advance(forMs);
    expect(fired).toBe(times);
  });

  it('that is cancelled, even twice, never fires', async () => {
    const { time, clock } = clockAt();
    let fired = 0;
    const timer = clock.setTimer(() => (fired += 1), 1_000);
    timer.cancel();
    timer.cancel();
    await time.advance(5_000);
    expect(fired).toBe(0);
  });

  it('may be cancelled after it fired', async () => {
    const { time, clock } = clockAt();
    const timer = clock.setTimer(() => {}, 10);
    await time.advance(20);
    expect(() => {
      timer.cancel();
    }).not.toThrow();
  });

  it('that became due in a stall fires when the rest of its time has passed without one', async () => {
    const { time, clock } = clockAt();
    let firedAtMs = -1;
    clock.setTimer(() => (firedAtMs = clock.now()), 1_000);
    time.stall(60_000);
    await time.advance(0);
    expect(firedAtMs).toBe(-1);
    await time.advance(749);
    expect(firedAtMs).toBe(-1);
    await time.advance(1);
    expect(firedAtMs).toBe(1_000);
  });

  it('armed after a stall that nobody has noticed yet gets its whole time', async () => {
    const { time, clock } = watching();
    time.stall(60_000);
    let fired = false;
    clock.setTimer(() => (fired = true), 1_000);
    await time.advance(999);
    expect(fired).toBe(false);
    await time.advance(1);
    expect(fired).toBe(true);
  });
});

describe('a stall', () => {
  it.each([
    [99, 349],
    [100, 350],
    [101, 250],
    [1_000, 250],
    [1_200_000, 250],
  ])('that makes the tick %i ms late leaves the clock at %i', (lateMs, nowMs) => {
    const { time, clock } = watching();
    time.stall(tickMs + lateMs);
    expect(clock.now()).toBe(nowMs);
  });

  it.each([0, 1, 100, 249])('of 10 s takes no more than a tick, begun %i ms after one', async (afterMs) => {
    const { time, clock } = watching();
    await time.advance(10 * tickMs + afterMs);
    const before = clock.now();
    time.stall(10_000);
    await time.advance(0);
    expect(clock.now() - before).toBeLessThanOrEqual(tickMs);
  });

  it('is seen by whoever reads first, so that nothing is stamped with a time in the future', async () => {
    const { time, clock } = watching();
    time.stall(60_000);
    const stamp = clock.now();
    await time.advance(0);
    expect(clock.now()).toBe(stamp);
  });

  it('is told once, with its length', async () => {
    const { time, clock, stalls } = watching();
    time.stall(1_200);
    clock.now();
    clock.now();
    await time.advance(5_000);
    expect(stalls).toEqual([950]);
    expect(clock.stalls).toBe(1);
  });

  it('after another adds up', async () => {
    const { time, clock } = watching();
    for (let i = 0; i < 3; i++) {
      time.stall(tickMs + 1_000);
      await time.advance(tickMs);
    }
    expect(time.now() - clock.now()).toBe(3_000);
    expect(clock.stalls).toBe(3);
  });

  it('ends at a moment that is noted', async () => {
    const { time, clock } = watching();
    expect(clock.lastStallEndedAtMs).toBe(-Infinity);
    await time.advance(1_000);
    time.stall(10_000);
    const endedAtMs = clock.now();
    await time.advance(5_000);
    expect(clock.lastStallEndedAtMs).toBe(endedAtMs);
  });
});

describe('the ticker', () => {
  it('does not run before anything is armed', () => {
    const { time, clock } = clockAt();
    clock.now();
    expect(time.pendingTimers).toBe(0);
  });

  it('runs no longer once the last timer has fired', async () => {
    const { time, clock } = clockAt();
    clock.setTimer(() => {}, 1_000);
    await time.advance(2_000);
    expect(time.pendingTimers).toBe(0);
  });

  it('is one for all timers', () => {
    const { time, clock } = clockAt();
    for (let i = 0; i < 10; i++) clock.setTimer(() => {}, 1_000);
    expect(time.pendingTimers).toBe(11);
  });

  it('starts again with the next timer, and calls the pause no stall', async () => {
    const { time, clock, stalls } = clockAt();
    clock.setTimer(() => {}, 1_000);
    await time.advance(60_000);
    clock.setTimer(() => {}, 1_000);
    await time.advance(60_000);
    expect(stalls).toEqual([]);
    expect(clock.now()).toBe(120_000);
  });

  it('ends at once when the clock is disposed of', () => {
    const { time, clock, far } = watching();
    far.cancel();
    clock.dispose();
    expect(time.pendingTimers).toBe(0);
  });

  it('stays while somebody still has a timer', async () => {
    const { time, clock } = clockAt();
    let fired = false;
    clock.setTimer(() => (fired = true), 1_000);
    clock.dispose();
    await time.advance(1_000);
    expect(fired).toBe(true);
  });
});

describe('a clock that is done with', () => {
  it('notices stalls as long as somebody has a timer', () => {
    const { time, clock } = watching();
    clock.dispose();
    time.stall(5_000);
    expect(clock.now()).toBeLessThanOrEqual(tickMs + 100);
  });
});
