import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mooringCommand, type Exit } from './mooring-process.js';
import { afterThisTest } from './setup.js';

/** Whether this machine has the command `script`, as `npm test` found out. */
export const hasTerminals = process.env['TEST_HAS_TERMINALS'] !== '0';

/** A `mooring` on a terminal of its own. */
export interface OnTerminal {
  /** What it wrote so far, with all that a terminal obeys. */
  written(): string;
  /** Resolves once what was written from there on fits. @returns where that ends */
  shows(fits: RegExp, from?: number): Promise<number>;
  /** Types, e.g. `\u0003` for Ctrl-C. */
  type(keys: string): void;
  readonly ended: Promise<Exit>;
}

interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What the terminal's shell runs to run the command. */
  readonly lineOf?: (command: string) => string;
}

/** Starts it; it ends with the test. */
export function startOnTerminal(
  args: readonly string[],
  { columns = 80, rows = 24, env = {}, lineOf = (command) => `exec ${command}` }: TerminalOptions = {},
): OnTerminal {
  const command = [process.execPath, mooringCommand, ...args].map((word) => `'${word}'`).join(' ');
  const line = `stty cols ${String(columns)} rows ${String(rows)}; ${lineOf(command)}`;
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...env },
  });
  const ended = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let text = '';
  const news = new EventEmitter();
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    news.emit('text');
  });
  const shows = async (fits: RegExp, from = 0): Promise<number> => {
    for (;;) {
      const found = fits.exec(text.slice(from));
      if (found !== null) return from + found.index + found[0].length;
      await once(news, 'text');
    }
  };
  return { written: () => text, shows, type: (keys) => child.stdin.write(keys), ended };
}
