/** Exit codes of a process ended by these signals, as shells count them. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

const exitProcess = (code: number): void => process.exit(code);

/** A signal that asks a process to stop. */
export type StopSignal = keyof typeof exitCodes;

/**
 * Calls `stop` at the first Ctrl-C or SIGTERM; the second ends the process at once.
 * @param exit ends the process
 * @returns removes the listeners
 */
export function onStopSignals(stop: (signal: StopSignal) => void, exit = exitProcess): () => void {
  let isStopping = false;
  const listener = (signal: StopSignal): void => {
    if (isStopping) {
      exit(exitCodes[signal]);
      return;
    }
    isStopping = true;
    stop(signal);
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

/**
 * The first Ctrl-C or SIGTERM ends the process at once, with the exit code that shells expect.
 * @param tidyUp runs before
 * @param exit ends the process
 * @returns removes the listeners
 */
export function exitOnStopSignals(tidyUp: () => void, exit = exitProcess): () => void {
  return onStopSignals((signal) => {
    tidyUp();
    exit(exitCodes[signal]);
  }, exit);
}

/**
 * The first Ctrl-C or SIGTERM stops a server and ends the process with 0; the second ends it at once.
 * @param stop resolves once all is closed
 */
export function stopOnSignals(stop: (signal: StopSignal) => Promise<void>): void {
  onStopSignals((signal) => void stop(signal).then(() => process.exit(0)));
}
