import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/index.js';
import { parseScript } from '../../../src/simulation/script-schema.js';
import { runScript } from '../../../src/simulation/script.js';
import { smallWorld } from '../../../src/simulation/small-world.js';

const connect = { atMs: 0, do: 'connect', client: 0, user: 'ada', thread: 'thread_1' };
const scriptOf = (...steps: unknown[]) => ({ seed: 1, steps });

function problemsOf(written: unknown): readonly string[] {
  try {
    parseScript(written);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('a script', () => {
  it('of any small world is one, and stays as it is', () => {
    for (let seed = 0; seed < 100; seed++) {
      const script = smallWorld(seed);
      expect(parseScript(JSON.parse(JSON.stringify(script)))).toEqual(script);
    }
  });

  it('needs neither a configuration nor a word on the ledger', () => {
    expect(parseScript({ seed: 1, steps: [] })).toEqual({ seed: 1, config: {}, hasLedger: false, steps: [] });
  });

  it('may have times with parts of a millisecond', async () => {
    const message = { do: 'message', client: 0, bytes: 5 };
    const stall = { atMs: 200.7, do: 'stall', forMs: 150.5 };
    const steps = [{ ...connect, atMs: 0.5 }, { ...message, atMs: 100.25 }, stall, { ...message, atMs: 500.1 }];
    expect(await runScript(parseScript(scriptOf(...steps)))).toBeNull();
  });

  it.each([
    [null, 'the script: got null, wanted { seed, config, hasLedger, steps }'],
    [[], 'the script: got [], wanted { seed, config, hasLedger, steps }'],
    [{ steps: [] }, 'seed: got nothing, wanted a whole number from 0 to 4294967295'],
    [{ seed: 1.5, steps: [] }, 'seed: got 1.5, wanted a whole number from 0 to 4294967295'],
    [{ seed: 2 ** 32, steps: [] }, 'seed: got 4294967296, wanted a whole number from 0 to 4294967295'],
    [{ seed: 1 }, 'steps: got nothing, wanted a list of steps'],
    [{ seed: 1, steps: {} }, 'steps: got {}, wanted a list of steps'],
    [{ seed: 1, steps: [], hasLedger: 'no' }, 'hasLedger: got "no", wanted true or false'],
    [{ seed: 1, steps: [], sceed: 2 }, 'the script: got sceed, wanted nothing that is not known'],
    [{ seed: 1, steps: [], config: [] }, 'config: got [], wanted an object of settings'],
  ])('that is %j is none', (written, problem) => {
    expect(problemsOf(written)).toEqual([problem]);
  });

  it.each([
    [null, 'steps[1]: got null, wanted a step'],
    ['leave', 'steps[1]: got "leave", wanted a step'],
    [{ do: 'leave', client: 0 }, 'steps[1].atMs: got nothing, wanted milliseconds, at least 0 and at most a week'],
    [{ atMs: 'soon', do: 'leave', client: 0 }, 'steps[1].atMs: got "soon", wanted milliseconds, at least 0'],
    [{ atMs: -1, do: 'leave', client: 0 }, 'steps[1].atMs: got -1, wanted milliseconds, at least 0'],
    [{ atMs: 1e300, do: 'leave', client: 0 }, 'steps[1].atMs: got 1e+300, wanted milliseconds, at least 0'],
    [{ atMs: Infinity, do: 'leave', client: 0 }, 'steps[1].atMs: got Infinity, wanted milliseconds, at least 0'],
    [{ atMs: 1, do: 'dance' }, 'steps[1].do: got "dance", wanted one of connect, message, '],
    [{ atMs: 1 }, 'steps[1].do: got nothing, wanted one of connect, message, '],
    [{ atMs: 1, do: 'leave' }, 'steps[1].client: got nothing, wanted a whole number of at least 0'],
    [{ atMs: 1, do: 'leave', client: null }, 'steps[1].client: got null, wanted a whole number of at least 0'],
    [{ atMs: 1, do: 'leave', client: 0.5 }, 'steps[1].client: got 0.5, wanted a whole number of at least 0'],
    [{ atMs: 1, do: 'leave', client: 0, byMs: 3 }, 'steps[1]: got byMs, wanted nothing that is not known'],
    [{ atMs: 1, do: 'send', client: 0, bytes: -1 }, 'steps[1].bytes: got -1, wanted a whole number of at least 0'],
    [{ atMs: 1, do: 'limit', user: 'ada', limit: 1.5 }, 'steps[1].limit: got 1.5, wanted a whole number'],
    [{ atMs: 1, do: 'limit', user: '', limit: 1 }, 'steps[1].user: got "", wanted a user id'],
    [{ atMs: 1, do: 'clean up', user: 'ada', evict: null }, 'steps[1].evict: got null, wanted a whole number'],
    [{ atMs: 1, do: 'hook', client: 0, kind: 'sings' }, 'steps[1].kind: got "sings", wanted one of returns, throws'],
    [{ atMs: 1, do: 'ledger', mood: 'sad' }, 'steps[1].mood: got "sad", wanted one of well, slow'],
    [{ ...connect, user: 'a\u0000' }, 'steps[1].user: got "a\\u0000", wanted a user id'],
    [{ ...connect, thread: '7' }, 'steps[1].thread: got "7", wanted a thread id, such as thread_1'],
    [{ ...connect, traits: null }, 'steps[1].traits: got null, wanted an object of traits'],
    [{ ...connect, traits: { lossRatio: 2 } }, 'steps[1].traits.lossRatio: got 2, wanted a ratio from 0 to 1'],
    [{ ...connect, traits: { speed: 2 } }, 'steps[1].traits: got speed, wanted nothing that is not known'],
    [{ ...connect, traits: { throwsFrom: ['send'] } }, 'steps[1].traits.throwsFrom[0]: got "send", wanted one of ping'],
  ])('with the step %j names the step and the field', (step, problem) => {
    expect(problemsOf(scriptOf(connect, step))).toEqual([expect.stringContaining(problem)]);
  });

  it('with settings there are not, or that are wrong, names them', () => {
    expect(problemsOf({ seed: 1, steps: [], config: { maxManagersPerUzer: 1, ticketMs: 'soon' } })).toEqual([
      'config.maxManagersPerUzer: there is no such setting; did you mean maxManagersPerUser?',
      expect.stringContaining('config.ticketMs: got "soon"') as string,
    ]);
  });

  it('with a mistake in every step lists the first ten', () => {
    const problems = problemsOf(scriptOf(...Array.from({ length: 25 }, () => null)));
    expect([problems.length, problems.at(-1)]).toEqual([11, 'and 15 more']);
  });
});
