import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { mooringCommand, type Exit } from './mooring-process.js';
import { afterThisTest } from './setup.js';

/** How a command went. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What a shell with nothing special in it has. */
const bareEnv = { PATH: process.env['PATH'], TZ: 'UTC' };

/** Runs `mooring` to its end, with nothing but these variables. */
export function runMooring(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return run(process.execPath, [mooringCommand, ...args], env);
}

/** Runs a line of bash, in which `mooring` is the command. */
export function runShell(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const script = `mooring() { ${JSON.stringify(process.execPath)} ${JSON.stringify(mooringCommand)} "$@"; }\n${line}`;
  return run('bash', ['-c', script], env);
}

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...bareEnv, ...env } });
  endWithTest(child);
  const [out, err] = [textOf(child.stdout), textOf(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: await out, err: await err };
}

/** A command that goes on until it is told to end. */
export interface Going {
  readonly pid: number;
  /** What it wrote so far, by line. */
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** The first line on either that fits, also where it was written before. */
  says(fits: RegExp): Promise<string>;
  /** How it ended. */
  readonly ended: Promise<Exit>;
}

/** Starts `mooring`; it ends with the test. */
export function startCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}): Going {
  const child = spawn(process.execPath, [mooringCommand, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...bareEnv, ...env },
  });
  endWithTest(child);
  const [out, err]: [string[], string[]] = [[], []];
  const written = new EventEmitter();
  const gather = (stream: Readable, lines: string[]): void => {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      written.emit('line');
    });
  };
  gather(child.stdout, out);
  gather(child.stderr, err);
  const ended = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const says = async (fits: RegExp): Promise<string> => {
    for (;;) {
      const found = [...out, ...err].find((line) => fits.test(line));
      if (found !== undefined) return found;
      await once(written, 'line');
    }
  };
  return { pid: child.pid ?? 0, out, err, says, ended };
}

function endWithTest(child: ChildProcess): void {
  afterThisTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}
