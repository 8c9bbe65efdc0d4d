import { randomUUID } from 'node:crypto';
import type { ContextFields } from '../../src/index.js';

/** Managers per user, unless a case says otherwise. */
const managersPerUser = 5;

/** Ids one after the other: the user's, the thread's, the next user's… */
export type Ids = string[];

/**
 * Users with five threads each. Ids are as long as those of real systems (36 and 43 characters), and flat: `randomUUID`
 * gives strings made of pieces, whose extra memory would be counted.
 */
export function idsFor(managers: number): Ids {
  const ids = new Array<string>(2 * managers).fill('');
  for (let index = 0; index < managers; index++) {
    ids[2 * index] = index % managersPerUser === 0 ? flat(randomUUID()) : (ids[2 * index - 2] ?? '');
    ids[2 * index + 1] = flat(`thread_${randomUUID()}`);
  }
  return ids;
}

/** The context of the manager with this number. */
export function fieldsAt(ids: Ids, index: number): ContextFields {
  return { userId: ids[2 * index] ?? '', threadId: ids[2 * index + 1] ?? '' };
}

function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
