import type { ContextFields } from '../core/identity/user-execution-context.js';

/**
 * An `authenticate` that takes user and thread from the query, unchecked: `?user_id=alice&thread_id=thread_1`. For demos
 * and tests only, since every client can pretend to be any user. If one is missing, the client is closed with 1008.
 *
 * @example
 * attach(server, { mooring: createMooring(), authenticate: anonymous });
 */
export function anonymous({ url }: { readonly url?: string | undefined }): ContextFields {
  const query = new URLSearchParams(url?.split('?', 2)[1]);
  return { userId: query.get('user_id') ?? '', threadId: query.get('thread_id') ?? '' };
}
