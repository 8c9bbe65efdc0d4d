/** Exit codes of a process ended by these signals, as shells count them. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that asks a process to stop. */
export type StopSignal = keyof typeof exitCodes;

/**
 * The first Ctrl-C or SIGTERM stops in good order; the second ends the process at once.
 * @param stop what stopping means
 * @param exit ends the process
 * @returns takes the listeners back
 */
export function onStopSignals(stop: (signal: StopSignal) => void, exit: (code: number) => void): () => void {
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
 * The first Ctrl-C or SIGTERM ends the process at once, as shells expect it.
 * @param tidyUp runs before
 * @param exit ends the process
 * @returns takes the listeners back
 */
export function exitOnStopSignals(tidyUp: () => void, exit: (code: number) => void): () => void {
  return onStopSignals((signal) => {
    tidyUp();
    exit(exitCodes[signal]);
  }, exit);
}
