import { parseClaim, type StoredClaim } from './claims.js';

/** What a script answers: texts and whole numbers, in one list. */
export type Reply = readonly (string | number)[];

/** The epoch of the caller is not alive: nothing was done. */
export interface Unknown {
  readonly kind: 'unknown';
}

/** The state of a partition, in milliseconds. */
interface ServerState {
  /** The clock by which silence is judged: that of Redis without the gaps in which nobody beat. */
  readonly clockMs: number;
  /** Redis's time. */
  readonly nowMs: number;
  /** What Redis calls its run id: after a restart or a failover it is another one. */
  readonly runId: string;
  /** The id of the last entry of the log; empty if there is none. */
  readonly lastId: string;
}

export interface RegisterReply extends ServerState {
  /** `taken`: the epoch is there already. */
  readonly kind: 'ok' | 'taken';
  /** That of the process which registered before; `null` if none has, or it cannot be read. */
  readonly otherLimit: number | null;
}

/** An entry of the log. The value `t` says what it tells; the others depend on it, and another version may have more. */
export interface LogEntry {
  readonly id: string;
  readonly values: ReadonlyMap<string, string>;
}

export interface BeatReply extends ServerState {
  readonly kind: 'ok';
  readonly unknownEpochs: readonly string[];
  /** The id of the first entry of the log; empty if there is none. */
  readonly firstId: string;
  /** The first entries after the cursor, at most 200. */
  readonly entries: readonly LogEntry[];
}

/** The slots under one epoch. */
export interface HoldingEpoch {
  readonly epoch: string;
  readonly slots: number;
  /** How long ago its last beat is, by the clock of the partition. */
  readonly silentMs: number;
}

/** `total`: the slots of the user that are live or cannot be read. */
export type AcquireReply =
  | Unknown
  | { readonly kind: 'granted'; readonly total: number }
  | { readonly kind: 'takes'; readonly total: number; readonly holder: StoredClaim }
  /** A claim of the thread is newer. */
  | { readonly kind: 'behind'; readonly stampMs: number }
  | { readonly kind: 'contested'; readonly total: number }
  | { readonly kind: 'full'; readonly total: number; readonly elsewhere: readonly HoldingEpoch[] };

export type CommitReply = Unknown | { readonly kind: 'held' | 'lost' | 'absent'; readonly total: number };

export type ReleaseReply = Unknown | { readonly kind: 'ok'; readonly total: number };

export type ExchangeReply = Unknown | { readonly kind: 'exchanged' | 'gone'; readonly total: number };

/** `lost`: which of the claims, counted from 0. */
export type AssertReply = Unknown | { readonly kind: 'ok'; readonly lost: readonly number[] };

export type VerifyReply = Unknown | { readonly kind: 'held' | 'pending' | 'lost' };

export interface LeaveReply {
  readonly kind: 'ok';
  readonly removed: number;
}

/** Replies as objects. Each throws an Error if the reply is none of its script. */
export const decode = Object.freeze({
  register(reply: Reply): RegisterReply {
    const reader = new Reader(reply);
    const kind = reader.oneOf('ok', 'taken');
    const state = { ...serverState(reader), lastId: reader.text() };
    return reader.ends({ kind, ...state, otherLimit: limit(reader) });
  },
  beat(reply: Reply): BeatReply {
    const reader = new Reader(reply);
    const kind = reader.oneOf('ok');
    const state = { ...serverState(reader), firstId: reader.text(), lastId: reader.text() };
    const unknownEpochs = reader.texts(reader.count());
    return { kind, ...state, unknownEpochs, entries: reader.rest(logEntry) };
  },
  acquire(reply: Reply): AcquireReply {
    const reader = new Reader(reply);
    const kind = reader.oneOf('granted', 'takes', 'behind', 'contested', 'full', 'unknown');
    if (kind === 'unknown') return reader.ends({ kind });
    if (kind === 'behind') return reader.ends({ kind, stampMs: stamp(reader) });
    const total = reader.count();
    if (kind === 'takes') return reader.ends({ kind, total, holder: claim(reader) });
    if (kind === 'full') return { kind, total, elsewhere: reader.rest(holdingEpoch) };
    return reader.ends({ kind, total });
  },
  commit(reply: Reply): CommitReply {
    return withTotal(reply, 'held', 'lost', 'absent');
  },
  release(reply: Reply): ReleaseReply {
    return withTotal(reply, 'ok');
  },
  exchange(reply: Reply): ExchangeReply {
    return withTotal(reply, 'exchanged', 'gone');
  },
  assert(reply: Reply): AssertReply {
    const reader = new Reader(reply);
    const kind = reader.oneOf('ok', 'unknown');
    return kind === 'unknown' ? reader.ends({ kind }) : { kind, lost: reader.rest((from) => from.count()) };
  },
  verify(reply: Reply): VerifyReply {
    const reader = new Reader(reply);
    return reader.ends({ kind: reader.oneOf('held', 'pending', 'lost', 'unknown') });
  },
  leave(reply: Reply): LeaveReply {
    const reader = new Reader(reply);
    const kind = reader.oneOf('ok');
    return reader.ends({ kind, removed: reader.count() });
  },
});

