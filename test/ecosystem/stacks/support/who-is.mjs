import { setImmediate as aMoment } from 'node:timers/promises';

/** What the names of users begin with whose authentication never ends. */
export const undecided = 'undecided';

/**
 * Who a client is: the query says it. It takes a moment, as every real one does.
 *
 * @param {{ readonly url?: string | undefined }} request
 */
export async function authenticate({ url = '' }) {
  await aMoment();
  const query = new URL(url, 'ws://server').searchParams;
  if (query.get('user')?.startsWith(undecided)) return new Promise(() => {});
  return whoIs({ user: query.get('user'), thread: query.get('thread') });
}

/** @param {{ user?: unknown, thread?: unknown }} said @returns {{ userId: string, threadId: string } | null} */
export function whoIs({ user, thread }) {
  return typeof user === 'string' ? { userId: user, threadId: `thread_${String(thread)}` } : null;
}
