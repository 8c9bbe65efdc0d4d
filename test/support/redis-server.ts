import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';
import { afterThisTest } from './setup.js';

/** A Redis whose time stands still, but for what the test sets. */
export interface ClockedRedis {
  /** Where it listens: a socket of the file system. */
  readonly path: string;
  /** Sets its time, for everything that it is sent from now on. */
  setTime(ms: number): void;
}

/** What it is started with: nobody but the test reaches it, and it writes nothing but its log. */
const options = ['--port', '0', '--save', '', '--appendonly', 'no', '--daemonize', 'no', '--loglevel', 'notice'];

/** Starts a Redis of its own in a temporary folder. It ends with the test, and its folder goes. */
export async function startClockedRedis(nowMs: number): Promise<ClockedRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-redis-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const clock = makeClock(folder, nowMs);
  const path = join(folder, 'redis.sock');
  const child = spawn('redis-server', [...options, '--dir', folder, '--unixsocket', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: clock.library, MOORING_CLOCK_FILE: clock.file },
  });
  const exited = once(child, 'exit');
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await readyIn(child.stdout);
  return { path, setTime: clock.setTime };
}

/** A Redis on a port of its own. */
export interface RunningRedis {
  readonly url: string;
  readonly port: number;
  /** Stops it as a machine does that is suspended, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
}

interface RedisOptions {
  /** More options of redis-server. */
  readonly args?: readonly string[];
  /** How far its clock is ahead, in milliseconds. @default it is right */
  readonly aheadMs?: number;
}

/** Starts a Redis in a temporary folder. It ends with the test. */
export async function startRedis({ args = [], aheadMs }: RedisOptions = {}): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-redis-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const env =
    aheadMs === undefined ? {} : { LD_PRELOAD: compileClock(folder), MOORING_CLOCK_AHEAD_MS: String(aheadMs) };
  const port = await freePort();
  let child!: ChildProcess;
  const start = async (): Promise<void> => {
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...options.slice(2), ...args];
    const started = spawn('redis-server', own, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    child = started;
    await readyIn(started.stdout);
  };
  const kill = async (): Promise<void> => {
    // Also one that is not ready yet.
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  afterThisTest(kill);
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    signal: (name) => {
      child.kill(name);
    },
    kill,
    restart: async () => {
      await kill();
      await start();
    },
  };
}

interface Clock {
  readonly library: string;
  readonly file: string;
  setTime(ms: number): void;
}

function makeClock(folder: string, nowMs: number): Clock {
  const library = compileClock(folder);
  const file = join(folder, 'clock');
  const descriptor = openSync(file, 'w');
  afterThisTest(() => {
    closeSync(descriptor);
  });
  const bytes = new BigInt64Array(1);
  const setTime = (ms: number): void => {
    bytes[0] = BigInt(ms) * 1_000n;
    writeSync(descriptor, bytes, 0, bytes.byteLength, 0);
  };
  setTime(nowMs);
  return { library, file, setTime };
}

/** @returns the library that changes the clock of a process */
function compileClock(folder: string): string {
  const library = join(folder, 'clock.so');
  const source = join(import.meta.dirname, 'redis-clock.c');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source]);
  return library;
}

/** @throws Error with its log, if it ends before it listens */
async function readyIn(log: NodeJS.ReadableStream): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: log })) {
    lines.push(line);
    if (!line.toLowerCase().includes('ready to accept connections')) continue;
    log.resume();
    return;
  }
  throw new Error(`redis-server ended:\n${lines.join('\n')}`);
}
