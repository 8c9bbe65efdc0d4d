import type { CloseCause } from './vocabulary.js';

/** The default close code of each cause. */
export const closeCodes = {
  quota: 1013,
  capacity: 1013,
  contested: 1013,
  slow: 1013,
  silent: 1013,
  drain: 1012,
  error: 1012,
  replaced: 4409,
  evicted: 4410,
  idle: 4408,
  requested: 4412,
  malformed: 1008,
  unauthenticated: 4401,
  authentication: 1011,
  closed: 1000,
  unattached: 1013,
  unavailable: 1013,
} as const satisfies Record<CloseCause, number>;

/** Other codes for some causes, or the name of a profile. */
export type CloseCodes = Partial<Record<CloseCause, number>> | 'graphql-ws';

/**
 * Codes for clients that do not know those of Mooring. The client of `graphql-ws` takes 4409 for final, 4408, 4410 and 4412
 * for passing, and 1011 for final.
 */
const closeCodeProfiles = Object.freeze({
  'graphql-ws': { idle: 4409, evicted: 4409, requested: 4409, authentication: 1013 },
}) satisfies Readonly<Record<Extract<CloseCodes, string>, Partial<Record<CloseCause, number>>>>;

export const closeCodeProfileNames = Object.keys(closeCodeProfiles) as (keyof typeof closeCodeProfiles)[];

/** A close frame. Its reason has at most 123 bytes, and is made for programs to read. */
export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** What a close reason can tell in addition to its cause. */
export interface CloseDetail {
  /** When to come back, in milliseconds. The reason has it in seconds with two decimals, rounded up. */
  readonly retryAfterMs?: number;
  /** The user's limit. `Infinity` is left out of the reason. */
  readonly max?: number;
  /** The words instead of the cause's own name, e.g. `expired` for credentials. */
  readonly text?: string;
}

/** The close frame for a cause, e.g. `1013 quota;retry=30.25;max=20`. */
export function closeFrame(cause: CloseCause, detail: CloseDetail = {}, profile: CloseCodes = {}): CloseFrame {
  const codes: Partial<Record<CloseCause, number>> = typeof profile === 'string' ? closeCodeProfiles[profile] : profile;
  const parts = [detail.text ?? cause];
  if (detail.retryAfterMs !== undefined) parts.push(`retry=${inSeconds(detail.retryAfterMs)}`);
  if (detail.max !== undefined && detail.max < Infinity) parts.push(`max=${String(detail.max)}`);
  return { code: codes[cause] ?? closeCodes[cause], reason: withinCloseReason(parts.join(';')) };
}

/** With decimals, since clients that were refused together would come back together in the same whole second. */
function inSeconds(valueMs: number): string {
  return (Math.ceil(valueMs / 10) / 100).toFixed(2);
}

/** The longest reason a close frame can carry, in bytes (RFC 6455, 5.5: 125 less the code). */
const maxReasonBytes = 123;

function withinCloseReason(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Length(character.codePointAt(0) ?? 0);
    if (bytes > maxReasonBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
