import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves once the condition is met; rejects if it takes too long. @param {() => boolean} isMet @param {string} what */
export async function until(isMet, what, withinMs = 8_000) {
  const endMs = performance.now() + withinMs;
  while (!isMet()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(10);
  }
}
