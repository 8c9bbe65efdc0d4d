import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Stage } from './person.js';
import type { Told } from './population-process.js';

export interface Population {
  /** Ends their process, if it has not ended; resolves when it is gone. */
  stop(): Promise<void>;
}

interface PopulationListener {
  readonly tell: (told: Told) => void;
  /** The process of the users ended, though it was not stopped. */
  readonly whenLost: (why: string) => void;
}

const graceMs = 1_000;

/**
 * Starts the users of the demo, in a process of their own, so that their work does not count as the server's. That
 * process ends with this one, however this one ends, since its channel closes.
 * @param stage the WebSocket server
 */
export function startPopulation(stage: Omit<Stage, 'tell'>, { tell, whenLost }: PopulationListener): Population {
  const file = join(import.meta.dirname, 'population-process.js');
  const child = fork(file, [stage.url, stage.threadIdPrefix], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let isStopping = false;
  child.on('message', (told: Told) => {
    tell(told);
  });
  child.once('error', (error) => {
    whenLost(error.message);
  });
  child.once('exit', (code, signal) => {
    if (!isStopping) whenLost(signal ?? `exit code ${code ?? 0}`);
  });
  const stop = async (): Promise<void> => {
    isStopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (child.connected) child.disconnect();
    // A process that was paused with SIGSTOP does not notice the disconnect.
    const killing = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(killing);
  };
  return { stop };
}
