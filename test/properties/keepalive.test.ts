import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeepalive, keepalivePatterns } from '../../src/core/liveness/keepalive.js';

const runs = Number(process.env['TEST_PROPERTY_RUNS'] ?? 2_000);

/** What keepalives are made of, put together at random, so that many are ones and more nearly are. */
const pieces = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  ' ',
  '\t',
  '\u00a0',
  '2',
  '3',
  '6',
  'probe',
  'null',
  '{}',
  'Ping',
  'pong',
];
const words = [
  '"type"',
  '"topic"',
  '"event"',
  '"phoenix"',
  '"heartbeat"',
  '"phx_reply"',
  '"ping"',
  '"ka"',
  '"keepalive"',
];
const whole = ['{"type":"ping"}', '{ "type" : 6 }', '{"topic":"phoenix","event":"heartbeat"}', '[null,"1","phoenix"'];
const message = fc
  .array(fc.constantFrom(...pieces, ...words, ...whole), { maxLength: 12 })
  .map((parts) => parts.join(''));

const matches = (text: string): boolean =>
  text.length > 0 && text.length <= 96 && Object.values(keepalivePatterns).some((pattern) => pattern.test(text));

describe('the quick look at a message', () => {
  it('never changes what the patterns say, for text and for bytes', () => {
    fc.assert(
      fc.property(message, (text) => {
        expect(isKeepalive(text)).toBe(matches(text));
        expect(isKeepalive(Buffer.from(text, 'latin1'))).toBe(matches(text));
      }),
      { numRuns: runs },
    );
  });
});
