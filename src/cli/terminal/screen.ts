import { readFileSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { usualSize } from './paint.js';
import { clipped } from './table.js';

/** Switches to the alternate screen and hides the cursor. */
const enter = '\u001b[?1049h\u001b[?25l';

/** Shows the cursor and switches back. */
const leave = '\u001b[?25h\u001b[?1049l';

/**
 * The alternate screen of a terminal. It is left when the process ends, also by Ctrl-\, while Ctrl-Z has stopped the
 * process, and while the terminal belongs to another job.
 */
export class Screen {
  readonly #terminal: WriteStream;
  #isEntered = false;
  #text: string | null = null;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  get size(): { readonly rows: number; readonly columns: number } {
    const { rows, columns } = this.#terminal;
    return { rows: rows > 0 ? rows : usualSize.rows, columns: columns > 0 ? columns : usualSize.columns };
  }

  /** Shows it until the process ends. */
  enter(): void {
    process.once('exit', () => this.#leave());
    process.once('SIGQUIT', () => {
      this.#leave();
      process.kill(process.pid, 'SIGQUIT');
    });
    process.on('SIGCONT', () => this.#resume());
    this.#resume();
  }

  /** Replaces the text on the screen, as far as it fits. */
  show(text: string): void {
    this.#text = text;
    if (this.#isEntered) this.#draw(text);
    else this.#resume();
  }

  #draw(text: string): void {
    const { rows, columns } = this.size;
    const lines = text.split('\n').slice(0, Math.max(1, rows - 1));
    this.#terminal.write(`\u001b[H${lines.map((line) => `${clipped(line, columns)}\u001b[K`).join('\n')}\u001b[J`);
  }

  #resume(): void {
    if (!this.#isEntered) {
      if (isInBackground()) return;
      this.#isEntered = true;
      this.#terminal.write(enter);
      process.once('SIGTSTP', () => this.#suspend());
    }
    if (this.#text !== null) this.#draw(this.#text);
  }

  /**
   * Stops the process by SIGTSTP, which has no listener any longer. Why not by SIGSTOP: without a job-control shell, as
   * in `ssh -t host mooring top`, the kernel ignores SIGTSTP; SIGSTOP would stop a process that nobody can continue.
   */
  #suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGTSTP');
    setImmediate(() => this.#resume());
  }

  #leave(): void {
    if (this.#isEntered) this.#terminal.write(leave);
    this.#isEntered = false;
  }
}

/**
 * Whether another job has the terminal, as after `bg`. Only Linux tells: the fields after the name in
 * `proc_pid_stat(5)`. Without a controlling terminal there is no job.
 */
function isInBackground(): boolean {
  try {
    const [, , group, , , groupOfTerminal] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(groupOfTerminal) > 0 && group !== groupOfTerminal;
  } catch {
    return false;
  }
}
