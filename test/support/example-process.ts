import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { Exit } from './mooring-process.js';
import { afterThisTest } from './setup.js';

/** An example, as `npm run example` starts it, in a process of its own. */
export interface ExampleProcess {
  /** Of its first page, with a `/` at the end. */
  readonly url: string;
  readonly lines: readonly string[];
  readonly exited: Promise<Exit>;
  /** The first line that fits, also if it was written before. */
  hears(fits: RegExp): Promise<string>;
  /** Asks it to stop, as an orchestrator does. */
  terminate(): void;
}

interface ExampleOptions {
  /** @default a free one */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What it may write to its standard error. @default nothing */
  readonly complaints?: RegExp;
}

/** Those that were started before, and so are built. */
const built = new Set<string>();

const root = join(import.meta.dirname, '../..');

/** Ends with the test. It has the settings of production. */
export async function startExample(name: string, options: ExampleOptions = {}): Promise<ExampleProcess> {
  const { port = 0, env = {}, complaints = /^$/ } = options;
  const child = spawn(process.execPath, [join(root, 'scripts/example.mjs'), name], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(port),
      EXAMPLE_IS_BUILT: built.has(name) ? '1' : '',
      ...env,
    },
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await exited;
    expect(errors).toMatch(complaints);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
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
  const failed = exited.then(({ code }) => {
    throw new Error(`${name} ended at its start, with exit code ${code}: ${errors}`);
  });
  const url = /http:\S+/.exec(await Promise.race([hears(/ on http:/), failed]))?.[0] ?? '';
  built.add(name);
  return { url, lines, exited, hears, terminate: () => child.kill('SIGTERM') };
}
