/** How long an answer is waited for, in milliseconds: longer where connections are asked first. */
export const [readMs, actMs] = [15_000, 120_000];

/** Why something was given up. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(afterMs: number) {
    super(`no answer within ${String(afterMs / 1_000)} s`);
  }
}

/**
 * How long something is waited for, until it is aborted with a {@link NoAnswerError}.
 *
 * Why not `AbortSignal.timeout`: its timer keeps no process alive, and a `fetch` whose connection is closed as soon as it
 * is made may never settle (Node 20); the process would end without a word.
 */
export class Patience {
  readonly #what: AbortController;
  #timer: NodeJS.Timeout | undefined;

  constructor(what: AbortController) {
    this.#what = what;
  }

  /** From now on, in milliseconds. */
  begin(ms: number): void {
    this.end();
    this.#timer = setTimeout(() => {
      this.#what.abort(new NoAnswerError(ms));
    }, ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** @returns what is asked, unless that takes longer */
export async function within<T>(ms: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const asking = new AbortController();
  const patience = new Patience(asking);
  patience.begin(ms);
  try {
    return await ask(asking.signal);
  } finally {
    patience.end();
  }
}
