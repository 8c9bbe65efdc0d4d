import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { CommandError, exitCodes } from '../command-error.js';

/** No event of Mooring is nearly as long, in characters. */
const maxEventLength = 1_000_000;

/** Reads server-sent events. An event that is cut off at the end of the stream is left out. @throws CommandError */
export async function* readServerSent(stream: AsyncIterable<Uint8Array>): AsyncGenerator<EventSourceMessage, void> {
  const decoder = new TextDecoder();
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  let length = 0;
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    length += text.length;
    parser.feed(text);
    if (messages.length > 0) length = 0;
    else if (length > maxEventLength)
      throw new CommandError('the event stream sends an event that is too long', exitCodes.unreachable);
    yield* messages.splice(0);
  }
}
