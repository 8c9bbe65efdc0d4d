import { afterEach, beforeEach } from 'vitest';

/**
 * Runs before every test file. A test fails when, while it ran,
 * - a promise was rejected and nobody looked, or an error was thrown and nobody caught it,
 * - an emitter gathered more listeners than it allows, the sign of a leak,
 * - or a check registered with {@link afterThisTest} found something left over.
 *
 * Tests of one file run one after another. Under `it.concurrent` a trouble would be put down to the wrong test.
 */

type Check = () => void | Promise<void>;

/** The real one, whatever a test does to its timers. */
const nextTurn = setImmediate;

let troubles: Error[] = [];
let expected: ((error: Error) => void)[] = [];
let checks: Check[] = [];

/** Runs `check` when the current test is over, the latest first; the test fails if it throws or rejects. */
export function afterThisTest(check: Check): void {
  checks.push(check);
}

/** The next uncaught exception of the current test is meant to be. */
export function uncaughtException(): Promise<Error> {
  return new Promise((resolve) => expected.push(resolve));
}

const onRejection = (reason: unknown): void => {
  troubles.push(new Error('a promise was rejected and nobody looked', { cause: reason }));
};
const onException = (error: Error): void => {
  const isMeant = expected.shift();
  if (isMeant !== undefined) isMeant(error);
  else troubles.push(new Error('an error was thrown and nobody caught it', { cause: error }));
};
const onWarning = (warning: Error): void => {
  if (warning.name === 'MaxListenersExceededWarning') troubles.push(warning);
};

// We listen only while a test runs: while anybody else listens, vitest stays silent, and outside of a test it is
// vitest that must tell of the error.
beforeEach(() => {
  troubles = [];
  expected = [];
  checks = [];
  process.on('unhandledRejection', onRejection).on('uncaughtException', onException).on('warning', onWarning);
});

afterEach(async () => {
  for (const check of checks.toReversed()) await run(check);
  // Node tells of unhandled rejections and of warnings only after the current turn of the event loop.
  await new Promise((resolve) => nextTurn(resolve));
  process.off('unhandledRejection', onRejection).off('uncaughtException', onException).off('warning', onWarning);
  report(troubles);
});

async function run(check: Check): Promise<void> {
  try {
    await check();
  } catch (error) {
    troubles.push(error instanceof Error ? error : new Error(String(error)));
  }
}

function report(found: readonly Error[]): void {
  const [first, ...others] = found;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new AggregateError(found, `${found.length} things went wrong: ${found.map((one) => one.message).join('; ')}`);
}
