import { describe, expect, it } from 'vitest';
import { shouldReconnect } from '../../src/client/should-reconnect.js';
import { closeCodes, closeFrame } from '../../src/core/close-codes.js';
import type { CloseCause } from '../../src/core/vocabulary.js';

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

describe('the close code', () => {
  const table: Record<CloseCause, number> = {
    quota: 1013,
    capacity: 1013,
    contested: 1013,
    slow: 1013,
    silent: 1013,
    unattached: 1013,
    unavailable: 1013,
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
  };

  it('of every cause is in the table below', () => {
    expect(Object.keys(table).toSorted()).toEqual(Object.keys(closeCodes).toSorted());
  });

  it.each(Object.entries(table) as [CloseCause, number][])('of %s is %i, and its name is the reason', (cause, code) => {
    expect(closeFrame(cause)).toEqual({ code, reason: cause });
  });

  it('can be another one, cause by cause', () => {
    const profile = { idle: 4000 };
    expect(closeFrame('idle', {}, profile).code).toBe(4000);
    expect(closeFrame('evicted', {}, profile).code).toBe(4410);
  });

  // The client of graphql-ws 6 comes back after 1012, 1013 and 44xx but 4401 and 4409, and after no other 1xxx but 1001.
  it.each(Object.keys(table) as CloseCause[])('of %s tells the client of graphql-ws what it tells others', (cause) => {
    const { code, reason } = closeFrame(cause, {}, 'graphql-ws');
    const isFinal = code < 4000 ? ![1012, 1013].includes(code) : [4401, 4409].includes(code);
    expect(isFinal).toBe(!shouldReconnect({ code: closeCodes[cause], reason }).retry);
  });
});

describe('the close reason', () => {
  it.each([
    [{ retryAfterMs: 30_250, max: 20 }, 'quota;retry=30.25;max=20'],
    [{ retryAfterMs: 7_000 }, 'quota;retry=7.00'],
    [{ max: 0 }, 'quota;max=0'],
    [{ retryAfterMs: 0 }, 'quota;retry=0.00'],
    [{ retryAfterMs: 1 }, 'quota;retry=0.01'],
    [{ retryAfterMs: 999 }, 'quota;retry=1.00'],
    [{ retryAfterMs: 1_000 }, 'quota;retry=1.00'],
    [{ retryAfterMs: 1_001 }, 'quota;retry=1.01'],
    [{ retryAfterMs: 720_000 }, 'quota;retry=720.00'],
    [{ text: 'expired' }, 'expired'],
  ])('of %o is machine-first: %s', (detail, reason) => {
    expect(closeFrame('quota', detail).reason).toBe(reason);
  });

  it.each([
    ['one byte each', 'a', 123],
    ['two bytes each', 'é', 61],
    ['three bytes each', '阿', 41],
    ['four bytes each', '😀', 30],
    ['the first of two bytes', '\u{80}', 61],
    ['the first of three bytes', '\u{800}', 41],
    ['the first of four bytes', '\u{10000}', 30],
  ])('of characters of %s is cut within 123 bytes, and at a character', (_, character, fitting) => {
    const { reason } = closeFrame('malformed', { text: character.repeat(200) });
    expect(reason).toBe(character.repeat(fitting));
    expect(bytesOf(reason)).toBeLessThanOrEqual(123);
  });

  it.each([122, 123])('of %i bytes is whole', (length) => {
    expect(closeFrame('malformed', { text: 'a'.repeat(length) }).reason).toHaveLength(length);
  });

  it('is not cut beside a character that just fits', () => {
    expect(closeFrame('malformed', { text: `${'a'.repeat(119)}😀b` }).reason).toBe(`${'a'.repeat(119)}😀`);
  });
});
