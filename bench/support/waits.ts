import { readFileSync } from 'node:fs';

/**
 * How long this process's main thread has waited for a CPU, in milliseconds so far: the cores were busy
 * with other threads, such as the runtime's own helpers. 0 if the system does not report it (Linux does, in
 * `/proc/<pid>/schedstat`).
 */
export function waitedForCpuMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
