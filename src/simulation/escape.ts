import type { Violation } from './promises.js';
import { nextTurn } from './turn.js';

/** How much of a stack is told: the message, and where it was thrown. */
const stackLines = 4;

/** Something was thrown, or rejected, and nobody caught it. */
export interface Escape {
  readonly error: unknown;
}

/** A run that something escaped from, and that therefore says nothing else. */
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
 * Runs something, and listens for what nobody catches: what it throws, and promises that are rejected unheard.
 * @param run may ask whether something has escaped already, and end early
 * @returns the first that escaped, or `null`
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
