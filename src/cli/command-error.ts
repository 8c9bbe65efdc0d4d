/** What a command exits with. */
export const exitCodes = Object.freeze({ ok: 0, trouble: 1, usage: 2, unreachable: 3 });

/** Ends a command: a sentence or two for the person, and the exit code for their script. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  /** @param exitCode one of {@link exitCodes} */
  constructor(
    message: string,
    readonly exitCode: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
