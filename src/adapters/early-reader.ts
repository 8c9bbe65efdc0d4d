import type { Duplex } from 'node:stream';

/** How many bytes are read before the handshake is answered. A client should send none. */
const maxEarlyBytes = 4096;

/**
 * Reads the socket of a client that waits for the answer to its upgrade request.
 *
 * Why: a socket that is not read does not report that its peer has gone. If the client ends or closes the connection
 * while it waits, its place is given back at once. What it has sent is kept for the WebSocket. If it sends more than the
 * limit, it is not read any further, and its end shows only when it is answered.
 */
export class EarlyReader {
  readonly #stream: Duplex;
  readonly #onGone: () => void;
  #early: Buffer[];
  #earlyBytes: number;
  #isOver = false;

  constructor(stream: Duplex, head: Buffer, onGone: () => void) {
    this.#stream = stream;
    this.#onGone = onGone;
    this.#early = head.length > 0 ? [head] : [];
    this.#earlyBytes = head.length;
    stream.on('error', this.#gone);
    stream.on('close', this.#gone);
    stream.on('end', this.#gone);
    stream.on('readable', this.#read);
  }

  /** Stops reading. @returns what the client has sent so far, including the head of the upgrade */
  stop(): Buffer {
    this.#stop();
    return this.#early.length === 1 && this.#early[0] !== undefined ? this.#early[0] : Buffer.concat(this.#early);
  }

  readonly #read = (): void => {
    while (this.#earlyBytes < maxEarlyBytes) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk === null) return;
      this.#early.push(chunk);
      this.#earlyBytes += chunk.length;
    }
  };

  readonly #gone = (): void => {
    if (this.#isOver) return;
    this.#stop();
    this.#early = [];
    // An error may still follow; without a listener it would end the process.
    this.#stream.on('error', ignore);
    this.#stream.destroy();
    this.#onGone();
  };

  #stop(): void {
    this.#isOver = true;
    this.#stream.off('error', this.#gone);
    this.#stream.off('close', this.#gone);
    this.#stream.off('end', this.#gone);
    // `off` is not enough for streams of readable-stream 3, which some frameworks use: they would not flow afterwards.
    this.#stream.removeListener('readable', this.#read);
  }
}

function ignore(): void {
  // The socket is being destroyed already.
}
