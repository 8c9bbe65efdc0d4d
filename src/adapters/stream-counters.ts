/** The longest control frame a client can send: header, mask and payload. */
const maxControlFrameBytes = 2 + 4 + 125;

/** Header bytes of a short unmasked frame. */
const pingHeaderBytes = 2;

/** Header and mask of a control frame from a client. */
export const controlHeaderBytes = 6;

/** A TLS stream encrypts later, so it always has unsent bytes after a send. Up to this many are no backlog. */
const encryptionBytes = 65_536;

/** How many bytes a stream may have unsent that took all it was given. */
export function maxPendingBytesOf(stream: CountingStream): number {
  return 'encrypted' in stream ? encryptionBytes : 0;
}

/** The part of a libuv stream handle that shows how far a large write has come. Not public, so it may be missing. */
interface StreamHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** The counters of a `net.Socket`. They are missing if `ws` was given another kind of Duplex. */
export interface CountingStream {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly writableLength: number;
  readonly _handle?: StreamHandle | null;
}

/** What is counted of the frames of a WebSocket. */
export interface FrameCounts {
  /** Complete messages that have arrived. */
  readonly messagesReceived: number;
  /** Bytes of the control frames that have arrived. */
  readonly controlBytesReceived: number;
}

/** What has gone over the stream of a WebSocket, as the `Connection` of the core wants it. */
export class StreamCounters {
  readonly #frames: FrameCounts;
  readonly #stream: CountingStream;
  #pingBytes = 0;
  #maxBytesSent = 0;
  #messagesThen = 0;
  #dataBytesAtMessage: number;

  constructor(frames: FrameCounts, stream: CountingStream) {
    this.#frames = frames;
    this.#stream = stream;
    this.#dataBytesAtMessage = this.#stream.bytesRead ?? 0;
  }

  /** If the stream does not count bytes, messages and control bytes are counted: they too show that the peer is there. */
  get bytesReceived(): number {
    const { messagesReceived, controlBytesReceived } = this.#frames;
    return this.#stream.bytesRead ?? messagesReceived + controlBytesReceived;
  }

  get bytesSent(): number {
    const { bytesWritten: handedOver = 0, writableLength, _handle } = this.#stream;
    const { bytesWritten, writeQueueSize } = _handle ?? {};
    const sent =
      bytesWritten !== undefined && writeQueueSize !== undefined
        ? bytesWritten - writeQueueSize
        : handedOver - writableLength;
    // A ping that waits behind other data is subtracted too early. The maximum keeps the count from going down.
    this.#maxBytesSent = Math.max(this.#maxBytesSent, sent - this.#pingBytes);
    return this.#maxBytesSent;
  }

  /**
   * Bytes that arrived since this was first read after the last message, without control frames; 0 if they can be an
   * incomplete control frame.
   *
   * Why not since that message: the byte count would have to be read with every message.
   */
  get partialMessageBytes(): number {
    const { messagesReceived, controlBytesReceived } = this.#frames;
    const dataBytes = (this.#stream.bytesRead ?? 0) - controlBytesReceived;
    if (messagesReceived !== this.#messagesThen) {
      this.#messagesThen = messagesReceived;
      this.#dataBytesAtMessage = dataBytes;
    }
    const bytes = dataBytes - this.#dataBytesAtMessage;
    return bytes > maxControlFrameBytes ? bytes : 0;
  }

  /** Whether the stream could not take all that was sent. */
  get isBacklogged(): boolean {
    return this.#stream.writableLength > maxPendingBytesOf(this.#stream);
  }

  /** A ping of Mooring was sent, which does not count. */
  pinged(payload: string): void {
    this.#pingBytes += pingHeaderBytes + payload.length;
  }
}
