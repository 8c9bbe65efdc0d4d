import type { AlertLevel } from '../core/vocabulary.js';
import { badField } from './problems.js';
import type { CountedUser, Sorting } from './census.js';

/** Which part of the list is wanted. */
export interface ListRequest {
  readonly level?: AlertLevel | undefined;
  /** Part of a user id, in any case. */
  readonly search?: string | undefined;
  readonly sort: Sorting;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** What decides a user's place in the list: the rank, and the id among users of the same rank. */
interface Place {
  readonly rank: number;
  readonly resources: { readonly userId: string };
}

/**
 * A page of the users that match, and the cursor of the next page.
 *
 * Why the cursor is a place and no number: between two pages users come, go and change their rank. A user that keeps its
 * rank is listed exactly once.
 * @throws ProblemError 400 if the cursor is not one of this list
 */
export function pageOf(users: readonly CountedUser[], { level, search, sort, limit, cursor }: ListRequest) {
  const wanted = search?.toLowerCase();
  const after = cursor === undefined ? null : readCursor(cursor, sort);
  const first: CountedUser[] = [];
  let total = 0;
  for (const user of users) {
    const { alertLevel, userId } = user.resources;
    if (level !== undefined && alertLevel !== level) continue;
    if (wanted !== undefined && !userId.toLowerCase().includes(wanted)) continue;
    total += 1;
    if (after === null || compare(user, after) > 0) insert(user, { into: first, max: limit + 1 });
  }
  const page = first.slice(0, limit);
  const last = first.length > limit ? page.at(-1) : undefined;
  return { users: page, total, nextCursor: last === undefined ? null : writeCursor(last, sort) };
}

/**
 * Inserts a user into a sorted list by binary search. The list keeps the first `max` users.
 *
 * Why not sort all users once: for a page of fifty that would block the event loop for too long.
 */
function insert(user: CountedUser, { into, max }: { readonly into: CountedUser[]; readonly max: number }): void {
  const last = into.at(-1);
  if (last !== undefined && into.length === max && compare(user, last) > 0) return;
  let from = 0;
  let to = into.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const there = into[middle];
    if (there !== undefined && compare(there, user) < 0) from = middle + 1;
    else to = middle;
  }
  into.splice(from, 0, user);
  if (into.length > max) into.pop();
}

function compare({ rank, resources: { userId } }: Place, other: Place): number {
  if (rank !== other.rank) return rank - other.rank;
  return userId < other.resources.userId ? -1 : Number(userId > other.resources.userId);
}

function writeCursor({ rank, resources: { userId } }: Place, sort: Sorting): string {
  return Buffer.from(JSON.stringify([sort, rank, userId])).toString('base64url');
}

function readCursor(cursor: string, sort: Sorting): Place {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(read) && read[0] === sort && typeof read[1] === 'number' && typeof read[2] === 'string')
      return { rank: read[1], resources: { userId: read[2] } };
  } catch {
    // Not JSON: the error below says so.
  }
  throw badField(
    'cursor',
    'is no cursor of this list; take `nextCursor` of a page with the same `sort`, or none for the first page',
  );
}
