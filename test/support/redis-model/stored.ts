/**
 * What Redis stores, as the model reads and writes it. A ledger needs none of this: only scripts look into slots, by
 * `src/redis/lua/slots.lua`.
 */

import { parseClaim, printClaim, type StoredClaim } from '../../../src/redis/claims.js';

/** What a field in the hash of a user stores. */
export interface Slot {
  readonly holder: StoredClaim;
  /** The successor, whose connection is not open yet. */
  readonly pending: StoredClaim | null;
}

/** Epochs are numbered from 0 to one less than this, and then from 0 again. */
const rotations = 36 ** 2;

const claimLength = 19;

/** @returns `null` if the format is unknown: such a slot is occupied, and nobody changes it */
export function parseSlot(text: string): Slot | null {
  const holder = parseClaim(text.slice(0, claimLength));
  if (text.length === claimLength) return holder && { holder, pending: null };
  const pending = text[claimLength] === '>' ? parseClaim(text.slice(claimLength + 1)) : null;
  return holder && pending && { holder, pending };
}

/** @throws RangeError as {@link printClaim} */
export function printSlot({ holder, pending }: Slot): string {
  return pending === null ? printClaim(holder) : `${printClaim(holder)}>${printClaim(pending)}`;
}

/** A claim's stamp as it is stored. */
export function printStamp(stampMs: number): string {
  return stampMs.toString(36).padStart(8, '0');
}

/** Whether both are the same claim, in whatever rotation. */
export function isSameClaim(one: StoredClaim, other: StoredClaim): boolean {
  return one.processId === other.processId && one.stampMs === other.stampMs;
}

/** Whether `one` was made before `other`. Of claims with equal stamps that of the process with the lower id is older. */
export function isOlderClaim(one: StoredClaim, other: StoredClaim): boolean {
  if (one.stampMs !== other.stampMs) return one.stampMs < other.stampMs;
  return one.processId < other.processId;
}

/** The stored claim with the rotation of the call. A call of an earlier rotation has come late, and changes nothing. */
export function refreshed(stored: StoredClaim, { rotation }: StoredClaim): StoredClaim {
  const ahead = (rotation - stored.rotation + rotations) % rotations;
  return ahead >= rotations / 2 ? stored : { ...stored, rotation };
}

/** The user of a key that `KeySpace.user` has made; `null` for another key. */
export function userIdOf(key: string): string | null {
  return /^[^}]*}:u:([^]*)$/.exec(key)?.[1] ?? null;
}
