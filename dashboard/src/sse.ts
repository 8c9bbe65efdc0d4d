/** A server-sent event, as the HTML standard says it is dispatched. */
export interface SseMessage {
  readonly type: string;
  readonly data: string;
  /** The last id said so far, this event's or an earlier one's. */
  readonly lastEventId: string;
}

/** More than any event here; a server that never ends a line is none of ours. */
const longestEvent = 1_000_000;

/**
 * Reads server-sent events out of text that arrives in any pieces.
 *
 * Why not `EventSource`: it cannot send an `Authorization` header.
 */
export class SseParser {
  /** Of what is whole: an id whose event was cut off is not there yet. */
  lastEventId = '';
  #id = '';
  #rest = '';
  #isFirst = true;
  #type = '';
  #data: string[] = [];
  #size = 0;

  /** @returns the events that are whole by now. @throws RangeError where one is too long */
  push(text: string): SseMessage[] {
    const messages: SseMessage[] = [];
    for (const line of this.#linesOf(text)) {
      const message = this.#read(line);
      if (message !== null) messages.push(message);
    }
    if (this.#rest.length + this.#size > longestEvent) throw new RangeError('An event of the stream is too long.');
    return messages;
  }

  /** Whole lines. A CR at the end waits: an LF may belong to it. */
  #linesOf(text: string): string[] {
    let all = this.#rest + text;
    if (this.#isFirst && all.length > 0) {
      all = all.replace(/^\uFEFF/, '');
      this.#isFirst = false;
    }
    const waits = all.endsWith('\r') ? '\r' : '';
    const lines = all.slice(0, all.length - waits.length).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + waits;
    return lines;
  }

  #read(line: string): SseMessage | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    this.#take(field, value);
    return null;
  }

  #take(field: string, value: string): void {
    if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'data') {
      this.#data.push(value);
      this.#size += value.length + 1;
    }
  }

  #dispatch(): SseMessage | null {
    this.lastEventId = this.#id;
    const message = { type: this.#type || 'message', data: this.#data.join('\n'), lastEventId: this.lastEventId };
    const isEmpty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    this.#size = 0;
    return isEmpty ? null : message;
  }
}
