import type { ContextFields } from '../core/identity/user-execution-context.js';

/**
 * Believes whatever the query says: `?user_id=alice&thread_id=thread_1`. For demos and tests only, since anybody can be
 * anybody. What is missing is refused by its rule.
 *
 * @example
 * attach(server, { mooring: createMooring(), authenticate: anonymous });
 */
export function anonymous({ url }: { readonly url?: string | undefined }): ContextFields {
  const query = new URLSearchParams(url?.split('?', 2)[1]);
  return { userId: query.get('user_id') ?? '', threadId: query.get('thread_id') ?? '' };
}
