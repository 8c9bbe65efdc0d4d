import { createHash } from 'node:crypto';

/**
 * A claim on a slot, as Redis stores it: `P r c k` without spaces, 19 characters of `0-9a-z`. All processes that share a
 * quota must read the same format, so it never changes; a later one is another format.
 */
export interface StoredClaim {
  /** `P`: the process, 8 random characters of `0-9a-z`. */
  readonly processId: string;
  /** `r`: counts the epochs of the process, from 0 to 1,295 and round again. */
  readonly rotation: number;
  /** `c`: when it was made, in milliseconds of Redis's time; below 36 ** 8. Rises with each claim of a process. */
  readonly stampMs: number;
  /** `k`: how many takeovers between processes came before it, each soon after the last; from 0 to 35. */
  readonly takeovers: number;
}

const widths = Object.freeze({ process: 8, rotation: 2, stamp: 8, takeovers: 1 });
const claimFormat = /^[0-9a-z]{19}$/;
const processIdFormat = /^[0-9a-z]{8}$/;

/** Thread ids of more bytes are stored as a digest: a listpack of Redis takes values of at most 64 bytes. */
const maxThreadBytes = 48;
const digestMark = '~';

/** @returns `null` if it is no claim in the format that this version knows */
export function parseClaim(text: string): StoredClaim | null {
  if (!claimFormat.test(text)) return null;
  return {
    processId: text.slice(0, 8),
    rotation: parseInt(text.slice(8, 10), 36),
    stampMs: parseInt(text.slice(10, 18), 36),
    takeovers: parseInt(text.slice(18), 36),
  };
}

/** @throws RangeError if a part of the claim does not fit the format */
export function printClaim({ processId, rotation, stampMs, takeovers }: StoredClaim): string {
  if (!processIdFormat.test(processId)) throw new RangeError(`processId: got "${processId}", wanted 8 of 0-9a-z`);
  return (
    processId + base36(rotation, widths.rotation) + base36(stampMs, widths.stamp) + base36(takeovers, widths.takeovers)
  );
}

/**
 * What a process is called while it lives and keeps one rotation: its claims are worth something as long as its epoch
 * is alive. 10 characters.
 * @throws RangeError if the rotation does not fit the format
 */
export function epochOf({ processId, rotation }: Pick<StoredClaim, 'processId' | 'rotation'>): string {
  return processId + base36(rotation, widths.rotation);
}

/** The field of a thread in the hash of its user: the thread id, or a digest of it if it is long. */
export function threadField(threadId: string): string {
  if (Buffer.byteLength(threadId) <= maxThreadBytes && !threadId.startsWith(digestMark)) return threadId;
  return digestMark + createHash('sha256').update(threadId).digest('base64url').slice(0, 22);
}

function base36(value: number, width: number): string {
  if (Number.isInteger(value) && value >= 0 && value < 36 ** width) return value.toString(36).padStart(width, '0');
  throw new RangeError(`got ${value}, wanted a whole number from 0 to ${36 ** width - 1}`);
}
