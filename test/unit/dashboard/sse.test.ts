import { describe, expect, it } from 'vitest';
import { SseParser, type SseMessage } from '../../../dashboard/src/sse.js';

const readAll = (pieces: readonly string[]): SseMessage[] => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

const stream =
  'event: stream.hello\ndata: {"id":"e-0"}\n\n: still here\n\nid: e-1\nevent: manager.admitted\ndata: {"a":"ü 🐍"}\n\n';

const expected = [
  { type: 'stream.hello', data: '{"id":"e-0"}', lastEventId: '' },
  { type: 'manager.admitted', data: '{"a":"ü 🐍"}', lastEventId: 'e-1' },
];

describe('the parser of server-sent events', () => {
  it('reads events with their type, data and id, and leaves out comments', () => {
    expect(readAll([stream])).toEqual(expected);
  });

  it.each([
    ['LF', '\n'],
    ['CR', '\r'],
    ['CRLF', '\r\n'],
  ])('reads lines that end in %s, in pieces of one character too', (_name, end) => {
    // A CR at the very end may be half of a line end still: what follows shows that it is not.
    const text = `${stream.replaceAll('\n', end)}:${end}`;
    expect(readAll([text])).toEqual(expected);
    expect(readAll(text.split(/(?:)/u))).toEqual(expected);
  });

  it('joins lines of data, and takes one space off a value', () => {
    expect(readAll(['data:a\ndata:  b\ndata\n\n'])).toEqual([{ type: 'message', data: 'a\n b\n', lastEventId: '' }]);
  });

  it('keeps the last id, ignores one with a NUL, and forgets the type', () => {
    const messages = readAll(['id: 1\nevent: x\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n']);
    expect(messages.map(({ type, lastEventId }) => [type, lastEventId])).toEqual([
      ['x', '1'],
      ['message', '1'],
      ['message', ''],
    ]);
  });

  it('knows the id of what is whole alone: of an event that is cut off in the middle, the one before', () => {
    const parser = new SseParser();
    parser.push('id: 1\ndata: a\n\nid: 2\ndata: b\n');
    expect(parser.lastEventId).toBe('1');
    parser.push('\n: still here\nid: 5\n\n');
    expect(parser.lastEventId).toBe('5');
  });

  it('tells nothing of an event without data, or without its end', () => {
    expect(readAll(['event: x\nid: 7\n\n', 'data: never ended\n'])).toEqual([]);
  });

  it('leaves out a byte order mark, and fields it does not know', () => {
    expect(readAll(['\uFEFFdata: a\nretry: 5\nnonsense: 1\n\n'])).toHaveLength(1);
  });

  it('gives up on an event that does not end', () => {
    const parser = new SseParser();
    expect(() => {
      for (let i = 0; i < 20; i++) parser.push('data: '.padEnd(100_000, 'x'));
    }).toThrow(RangeError);
    const lines = new SseParser();
    expect(() => {
      for (let i = 0; i < 20; i++) lines.push(`data: ${'x'.repeat(100_000)}\n`);
    }).toThrow(RangeError);
  });
});