/** Reads a reply from its beginning. */
class Reader {
  readonly #reply: Reply;
  #next = 0;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  text(): string {
    const value = this.#take();
    return typeof value === 'string' ? value : this.#fail('a text');
  }

  texts(count: number): string[] {
    return Array.from({ length: count }, () => this.text());
  }

  count(): number {
    const value = this.#take();
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : this.#fail('a count');
  }

  oneOf<Kind extends string>(...kinds: readonly Kind[]): Kind {
    const value = this.#take();
    return kinds.find((kind) => kind === value) ?? this.#fail(kinds.join(' or '));
  }

  /** Everything that is left. */
  rest<T>(read: (reader: Reader) => T): T[] {
    const all: T[] = [];
    while (this.#next < this.#reply.length) all.push(read(this));
    return all;
  }

  /** @returns `value`, if nothing is left */
  ends<T>(value: T): T {
    return this.#next === this.#reply.length ? value : this.#fail('its end');
  }

  #take(): string | number | undefined {
    return this.#reply[this.#next++];
  }

  #fail(wanted: string): never {
    throw new Error(`a script of Redis replied ${JSON.stringify(this.#reply.slice(0, 20))}: wanted ${wanted}`);
  }
}

function serverState(reader: Reader): Omit<ServerState, 'lastId'> {
  return { clockMs: reader.count(), nowMs: reader.count(), runId: reader.text() };
}

function withTotal<Kind extends string>(
  reply: Reply,
  ...kinds: readonly Kind[]
): Unknown | { readonly kind: Kind; readonly total: number } {
  const reader = new Reader(reply);
  const kind = reader.oneOf<Kind | 'unknown'>('unknown', ...kinds);
  if (kind === 'unknown') return reader.ends({ kind: 'unknown' });
  return reader.ends({ kind, total: reader.count() });
}

/** `Infinity` is written as in JavaScript. */
function limit(reader: Reader): number | null {
  const text = reader.text();
  return text === '' || Number.isNaN(Number(text)) ? null : Number(text);
}

function stamp(reader: Reader): number {
  return parseInt(reader.text(), 36);
}

function claim(reader: Reader): StoredClaim {
  const text = reader.text();
  const parsed = parseClaim(text);
  if (parsed === null) throw new Error(`a script of Redis replied "${text}": wanted a claim`);
  return parsed;
}

function holdingEpoch(reader: Reader): HoldingEpoch {
  return { epoch: reader.text(), slots: reader.count(), silentMs: reader.count() };
}

function logEntry(reader: Reader): LogEntry {
  return { id: reader.text(), values: valuesOf(reader.texts(reader.count())) };
}

/** The values of an entry of the log, from names and values by turns. A name that comes twice has its last value. */
export function valuesOf(texts: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < texts.length; index += 2) values.set(texts[index] ?? '', texts[index + 1] ?? '');
  return values;
}
