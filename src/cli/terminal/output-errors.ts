/** What a process writes to. */
interface Output {
  readonly stdout: NodeJS.EventEmitter;
  readonly stderr: NodeJS.EventEmitter & { write(text: string): unknown };
}

/**
 * Whoever reads stdout may stop, as `head` does: that ends the process without a word, with the exit code it has so
 * far. Other errors of stdout, such as a full disk, are told in a line and end it with 1. Those of stderr are ignored,
 * since there is nowhere left to tell them.
 * @param exit ends the process; without a code, with the one it has
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
