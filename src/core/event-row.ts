/** What a row of the tables of events is made of. */

/** The first field of an event about a user. */
export interface OfUser {
  readonly userId: string;
}

/** The first fields of an event about one of a user's managers. */
export interface OfKey {
  readonly userId: string;
  readonly threadId: string;
  readonly key: string;
}

/** The first fields of an event about a manager, or its socket, that was released and should be gone. */
export type Leak = OfKey & {
  /** Stack frames of the code that admitted it, the nearest first; if it had to wait, of the code that made room for it. */
  readonly admittedBy: readonly string[];
};

/** Carries the fields of an event as a type; at run time it is empty. */
export interface Fields<T extends object> {
  readonly of?: T;
}

const noFields = Object.freeze({});

/** The fields of an event, for its row. */
export function fields<T extends object>(): Fields<T> {
  return noFields;
}

/** The level of an event in a log. */
export type Severity = 'debug' | 'info' | 'warn' | 'error';

/** One kind of event. Log, journal, metrics and reference take everything about it from its row. */
export interface EventRow {
  readonly fields: Fields<object>;
  readonly severity: Severity;
  /**
   * Whether a log leaves out lines if there are too many of this kind, so that no client can fill a disk. `false` is for
   * events that clients cannot cause.
   * @default true
   */
  readonly isSampled?: false;
  /** Whether the journal of the user keeps it. @default false */
  readonly isJournalled?: true;
  /** When it is emitted: a sentence or two, for the reference. */
  readonly about: string;
}

/** Rows by the name of the event. */
export type EventRowsByName = Readonly<Record<string, EventRow>>;
