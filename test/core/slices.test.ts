import { describe, expect, it } from 'vitest';
import { Slices } from '../../src/core/slices.js';
import { SimulatedTime } from '../../src/testing/index.js';

/** Work of `steps` steps that take `stepMs` each, and how long each slice of it took. */
function work({ steps, stepMs = 0, budgetMs = 5 }: { steps: number; stepMs?: number; budgetMs?: number }) {
  const time = new SimulatedTime();
  const slices: number[] = [];
  let taken = 0;
  let startedAtMs = 0;
  const endSlice = (): void => {
    slices.push(time.now() - startedAtMs);
  };
  const clock = {
    afterPoll: (callback: () => void) => {
      endSlice();
      time.afterPoll(() => {
        startedAtMs = time.now();
        callback();
      });
    },
  };
  let done = 0;
  new Slices({ time, clock, budgetMs }).run(
    () => {
      taken += 1;
      time.stall(stepMs);
      return taken < steps;
    },
    () => {
      endSlice();
      done += 1;
    },
  );
  return { time, slices, taken: () => taken, done: () => done };
}

describe('long work in short slices', () => {
  it.each([1, 16, 17, 1_000])('of %i steps that take no time is done before it returns', (steps) => {
    const w = work({ steps });
    expect(w.taken()).toBe(steps);
    expect(w.done()).toBe(1);
    expect(w.slices).toHaveLength(1);
  });

  it('lets the process do something else in between', async () => {
    const w = work({ steps: 100, stepMs: 0.5 });
    expect(w.taken()).toBeLessThan(100);
    expect(w.done()).toBe(0);
    await w.time.settle();
    expect(w.taken()).toBe(100);
  });

  it.each([0.001, 0.01, 0.1, 0.3])('takes no slice over 10 ms with steps of %d ms', async (stepMs) => {
    const w = work({ steps: 20_000, stepMs });
    await w.time.settle();
    expect(w.slices.length).toBeGreaterThan(1);
    expect(Math.max(...w.slices)).toBeLessThanOrEqual(10);
  });

  it('says once that it is done, after the last step', async () => {
    const w = work({ steps: 1_000, stepMs: 0.1 });
    await w.time.settle();
    await w.time.settle();
    expect(w.taken()).toBe(1_000);
    expect(w.done()).toBe(1);
  });

  it('needs nobody who wants to hear that it is done', () => {
    let taken = 0;
    const time = new SimulatedTime();
    new Slices({ time, clock: time, budgetMs: 5 }).run(() => (taken += 1) < 3);
    expect(taken).toBe(3);
  });
});
