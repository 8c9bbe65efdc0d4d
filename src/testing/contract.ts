import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Called with the reason if a case cannot be checked. Pass the runner's own `skip`, such as that of vitest's or
 * `node:test`'s test context. May throw.
 */
export type Skip = (reason: string) => void;

/**
 * One thing an implementation must do. If it does not, `run` throws an `AssertionError` of `node:assert`, so it works
 * with any test runner.
 */
export interface ContractCase<Make> {
  /** What must hold, as a title for the runner. */
  readonly name: string;
  /**
   * @param make makes the fixture; called once. The fixture is disposed of in the end.
   * @param skip called if the fixture lacks what the case needs @default throws, so that nothing unchecked passes
   */
  readonly run: (make: Make, skip?: Skip) => Promise<void>;
}

/** Something that has to be cleaned up after a test. */
export interface Disposable {
  /** Ends everything that was started for it. */
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
  throw new Error(`Not checked: ${reason}. Pass your runner's skip to run(make, skip) if that is intended`);
}

const longestMs = 5_000;
const stepMs = 5;

/**
 * Waits until something is true.
 * @throws Error if it does not come true within 5 s; the message says what did not
 */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isTrue(); waitedMs += stepMs) {
    if (waitedMs >= longestMs) throw new Error(`Waited ${String(longestMs)} ms in vain until ${what}`);
    await sleep(stepMs);
  }
}
