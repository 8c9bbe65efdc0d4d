import { readFileSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { clipped } from './table.js';

/** Another screen without a cursor, and back again. */
const [enter, leave] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l'];

/** Of a terminal that does not say its size, such as one over a serial line. */
export const usualSize = { rows: 24, columns: 80 };

/**
 * The other screen of a terminal: given back when the process ends, by Ctrl-\ too, while Ctrl-Z has stopped it, and while
 * the terminal is another job's.
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

  /** Until the process ends. */
  enter(): void {
    process.once('exit', () => {
      this.#leave();
    });
    process.once('SIGQUIT', () => {
      this.#leave();
      process.kill(process.pid, 'SIGQUIT');
    });
    process.on('SIGCONT', () => {
      this.#resume();
    });
    this.#resume();
  }

  /** Written over what was there, line by line, within the screen. */
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
      process.once('SIGTSTP', () => {
        this.#suspend();
      });
    }
    if (this.#text !== null) this.#draw(this.#text);
  }

  /**
   * Stops for real, by the signal nobody listens to any longer. Not by SIGSTOP: where there is no shell to go on with,
   * as in `ssh -t host mooring top`, the kernel lets SIGTSTP pass, and so would stay what nobody can wake.
   */
  #suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGTSTP');
    setImmediate(() => {
      this.#resume();
    });
  }

  #leave(): void {
    if (this.#isEntered) this.#terminal.write(leave);
    this.#isEntered = false;
  }
}

/**
 * Whether the terminal is another job's now, as after `bg`. Told by Linux alone: what follows the name in
 * `proc_pid_stat(5)`. A terminal that controls nobody has no job.
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
