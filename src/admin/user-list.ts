import type { AlertLevel } from '../core/vocabulary.js';
import { badField } from './problems.js';
import type { CountedUser, Sorting } from './census.js';

/** What of the list is wanted. */
export interface ListRequest {
  readonly level?: AlertLevel | undefined;
  /** Part of a user id, in any case. */
  readonly search?: string | undefined;
  readonly sort: Sorting;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Where a page ended: after this rank and, of those that have it, after this id. */
interface Position {
  readonly sort: Sorting;
  readonly rank: number;
  readonly userId: string;
}

/**
 * A page of those who match, and where the next one begins.
 *
 * Why a position and no number: between two pages users come, go and change their rank; whoever stays where they were
 * is seen exactly once.
 * @throws ProblemError where the cursor is none of this list
 */
export function pageOf(users: readonly CountedUser[], { level, search, sort, limit, cursor }: ListRequest) {
  const wanted = search?.toLowerCase();
  const after = cursor === undefined ? null : readCursor(cursor, sort);
  const page = new FirstFew(limit + 1);
  let total = 0;
  for (const user of users) {
    const { alertLevel, userId } = user.resources;
    if (level !== undefined && alertLevel !== level) continue;
    if (wanted !== undefined && !userId.toLowerCase().includes(wanted)) continue;
    total += 1;
    const position = { sort, rank: user.rank, userId };
    if (after === null || compare(position, after) > 0) page.offer({ user, position });
  }
  const last = page.ranked.length > limit ? page.ranked[limit - 1] : undefined;
  return {
    users: page.ranked.slice(0, limit).map(({ user }) => user),
    total,
    nextCursor: last === undefined ? null : writeCursor(last.position),
  };
}

interface Ranked {
  readonly user: CountedUser;
  readonly position: Position;
}

/** The first so many of those offered, in order; sorting all for a page of fifty would hold up everybody else. */
class FirstFew {
  readonly ranked: Ranked[] = [];

  constructor(readonly most: number) {}

  offer(candidate: Ranked): void {
    const { ranked, most } = this;
    const last = ranked.at(-1);
    if (last !== undefined && ranked.length === most && compare(candidate.position, last.position) > 0) return;
    ranked.splice(this.#placeOf(candidate), 0, candidate);
    if (ranked.length > most) ranked.pop();
  }

  #placeOf({ position }: Ranked): number {
    let [from, to] = [0, this.ranked.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      const there = this.ranked[middle];
      if (there !== undefined && compare(there.position, position) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function compare(a: Position, b: Position): number {
  return a.rank - b.rank || compareIds(a.userId, b.userId);
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function writeCursor(position: Position): string {
  return Buffer.from(JSON.stringify([position.sort, position.rank, position.userId])).toString('base64url');
}

function readCursor(cursor: string, sort: Sorting): Position {
  const problem =
    'is no cursor of this list; take `nextCursor` of a page with the same `sort`, or none for the first page';
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(read) && read[0] === sort && typeof read[1] === 'number' && typeof read[2] === 'string')
      return { sort, rank: read[1], userId: read[2] };
  } catch {
    // Said below.
  }
  throw badField('cursor', problem);
}
