import type { EventRowsByName } from '../event-row.js';
import { coreEvents, type JournalledEventName } from '../event-table.js';
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

/** How many entries are kept for each user, so that one with many events does not displace the others. */
export const maxPerUser = 100;

/** Estimated bytes: of a user with a journal, of an entry without its text, and of an item of a list at least. */
const userBytes = 320;
const entryBytes = 280;
const itemBytes = 120;

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
 * The latest decisions about each user, so that operators can answer "why was I disconnected?", also for users without a
 * connection. It takes at most a given number of bytes: the users whose last entry is oldest are removed first.
 *
 * Why by user and not one ring: a user who reconnects in a loop would displace the entries of all others.
 */
export class Journal {
  /** How many bytes it may take; 0: nothing is kept. */
  readonly maxBytes: number;
  readonly #byUser = new ShardedMap<UserJournal>();
  #newest: UserJournal | null = null;
  #oldest: UserJournal | null = null;
  #bytes = 0;

  /** @param maxBytes as estimated; the estimate is too high rather than too low */
  constructor(events: EventStream, maxBytes: number, rows: EventRowsByName = coreEvents) {
    this.maxBytes = maxBytes;
    if (maxBytes === 0) return;
    for (const name of journalledIn(rows))
      events.on(name, (event) => {
        if (isOfUser(event) && isWorthKeeping(event)) this.#note(event);
      });
  }

  get isKept(): boolean {
    return this.maxBytes > 0;
  }

  /** About how many bytes it takes now. */
  get bytes(): number {
    return this.#bytes;
  }

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

/** An operator's action may concern no user. */
function isOfUser(event: MooringEvent<JournalledEventName>): event is JournalEntry {
  return event.userId !== null;
}

/** A user who stays at a high level is cleaned up in every cycle: only cleanups that released managers are kept. */
function isWorthKeeping(event: JournalEntry): boolean {
  return event.type !== 'cleanup.completed' || event.trigger !== 'level' || event.cleaned > 0;
}

/** The estimated size of the event object with its strings, and of its place in the list. */
function bytesOf(entry: JournalEntry): number {
  let bytes = entryBytes;
  // Entries of a type share its name, and those of a user the id, which is counted with the user.
  for (const [name, value] of Object.entries(entry))
    if (name !== 'type' && name !== 'userId') bytes += textBytesOf(value);
  return bytes;
}

/** The estimated size of all text in a field. */
function textBytesOf(value: unknown): number {
  if (typeof value === 'string') return 2 * value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + Math.max(itemBytes, textBytesOf(item)), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + textBytesOf(item), 0);
}
