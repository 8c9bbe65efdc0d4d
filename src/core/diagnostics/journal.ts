import { coreEvents, type EventRowsByName, type JournalledEventName } from '../event-table.js';
import type { EventStream, MooringEvent } from '../events.js';
import { ShardedMap } from '../sharded-map.js';

/** An entry of a journal. */
export type JournalEntry = MooringEvent<JournalledEventName> & { readonly userId: string };

/** The names of the events that a journal keeps. */
export function journalledIn(rows: EventRowsByName): readonly JournalledEventName[] {
  return Object.entries(rows)
    .filter(([, { isJournalled = false }]) => isJournalled)
    .map(([name]) => name as JournalledEventName);
}

/** How many entries of one user are kept, so that a user with many events does not push the others out. */
export const maxPerUser = 100;

/** Bytes of a user with a journal, the place in the map included, and of an entry besides its text. */
const userBytes = 320;
const entryBytes = 280;
const errorFrameBytes = 120;

/** One user's entries, oldest first, and its neighbours by when they were last written to. */
class UserJournal {
  readonly entries: JournalEntry[] = [];
  bytes: number;
  newer: UserJournal | null = null;
  older: UserJournal | null = null;

  constructor(readonly userId: string) {
    this.bytes = userBytes + 2 * userId.length;
  }
}

/**
 * The latest decisions about each user, so that "why was I disconnected?" has an answer, also for users who have no
 * connection any longer. It takes at most a given number of bytes; users without news for the longest time are forgotten
 * first.
 *
 * Why by user and not one ring: a user who reconnects in a loop would flush the entries of all others.
 */
export class Journal {
  /** How many bytes it may take; 0: nothing is kept. */
  readonly maxBytes: number;
  readonly #byUser = new ShardedMap<UserJournal>();
  #newest: UserJournal | null = null;
  #oldest: UserJournal | null = null;
  #bytes = 0;

  /** @param maxBytes estimated, from above */
  constructor(events: EventStream, maxBytes: number, rows: EventRowsByName = coreEvents) {
    this.maxBytes = maxBytes;
    if (maxBytes === 0) return;
    for (const name of journalledIn(rows))
      events.on(name, (event) => {
        if (isOfUser(event) && saysSomething(event)) this.#note(event);
      });
  }

  /** Whether anything is kept. */
  get isKept(): boolean {
    return this.maxBytes > 0;
  }

  /** About how many bytes it takes now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Users with entries. */
  get userCount(): number {
    return this.#byUser.size;
  }

  /** The user's entries, oldest first; empty for an unknown user. */
  of(userId: string): readonly JournalEntry[] {
    return this.#byUser.get(userId)?.entries ?? [];
  }

  #note(entry: JournalEntry): void {
    const journal = this.#journalOf(entry.userId);
    this.#makeNewest(journal);
    journal.entries.push(entry);
    this.#grow(journal, bytesOf(entry));
    if (journal.entries.length > maxPerUser) this.#dropFirst(journal);
    while (this.#bytes > this.maxBytes && this.#oldest !== null) this.#forget(this.#oldest);
  }

  #journalOf(userId: string): UserJournal {
    const existing = this.#byUser.get(userId);
    if (existing !== undefined) return existing;
    const journal = new UserJournal(userId);
    this.#byUser.set(userId, journal);
    this.#bytes += journal.bytes;
    return journal;
  }

  #grow(journal: UserJournal, bytes: number): void {
    journal.bytes += bytes;
    this.#bytes += bytes;
  }

  #dropFirst(journal: UserJournal): void {
    const dropped = journal.entries.shift();
    if (dropped !== undefined) this.#grow(journal, -bytesOf(dropped));
  }

  #forget(journal: UserJournal): void {
    this.#unlink(journal);
    this.#byUser.delete(journal.userId);
    this.#bytes -= journal.bytes;
  }

  #makeNewest(journal: UserJournal): void {
    if (this.#newest === journal) return;
    this.#unlink(journal);
    journal.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = journal;
    this.#newest = journal;
    this.#oldest ??= journal;
  }

  #unlink(journal: UserJournal): void {
    const { newer, older } = journal;
    if (newer !== null) newer.older = older;
    if (older !== null) older.newer = newer;
    if (this.#newest === journal) this.#newest = older;
    if (this.#oldest === journal) this.#oldest = newer;
    journal.newer = null;
    journal.older = null;
  }
}

/** An operator's action may concern no user in particular. */
function isOfUser(event: MooringEvent<JournalledEventName>): event is JournalEntry {
  return event.userId !== null;
}

/** A level that stays acts in every cycle. If it released none, there is nothing new to tell. */
function saysSomething(event: JournalEntry): boolean {
  return event.type !== 'cleanup.completed' || event.trigger !== 'level' || event.cleaned > 0;
}

/** From above: the event object with its fields, its own strings, and its place in the list. */
function bytesOf(entry: JournalEntry): number {
  let bytes = entryBytes;
  if ('threadId' in entry) bytes += 2 * (entry.threadId.length + entry.key.length);
  if ('error' in entry) bytes += 2 * entry.error.length;
  if ('admittedBy' in entry) bytes += entry.admittedBy.length * errorFrameBytes;
  return bytes;
}
