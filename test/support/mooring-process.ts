import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterThisTest } from './setup.js';

/** A line of its log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A `mooring serve` of the built package, in a process of its own. */
export interface MooringProcess {
  readonly url: string;
  readonly pid: number;
  readonly lines: readonly LogLine[];
  readonly exited: Promise<Exit>;
  /** The first log line that fits, also where it was written before. */
  hears(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** The URL of its admin API. */
  adminUrl(): Promise<string>;
  /** What `/healthz` says. */
  health(): Promise<{ readonly status: string; readonly managers: number }>;
}

export const mooringCommand = join(import.meta.dirname, '../../dist/command/main.js');

/** Starts it on a free port. It ends with the test. @param shell runs before it, in the same shell, e.g. `ulimit -n 128` */
export async function startMooring(args: readonly string[] = [], shell = ''): Promise<MooringProcess> {
  const command = [mooringCommand, 'serve', '--port', '0', '--admin-port', '0', '--log-format', 'json', ...args];
  const child =
    shell === ''
      ? spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('bash', ['-c', `${shell}; exec "$@"`, 'bash', process.execPath, ...command], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines: LogLine[] = [];
  const written = new EventEmitter();
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as LogLine);
    written.emit('line');
  });
  const hears = async (fits: (line: LogLine) => boolean): Promise<LogLine> => {
    for (;;) {
      const found = lines.find(fits);
      if (found !== undefined) return found;
      await once(written, 'line');
    }
  };
  const start = await hears(({ msg }) => String(msg).startsWith('listening on '));
  const url = /ws:\/\/[^ ;]+/.exec(String(start['msg']))?.[0] ?? '';
  const adminUrl = async (): Promise<string> => {
    const { msg } = await hears((line) => String(line['msg']).startsWith('admin API on '));
    return /http:\/\/[^ ,]+/.exec(String(msg))?.[0] ?? '';
  };
  const health = async () => (await fetch(`${url.replace('ws', 'http')}/healthz`)).json() as Promise<never>;
  return { url, pid: child.pid ?? 0, lines, exited, hears, adminUrl, health };
}
