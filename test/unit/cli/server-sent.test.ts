import { describe, expect, it } from 'vitest';
import type { EventSourceMessage } from 'eventsource-parser';
import { readServerSent } from '../../../src/cli/commands/server-sent.js';

/** What is read where these come one after another. */
async function readFrom(chunks: readonly string[]): Promise<EventSourceMessage[]> {
  async function* stream() {
    for (const chunk of chunks) yield await Promise.resolve(new TextEncoder().encode(chunk));
  }
  const read: EventSourceMessage[] = [];
  for await (const sent of readServerSent(stream())) read.push(sent);
  return read;
}

describe('a stream of events', () => {
  it('is read whatever pieces it comes in; what is cut off at its end is left out', async () => {
    const [one, two] = [{ id: 'e-1', event: 'a', data: '{"x":\n1}' }, { data: 'y' }];
    const text = 'id: e-1\nevent: a\ndata: {"x":\ndata: 1}\n\ndata:y\n\nid: e-2\ndata: cut';
    expect(await readFrom([text])).toEqual([one, two]);
    expect(await readFrom(text.split(/(?=.)/s))).toEqual([one, two]);
  });

  it.each(['\r\n', '\r'])('is read with lines that end in %j', async (end) => {
    const text = `id: e-1${end}event: a${end}data: x${end}${end}id: e-2${end}event: stream.position${end}data: {}${end}${end}:${end}`;
    const read = [
      { id: 'e-1', event: 'a', data: 'x' },
      { id: 'e-2', event: 'stream.position', data: '{}' },
    ];
    expect(await readFrom([text])).toEqual(read);
    expect(await readFrom(text.split(/(?=.)/s))).toEqual(read);
  });

  it('breaks off with an event that does not end', async () => {
    await expect(readFrom(Array.from({ length: 20 }, () => 'x'.repeat(100_000)))).rejects.toThrow('too long');
  });

  it('says nothing with a comment alone', async () => {
    expect(await readFrom([': still here\n\n: hello\n\n'])).toEqual([]);
  });
});
