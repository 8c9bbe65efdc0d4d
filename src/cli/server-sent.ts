/** An event of a server-sent stream. */
export interface ServerSent {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** Reads events off a stream; what is cut off at its end is left out. @see https://html.spec.whatwg.org/#server-sent-events */
export async function* readServerSent(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSent, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const read = readBlock(block);
      if (read !== null) yield read;
    }
  }
}

function readBlock(block: string): ServerSent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    fields.set(name, name === 'data' && fields.has('data') ? `${fields.get('data') ?? ''}\n${value}` : value);
  }
  const data = fields.get('data');
  return data === undefined ? null : { id: fields.get('id') ?? null, event: fields.get('event') ?? 'message', data };
}
