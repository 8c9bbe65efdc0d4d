import { epochOf, parseClaim, type StoredClaim } from '../../../src/redis/claims.js';
import { streamIdParts } from '../../../src/redis/stream-ids.js';
import {
  isOlderClaim,
  isSameClaim,
  parseSlot,
  printSlot,
  printStamp,
  refreshed,
  type Slot,
  userIdOf,
} from './stored.js';

/** An entry of the log of a partition. */
export interface StoredEntry {
  /** As in a stream of Redis: milliseconds, a hyphen and a number. */
  readonly id: string;
  /** Names and values, by turns. */
  readonly texts: readonly string[];
}

/** Everything that Redis stores of a partition. Plain: `structuredClone` makes a snapshot of it. */
export interface PartitionState {
  /** The clock when it was stored, in milliseconds. */
  clockMs: number;
  /** When it was stored, in Redis's time; `null` if it was never stored, or is lost. */
  lastMs: number | null;
  /** Epochs, and the clock at the last beat of each. */
  readonly epochs: Map<string, number>;
  readonly log: StoredEntry[];
  /** That of the process which registered last, as text; empty if none has. */
  limit: string;
  /** Users, their threads' fields, and the slot of each as text. */
  readonly users: Map<string, Map<string, string>>;
}

export function emptyPartition(): PartitionState {
  return { clockMs: 0, lastMs: null, epochs: new Map(), log: [], limit: '', users: new Map() };
}

/** A slot without the dead. `parsed` is `null` if the format is unknown: it is occupied. */
export interface LiveSlot {
  readonly text: string;
  readonly parsed: Slot | null;
}

/** The live slots of a user. */
export interface UserSlots {
  readonly userId: string;
  readonly slots: Map<string, LiveSlot>;
  /** What is to be written for the dead: another text, or `null` for nothing. */
  readonly stale: Map<string, string | null>;
}

/** A claim of a thread. */
export interface ThreadClaim {
  readonly field: string;
  readonly claim: StoredClaim;
}

/** What every call begins with. */
export interface CallHead {
  readonly ownEpoch: string;
  readonly beatMs: number;
  readonly nodeTimeoutMs: number;
  /** Redis's time. */
  readonly nowMs: number;
}

/** Redis keeps some more, since it drops whole pieces of a stream. */
const maxLog = 4_096;

/** A partition during one call: what `lua/prelude.lua` and `lua/slots.lua` have, under the same names. */
export class QuotaPartition {
  readonly state: PartitionState;
  readonly head: CallHead;
  readonly clockMs: number;

  constructor(state: PartitionState, head: CallHead) {
    this.state = state;
    this.head = head;
    this.clockMs = clockAt(state, head);
  }

  /** How long an epoch was silent, in milliseconds; `null` if it is dead. */
  silenceOf(epoch: string): number | null {
    const score = this.state.epochs.get(epoch);
    if (score === undefined) return null;
    const silentMs = this.clockMs - score;
    return silentMs >= this.head.nodeTimeoutMs ? null : Math.max(silentMs, 0);
  }

  isAlive(epoch: string): boolean {
    return this.silenceOf(epoch) !== null;
  }

  /** The live slots of a user. Changes nothing. */
  readUser(key: string): UserSlots {
    const userId = userIdOf(key);
    if (userId === null) throw new TypeError(`got "${key}", wanted the key of a user`);
    const user: UserSlots = { userId, slots: new Map(), stale: new Map() };
    for (const [field, text] of this.state.users.get(userId) ?? []) {
      const slot = this.#liveSlot(text);
      if (slot !== null) user.slots.set(field, slot);
      if (slot?.text !== text) user.stale.set(field, slot?.text ?? null);
    }
    return user;
  }

  /** As {@link readUser}, and the dead are dropped. */
  readLiving(key: string): UserSlots {
    const user = this.readUser(key);
    for (const [field, text] of user.stale) {
      if (text === null) this.#delete(user.userId, field);
      else this.#set(user.userId, field, text);
    }
    return user;
  }

  putSlot(user: UserSlots, field: string, slot: Slot): void {
    const text = printSlot(slot);
    if (user.slots.get(field)?.text === text) return;
    this.#set(user.userId, field, text);
    user.slots.set(field, { text, parsed: slot });
  }

  removeSlot(user: UserSlots, field: string): void {
    this.#delete(user.userId, field);
    user.slots.delete(field);
  }

