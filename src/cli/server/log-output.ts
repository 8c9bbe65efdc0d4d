import { writeSync } from 'node:fs';

/** Writes bytes without waiting for the reader. @returns how many were taken; 0 if none. May throw */
type TakeBytes = (bytes: Buffer) => number;

interface LogOutputOptions {
  readonly take: TakeBytes;
  /** How much may wait for a slow reader, in bytes; further lines are dropped. @default 1 MiB */
  readonly mostBytes?: number;
  /** Called with the number of dropped lines once there is room again. */
  readonly whenDropped?: (lines: number) => void;
}

/** Pause before the next attempt if the reader took nothing, in milliseconds. */
const retryMs = 20;

/**
 * Output of log lines that never waits for the reader. What the reader does not take at once is kept, up to a limit;
 * lines beyond it are dropped and counted. If the reader takes everything, a line is written before `write` returns, so
 * that the last lines before a crash are not lost.
 */
export class LogOutput {
  readonly #options: Required<LogOutputOptions>;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  #isBroken = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ take, mostBytes = 1_048_576, whenDropped = () => undefined }: LogOutputOptions) {
    this.#options = { take, mostBytes, whenDropped };
  }

  /** Dropped lines that were not reported yet. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line. Never throws, and never waits. */
  write(line: string): void {
    if (this.#isBroken) return;
    const bytes = Buffer.from(line);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes.length > this.#options.mostBytes) {
      this.#dropped += 1;
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#timer === undefined) this.#flush();
  }

  /** Writes the lines that wait, and blocks for at most `ms` milliseconds: for the end of the process. */
  flushWithin(ms: number): void {
    const endsAtMs = performance.now() + ms;
    while (!this.#drain() && performance.now() < endsAtMs) Atomics.wait(pause, 0, 0, 5);
  }

  #flush(): void {
    this.#timer = undefined;
    const before = this.#dropped;
    if (!this.#drain()) {
      this.#timer = setTimeout(() => this.#flush(), retryMs).unref();
      return;
    }
    const dropped = this.#dropped;
    // The report is a line too: while the disk is full it would be lost, and its loss reported, for ever.
    if (dropped === 0 || dropped > before) return;
    this.#dropped = 0;
    this.#options.whenDropped(dropped);
  }

  /** @returns whether everything is written */
  #drain(): boolean {
    for (let first = this.#pending[0]; first !== undefined; first = this.#pending[0]) {
      const taken = this.#taken(first);
      this.#pendingBytes -= taken;
      if (taken < first.length) {
        this.#pending[0] = first.subarray(taken);
        return false;
      }
      this.#pending.shift();
    }
    return true;
  }

  /** If the reader is gone for good, logging ends and the server goes on; if the disk is full, the line is dropped. */
  #taken(bytes: Buffer): number {
    try {
      return this.#options.take(bytes);
    } catch (error) {
      if (isFull(error)) return 0;
      this.#isBroken = isGone(error);
      this.#dropped += 1;
      return bytes.length;
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);
const isFull = (error: unknown): boolean => ['EAGAIN', 'EBUSY'].includes(codeOf(error));
const isGone = (error: unknown): boolean => ['EPIPE', 'EBADF', 'EIO'].includes(codeOf(error));

/** The handle of a stream. It is not public, so it may be missing. */
interface BlockingHandle {
  readonly _handle?: { setBlocking?(isBlocking: boolean): unknown } | null;
}

/** Makes writing to a terminal by Node's stream never block, even if the user has stopped it (Ctrl-S). */
export function neverWait(stdout: NodeJS.WriteStream): void {
  (stdout as unknown as BlockingHandle)._handle?.setBlocking?.(false);
}

/**
 * Writes to the standard output of this process without waiting for its reader.
 *
 * Why two ways: Node makes a pipe non-blocking, so that writing to the descriptor fails when it is full. The descriptor
 * of a terminal may block; Node's stream of it can be set not to.
 */
export function stdoutTaker(): TakeBytes {
  const { stdout } = process;
  if (!stdout.isTTY) return (bytes) => writeSync(1, bytes);
  neverWait(stdout);
  return (bytes) => {
    if (stdout.writableLength > 0) return 0;
    stdout.write(bytes);
    return bytes.length;
  };
}
