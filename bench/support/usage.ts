import { collect } from './case.js';

/** Microseconds of CPU time of this process, in user and system mode. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Bytes in use on the heap, and external bytes that it holds, after a collection. */
export function bytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