  /**
   * The one rule of takeovers, for a thread whose slot can be read: the later stamp wins, and an open claim is the
   * holder. Each claim that loses its place is told `moved`.
   * @returns whether the claim is holder or pending now
   */
  place(user: UserSlots, { field, claim }: ThreadClaim, isOpen: boolean): boolean {
    const slot = user.slots.get(field)?.parsed ?? null;
    if (slot === null) throw new TypeError(`got the thread "${field}", wanted one whose slot can be read`);
    const { next, moved } = placed(slot, claim, isOpen);
    if (next === null) return false;
    this.putSlot(user, field, next);
    for (const loser of moved) this.tellClaim('moved', user, { field, claim: loser });
    return true;
  }

  tell(...texts: readonly string[]): void {
    const { log } = this.state;
    log.push({ id: nextId(log.at(-1)?.id ?? null, this.head.nowMs), texts });
    if (log.length > maxLog) log.shift();
  }

  tellClaim(name: 'moved' | 'granted', { userId }: UserSlots, { field, claim }: ThreadClaim): void {
    this.tell('t', name, 'u', userId, 'f', field, 'p', claim.processId, 'c', printStamp(claim.stampMs));
  }

  /**
   * Tells the others that hold slots of the user if the total has crossed a level, upwards or downwards.
   * @param levels totals, with commas between them
   */
  tellTotal({ userId, slots }: UserSlots, before: number, levels: string): void {
    const [low, high] = [Math.min(before, slots.size), Math.max(before, slots.size)];
    const isCrossed = listed(levels).some((level) => low < Number(level) && Number(level) <= high);
    if (isCrossed && this.#isSharedWithOthers(slots)) this.tell('t', 'total', 'u', userId, 'n', String(slots.size));
  }

  #isSharedWithOthers(slots: UserSlots['slots']): boolean {
    return [...slots.values()].some(({ parsed }) => parsed?.holder.processId !== this.head.ownEpoch.slice(0, 8));
  }

  #liveSlot(text: string): LiveSlot | null {
    const stored = parseSlot(text);
    if (stored === null) return { text, parsed: null };
    const [holder, pending = null] = [stored.holder, stored.pending].filter(
      (claim) => claim !== null && this.isAlive(epochOf(claim)),
    );
    if (holder === undefined || holder === null) return null;
    const parsed = { holder, pending };
    return { text: printSlot(parsed), parsed };
  }

  #set(userId: string, field: string, text: string): void {
    const fields = this.state.users.get(userId) ?? new Map<string, string>();
    fields.set(field, text);
    this.state.users.set(userId, fields);
  }

  #delete(userId: string, field: string): void {
    const fields = this.state.users.get(userId);
    fields?.delete(field);
    if (fields?.size === 0) this.state.users.delete(userId);
  }
}

/** What becomes of a slot, and who loses its place, the first to be told first. `next`: `null` if the claim lost. */
interface Placed {
  readonly next: Slot | null;
  readonly moved: readonly StoredClaim[];
}

function placed({ holder, pending }: Slot, claim: StoredClaim, isOpen: boolean): Placed {
  if (isSameClaim(claim, holder)) return { next: { holder: refreshed(holder, claim), pending }, moved: [] };
  if (pending !== null && isSameClaim(claim, pending)) {
    const successor = refreshed(pending, claim);
    if (isOpen) return { next: { holder: successor, pending: null }, moved: [holder] };
    return { next: { holder, pending: successor }, moved: [] };
  }
  if (isOlderClaim(claim, holder)) return { next: null, moved: [] };
  if (pending !== null && isOlderClaim(claim, pending)) {
    return isOpen ? { next: { holder: claim, pending }, moved: [holder] } : { next: null, moved: [] };
  }
  const replaced = pending === null ? [] : [pending];
  if (isOpen) return { next: { holder: claim, pending: null }, moved: [...replaced, holder] };
  return { next: { holder, pending: claim }, moved: replaced };
}

/** The parts of a list with commas. */
export function listed(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

/** Claims are parsed by the caller of a script, so that a malformed one is its mistake. @throws TypeError */
export function claimIn(text: string | undefined): StoredClaim {
  const claim = parseClaim(text ?? '');
  if (claim === null) throw new TypeError(`got "${String(text)}", wanted a claim`);
  return claim;
}

function clockAt({ clockMs, lastMs, epochs }: PartitionState, { nowMs, beatMs }: CallHead): number {
  if (lastMs === null) return Math.max(0, ...epochs.values());
  return clockMs + Math.min(Math.max(nowMs - lastMs, 0), 2 * beatMs);
}

function nextId(last: string | null, nowMs: number): string {
  const [ms, sequence] = streamIdParts(last ?? '0-0');
  return nowMs > ms ? `${nowMs}-0` : `${ms}-${sequence + 1}`;
}
