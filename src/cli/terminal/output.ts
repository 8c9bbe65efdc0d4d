/** The standard streams of a process. */
interface Output {
  readonly stdout: NodeJS.EventEmitter;
  readonly stderr: NodeJS.EventEmitter & { write(text: string): unknown };
}

/**
 * If the reader of stdout stops, as `head` does, the process ends silently with its present exit code. Other errors of
 * stdout, such as a full disk, are reported in a line and end it with 1. Errors of stderr are ignored: there is nowhere
 * left to report them.
 * @param exit ends the process; without a code, with the present one
 */
export function onOutputErrors({ stdout, stderr }: Output, exit: (code?: number) => void): void {
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') {
      exit();
      return;
    }
    stderr.write(`mooring: cannot write to stdout: ${message}\n`);
    exit(1);
  });
  stderr.on('error', () => undefined);
}

/** A stream that may be a terminal. */
interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Replaces the last line of a terminal; an empty text clears it. Does nothing if it is no terminal. */
export function showProgress(text: string, terminal: Terminal = process.stderr): void {
  if (terminal.isTTY === true) terminal.write(`\r\u001b[K${text}`);
}
