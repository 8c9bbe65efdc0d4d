/** An event of a server-sent stream. */
export interface ServerSent {
  readonly id: string | null;
  readonly event: string;
  /** `null` where there is an id alone, which says how far the stream has come. */
  readonly data: string | null;
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
  const [id = null, data = null] = [fields.get('id'), fields.get('data')];
  return id === null && data === null ? null : { id, event: fields.get('event') ?? 'message', data };
}
