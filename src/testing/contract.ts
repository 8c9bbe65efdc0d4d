import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Told that a case cannot be checked, and why: the runner's own skip, such as `skip` of vitest's test context or of
 * `node:test`'s. May throw.
 */
export type Skip = (reason: string) => void;

/**
 * One thing an implementation must do. `run` throws an `AssertionError` of `node:assert` where it does not, so any test
 * runner will do.
 */
export interface ContractCase<Make> {
  /** A sentence for the runner: what must hold. */
  readonly name: string;
  /**
   * @param make makes what is tested; called once, and what it made is disposed of in the end
   * @param skip called where the fixture lacks what the case needs @default throws, so that nothing unchecked passes
   */
  readonly run: (make: Make, skip?: Skip) => Promise<void>;
}

/** Something to be tested, and how to get rid of it. */
export interface Disposable {
  /** Ends whatever was started for it. */
  dispose(): void | Promise<void>;
}

/** A case that makes its fixture, and disposes of it whatever happens. */
export function contractCase<Fixture extends Disposable>(
  name: string,
  check: (fixture: Fixture, skip: Skip) => void | Promise<void>,
): ContractCase<() => Fixture | Promise<Fixture>> {
  return {
    name,
    run: async (make, skip = cannotSkip) => {
      const fixture = await make();
      try {
        await check(fixture, skip);
      } finally {
        await fixture.dispose();
      }
    },
  };
}

function cannotSkip(reason: string): never {
  throw new Error(`Not checked: ${reason}. Hand your runner's skip to run(make, skip) if that is meant`);
}

const longestMs = 5_000;
const stepMs = 5;

/**
 * Waits until something is true.
 * @throws Error where it does not come true within 5 s; the message says what did not
 */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isTrue(); waitedMs += stepMs) {
    if (waitedMs >= longestMs) throw new Error(`Waited ${String(longestMs)} ms in vain until ${what}`);
    await sleep(stepMs);
  }
}
