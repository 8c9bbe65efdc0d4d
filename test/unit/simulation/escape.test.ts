import { describe, expect, it, vi } from 'vitest';
import { Mooring } from '../../../src/core/mooring.js';
import { simulateDay } from '../../../src/simulation/day.js';
import { escapeOf, violationOf } from '../../../src/simulation/escape.js';
import { runScript } from '../../../src/simulation/script.js';
import { shortestBreaking } from '../../../src/simulation/shrink.js';
import { smallWorld } from '../../../src/simulation/small-world.js';
import { afterThisTest } from '../../support/setup.js';

const bug = (): never => {
  throw new TypeError('planted');
};

/** Until the test is over, nobody but the simulation listens: what is rejected here is meant to be. */
function rejectionsAreMeant(): void {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  afterThisTest(() => {
    expect(process.listenerCount('unhandledRejection')).toBe(0);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
}

describe('what escapes from a run', () => {
  it('is nothing where all is well', async () => {
    expect(await escapeOf(() => Promise.resolve())).toBeNull();
  });

  it('is what it throws', async () => {
    expect(await escapeOf(() => Promise.resolve().then(bug))).toEqual({ error: new TypeError('planted') });
  });

  it('is a rejection nobody heard, the first of them, also right before the end', async () => {
    rejectionsAreMeant();
    const escape = await escapeOf((hasEscaped) => {
      expect(hasEscaped()).toBe(false);
      void Promise.reject(new Error('first'));
      void Promise.reject(new Error('second'));
      return Promise.resolve();
    });
    expect(escape).toEqual({ error: new Error('first') });
  });

  it('is told with the first lines of its stack', () => {
    const { invariant, message } = violationOf({ error: new TypeError('planted') }, 5);
    expect(invariant).toBe('no exception');
    expect(message).toMatch(/^TypeError: planted\n {4}at .*escape\.test\.ts/);
    expect(message.split('\n')).toHaveLength(4);
  });

  it('is told where it is no error', () => {
    expect(violationOf({ error: 'oops' }, 5).message).toBe('oops was thrown');
  });
});

describe('a core that throws', () => {
  it('breaks a promise in a small world, which is cut down to what is needed', async () => {
    vi.spyOn(Mooring.prototype, 'release').mockImplementation(bug);
    const script = smallWorld(1);
    const violation = await runScript(script);
    expect(violation).toMatchObject({
      invariant: 'no exception',
      message: expect.stringContaining('TypeError: planted\n    at ') as string,
    });
    const { steps } = await shortestBreaking('no exception', script);
    expect(steps.map((step) => step.do)).toEqual(['connect', 'request release']);
  });

  it('in a promise nobody looks at, does so as well', async () => {
    rejectionsAreMeant();
    vi.spyOn(Mooring.prototype, 'emergencyCleanup').mockImplementation(() => Promise.reject(new Error('planted')));
    const script = { seed: 1, config: {}, hasLedger: false };
    const violation = await runScript({ ...script, steps: [{ atMs: 5, do: 'clean up', user: 'ada' }] });
    expect(violation).toMatchObject({
      invariant: 'no exception',
      message: expect.stringContaining('Error: planted') as string,
    });
  });

  it('ends a day', async () => {
    vi.spyOn(Mooring.prototype, 'stop').mockImplementation(bug);
    await expect(simulateDay({ hours: 0.1, users: 5, seed: 1, scenario: 'reference' })).rejects.toMatchObject({
      name: 'EscapedError',
      violation: { invariant: 'no exception' },
      cause: new TypeError('planted'),
    });
  });
});
