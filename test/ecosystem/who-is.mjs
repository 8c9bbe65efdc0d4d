import { setImmediate as aMoment } from 'node:timers/promises';
import { AuthenticationError } from 'mooring';

/**
 * Who a client is: the query says it. It takes a moment, as every real one does.
 *
 * @param {{ readonly url?: string | undefined }} request
 */
export async function authenticate({ url = '' }) {
  await aMoment();
  const query = new URL(url, 'ws://server').searchParams;
  return whoIs({ user: query.get('user'), thread: query.get('thread') });
}

/** @param {{ user?: unknown, thread?: unknown }} said */
export function whoIs({ user, thread }) {
  if (typeof user !== 'string') throw new AuthenticationError('missing');
  return { userId: user, threadId: `thread_${String(thread)}` };
}
