import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { mooringCommand, type Exit } from './mooring-process.js';
import { afterThisTest } from './setup.js';

/** A `mooring demo` of the built package, as from a shell. */
export interface DemoProcess {
  readonly pid: number;
  readonly url: string;
  readonly adminUrl: string;
  readonly lines: readonly string[];
  readonly exited: Promise<Exit>;
  /** The first line that fits, also where it was written before. */
  hears(fits: RegExp): Promise<string>;
  /** The process its people live in. */
  populationPid(): number;
}

/** Starts it on free ports. It ends with the test. */
export async function startDemo(args: readonly string[] = []): Promise<DemoProcess> {
  const command = [mooringCommand, 'demo', '--port', '0', '--admin-port', '0', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const found = new Set<number>();
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await exited;
    // A test that failed may have left somebody behind.
    for (const each of found) if (isAlive(each)) process.kill(each, 'SIGKILL');
  });
  const lines: string[] = [];
  const written = new EventEmitter();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    written.emit('line');
  });
  const hears = async (fits: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find((line) => fits.test(line));
      if (found !== undefined) return found;
      await once(written, 'line');
    }
  };
  const urlIn = async (fits: RegExp): Promise<string> => fits.exec(await hears(fits))?.[1] ?? '';
  const pid = child.pid ?? 0;
  return {
    pid,
    lines,
    exited,
    hears,
    url: await urlIn(/WebSocket +(ws:\/\/[^/]+)/),
    adminUrl: await urlIn(/Dashboard +(http:\/\/[^/]+)/),
    populationPid: () => {
      const people = childOf(pid);
      found.add(people);
      return people;
    },
  };
}

/** The one child of a process. */
function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const [child = 0] = children;
  if (children.length !== 1 || child === 0) throw new Error(`wanted one child, got ${JSON.stringify(children)}`);
  return child;
}

/** Resolves once a process that is nobody's child here runs no longer. */
export async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

/** Whoever has ended counts as gone, also where nobody has asked for its exit code. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
