import type { IncomingMessage } from 'node:http';

/** The user and thread of a request, such as `/?user_id=alice&thread_id=thread_1`. */
export function whoIs({ url }: IncomingMessage): { userId: string; threadId: string } {
  const parameters = new URLSearchParams(url?.slice(url.indexOf('?') + 1));
  return { userId: parameters.get('user_id') ?? '', threadId: parameters.get('thread_id') ?? '' };
}
