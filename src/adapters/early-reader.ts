import type { Duplex } from 'node:stream';

/** How much of what a client sends before it is answered is read; it should send nothing. */
const mostEarlyBytes = 4096;

/**
 * A socket that has asked for an upgrade and must wait for the answer.
 *
 * Why it is read: nobody else reads it meanwhile, and an unread socket does not tell that its peer has gone. A client
 * that ends or closes while it waits gives its place back at once; the little it may have sent is kept for later. One
 * that sends much is read no further: then its end shows only when it is answered.
 */
export class EarlyReader {
  readonly #stream: Duplex;
  readonly #whenGone: () => void;
  #early: Buffer[];
  #earlyBytes: number;
  #isOver = false;

  constructor(stream: Duplex, head: Buffer, whenGone: () => void) {
    this.#stream = stream;
    this.#whenGone = whenGone;
    this.#early = head.length > 0 ? [head] : [];
    this.#earlyBytes = head.length;
    stream.on('error', this.#gone);
    stream.on('close', this.#gone);
    stream.on('end', this.#gone);
    stream.on('readable', this.#read);
  }

  /** Stops watching. @returns what was sent so far, the upgrade's head included */
  handOver(): Buffer {
    this.#stop();
    return this.#early.length === 1 && this.#early[0] !== undefined ? this.#early[0] : Buffer.concat(this.#early);
  }

  readonly #read = (): void => {
    while (this.#earlyBytes < mostEarlyBytes) {
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
    this.#whenGone();
  };

  #stop(): void {
    this.#isOver = true;
    this.#stream.off('error', this.#gone);
    this.#stream.off('close', this.#gone);
    this.#stream.off('end', this.#gone);
    // Streams of readable-stream 3, which frameworks bring along, go on flowing after this, and not after `off`.
    this.#stream.removeListener('readable', this.#read);
  }
}

function ignore(): void {
  // The socket is being destroyed already.
}
