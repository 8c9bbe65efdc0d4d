import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One thing an implementation must do. `run` throws an `AssertionError` of `node:assert` where it does not, so any test
 * runner will do.
 */
export interface ContractCase<Make> {
  /** A sentence for the runner: what must hold. */
  readonly name: string;
  /** @param make makes what is tested; called once, and what it made is disposed of in the end */
  readonly run: (make: Make) => Promise<void>;
}

/** Something to be tested, and how to get rid of it. */
export interface Disposable {
  /** Ends whatever was started for it. */
  dispose(): void | Promise<void>;
}

/** A case that makes its fixture, and disposes of it whatever happens. */
export function contractCase<Fixture extends Disposable>(
  name: string,
  check: (fixture: Fixture) => void | Promise<void>,
): ContractCase<() => Fixture | Promise<Fixture>> {
  return {
    name,
    run: async (make) => {
      const fixture = await make();
      try {
        await check(fixture);
      } finally {
        await fixture.dispose();
      }
    },
  };
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
