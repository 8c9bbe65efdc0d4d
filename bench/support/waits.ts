import { readFileSync } from 'node:fs';

/**
 * How long this process's main thread has been ready to run and was not, in milliseconds so far: the cores were busy
 * with others, the runtime's own helpers among them. 0 where the system does not tell (it is Linux that does, in
 * `/proc/<pid>/schedstat`).
 */
export function waitedForCpuMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
