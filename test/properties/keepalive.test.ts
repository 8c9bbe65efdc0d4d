import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeepaliveArray, isKeepaliveObject, isKeepaliveText } from '../../src/core/liveness/keepalive-presets.js';
import { isKeepalive } from '../../src/core/liveness/keepalive.js';

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
  ...['"type"', '"topic"', '"event"', '"phoenix"', '"heartbeat"', '"phx_reply"', '"ping"', '"ka"', '"keepalive"'],
  ...['"op"', '"d"', '"id"', '"ts"', '"t"', '"message"', '"msg"', '"payload"', '"method"', '"Heartbeat"', '11', '"x"'],
];
const fields = fc.dictionary(
  fc.constantFrom(
    ...['type', 'event', 'op', 'method', 'msg', 't', 'id', 'ts', 'd', 'data', 'payload', 's', 'ref', 'ping'],
    ...['topic', 'count', 'message', 'status', 'text', 'time', 'join_ref', 'command', 'kind', 'now', 'version'],
  ),
  fc.constantFrom<unknown>(
    ...[
      'ping',
      'PONG',
      'phoenix',
      'heartbeat',
      'phx_reply',
      'pusher:ping',
      'Keep-Alive',
      'say',
      'a b',
      '2.0',
      '',
      '{}',
    ],
    ...[
      1,
      6,
      11,
      251,
      null,
      true,
      {},
      [],
      { ts: 1 },
      { seq: 2, t: 'x' },
      { response: {}, status: 'ok' },
      { text: 'hi' },
    ],
  ),
  { maxKeys: 5 },
);
const spacing = fc.constantFrom(undefined, 1, '\t');
const object = fc.tuple(fields, spacing).map(([value, space]) => JSON.stringify(value, null, space));
const whole = ['{"type":"ping"}', '{ "type" : 6 }', '{"topic":"phoenix","event":"heartbeat"}', '[null,"1","phoenix"'];
const message = fc
  .array(fc.constantFrom(...pieces, ...words, ...whole), { maxLength: 12 })
  .map((parts) => parts.join(''));

const matches = (text: string): boolean => {
  if (text.length === 0 || text.length > 128) return false;
  if (isKeepaliveText(text)) return true;
  try {
    const value: unknown = JSON.parse(text);
    return isKeepaliveObject(value) || isKeepaliveArray(value);
  } catch {
    return false;
  }
};

describe('the quick look at a message', () => {
  it('never changes what the presets say, for text and for bytes', () => {
    fc.assert(
      fc.property(fc.oneof(message, object), (text) => {
        expect(isKeepalive(text)).toBe(matches(text));
        expect(isKeepalive(Buffer.from(text, 'latin1'))).toBe(matches(text));
      }),
      { numRuns: runs },
    );
  });
});
