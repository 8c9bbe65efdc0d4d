import { writeSync } from 'node:fs';

/** Hands over bytes, as far as whoever reads takes them. @returns how many were taken; 0 while none are. May throw */
export type TakeBytes = (bytes: Buffer) => number;

interface LogOutputOptions {
  readonly take: TakeBytes;
  /** How much may wait for a reader that stands still, in bytes; further lines are dropped. @default 1 MiB */
  readonly mostBytes?: number;
  /** Told how many lines were dropped, once there is room again. */
  readonly whenDropped?: (lines: number) => void;
}

/** How long after a reader took nothing it is tried again, in milliseconds. */
const retryMs = 20;

/**
 * Where log lines go. Writing never waits for whoever reads: what is not taken at once is kept, up to a limit, and lines
 * beyond it are dropped and counted. Where everything is taken, a line is out before `write` returns, so that the last
 * lines before a crash are not lost.
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

  /** Lines dropped and not told of. */
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

  /** Writes what waits, for at most `ms` milliseconds, and waits for it: at the end of the process. */
  flushWithin(ms: number): void {
    const endsAtMs = performance.now() + ms;
    while (!this.#drain() && performance.now() < endsAtMs) Atomics.wait(pause, 0, 0, 5);
  }

  #flush(): void {
    this.#timer = undefined;
    const before = this.#dropped;
    if (!this.#drain()) {
      this.#timer = setTimeout(() => {
        this.#flush();
      }, retryMs).unref();
      return;
    }
    const dropped = this.#dropped;
    // What is told is a line too: while the disk is full it would be lost, and its loss told, without an end.
    if (dropped === 0 || dropped > before) return;
    this.#dropped = 0;
    this.#options.whenDropped(dropped);
  }

  /** @returns whether nothing waits any longer */
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

  /** Whoever read may be gone for good, or the disk may be full: then logging ends, and the server goes on. */
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

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const isFull = (error: unknown): boolean => ['EAGAIN', 'EBUSY'].includes(String(codeOf(error)));
const isGone = (error: unknown): boolean => ['EPIPE', 'EBADF', 'EIO'].includes(String(codeOf(error)));

/** Handles of streams, as far as they can be told not to wait. Not public, so it may be missing. */
interface BlockingHandle {
  readonly _handle?: { setBlocking?(isBlocking: boolean): unknown } | null;
}

/** Has a terminal that somebody has stopped (Ctrl-S) not hold up whoever writes to it by Node's stream. */
export function neverWait(stdout: NodeJS.WriteStream): void {
  (stdout as unknown as BlockingHandle)._handle?.setBlocking?.(false);
}

/**
 * Takes bytes for the standard output of this process without waiting for its reader.
 *
 * Why two ways: Node makes a pipe non-blocking, so that writing to the descriptor tells when it is full. A terminal's
 * descriptor may block; Node's own stream of it can be told not to wait.
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
