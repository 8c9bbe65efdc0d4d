// @ts-check
// Stands for a language model: it thinks aloud, one word after another, until it is done or told to stop.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param {string} question
 * @param {{ signal: AbortSignal, delayMs?: number }} options
 * @returns {AsyncGenerator<string, void>} rejects with an `AbortError` once the signal is aborted
 */
export async function* answer(question, { signal, delayMs = 50 }) {
  for (const token of wordsAbout(question)) {
    await sleep(delayMs, undefined, { signal });
    yield token;
  }
}

/** @param {string} question */
function wordsAbout(question) {
  const steps = Array.from(
    { length: 12 },
    (_, i) => `Step ${i + 1}: look at part ${i + 1} of the question and note what it needs.`,
  );
  return `You asked: ${question}\n${steps.join('\n')}\nThat is all that I know about it.`.match(/\S+\s*/g) ?? [];
}
