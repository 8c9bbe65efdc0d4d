import type { Violation } from './promises.js';
import { nextTurn } from '../testing/next-turn.js';

/** How many lines of a stack are reported: the message, and where it was thrown. */
const stackLines = 4;

/** An exception or a rejected promise that nobody caught. */
export interface Escape {
  readonly error: unknown;
}

/** Something escaped from a run, so the run has no other result. */
export class EscapedError extends Error {
  override readonly name = 'EscapedError';

  constructor(
    /** Of the promise `no exception`. */
    readonly violation: Violation,
    options: ErrorOptions,
  ) {
    super(violation.message, options);
  }
}

/**
 * Runs something, and listens for what nobody catches: exceptions, and rejected promises without a handler.
 * @param run may ask whether something has escaped already, and end early
 * @returns the first escape, or `null`
 */
export async function escapeOf(run: (hasEscaped: () => boolean) => Promise<void>): Promise<Escape | null> {
  let escape: Escape | null = null;
  const hear = (error: unknown): void => {
    escape ??= { error };
  };
  process.on('unhandledRejection', hear);
  try {
    await run(() => escape !== null);
  } catch (error) {
    hear(error);
  } finally {
    await nextTurn(); // Node tells of rejections only after the current one.
    process.off('unhandledRejection', hear);
  }
  return escape;
}

/** The broken promise that an escape is, with the first lines of its stack. */
export function violationOf({ error }: Escape, atMs: number): Violation {
  const text = error instanceof Error ? (error.stack ?? String(error)) : `${String(error)} was thrown`;
  return { atMs, invariant: 'no exception', message: text.split('\n').slice(0, stackLines).join('\n') };
}
