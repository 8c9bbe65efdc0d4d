import { describe, expect, it } from 'vitest';
import { readServerSent, type ServerSent } from '../../../src/cli/commands/server-sent.js';

/** What is read where these come one after another. */
async function readFrom(chunks: readonly string[]): Promise<ServerSent[]> {
  async function* stream() {
    for (const chunk of chunks) yield await Promise.resolve(new TextEncoder().encode(chunk));
  }
  const read: ServerSent[] = [];
  for await (const sent of readServerSent(stream())) read.push(sent);
  return read;
}

describe('a stream of events', () => {
  it('is read whatever pieces it comes in; what is cut off at its end is left out', async () => {
    const [one, two] = [
      { id: 'e-1', event: 'a', data: '{"x":\n1}' },
      { id: null, event: 'message', data: 'y' },
    ];
    const text = 'id: e-1\nevent: a\ndata: {"x":\ndata: 1}\n\ndata:y\n\nid: e-2\ndata: cut';
    expect(await readFrom([text])).toEqual([one, two]);
    expect(await readFrom(text.split(/(?=.)/s))).toEqual([one, two]);
  });

  it('says how far it has come with an id alone, and nothing with a comment alone', async () => {
    expect(await readFrom([': still here\nid: e-7\n\n: hello\n\n'])).toEqual([
      { id: 'e-7', event: 'message', data: null },
    ]);
  });
});
