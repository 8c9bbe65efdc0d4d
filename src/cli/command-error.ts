/** Exit codes of commands. */
export const exitCodes = Object.freeze({ ok: 0, trouble: 1, usage: 2, unreachable: 3 });

/** Ends a command with a message for the user and an exit code for scripts. */
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
