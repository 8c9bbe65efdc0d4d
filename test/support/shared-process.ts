import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MooringOptions } from '../../src/index.js';
import { afterThisTest } from './setup.js';

/** What such a process tells. */
export type SharedReport =
  { readonly what: 'ready'; readonly port: number } | { readonly what: 'ended'; readonly admitted: number };

/** What each such process is given. */
export interface SharedSetup {
  /** The folder of the library. @default the one that was built */
  readonly library?: string | undefined;
  readonly redisUrl: string;
  readonly client?: 'redis' | 'ioredis';
  readonly settings: MooringOptions;
  /** Where it writes what it does. */
  readonly logFile: string;
}

const repository = join(import.meta.dirname, '../..');
/** The library that was built. */
export const builtLibrary = join(repository, 'dist/lib');

/** A process that shares its quota with others. It ends with the test. */
export class SharedProcess {
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #reports: SharedReport[] = [];

  constructor(child: ChildProcess, logFile: string) {
    this.logFile = logFile;
    this.#child = child;
    this.#exited = once(child, 'exit');
    child.on('message', (report: SharedReport) => this.#reports.push(report));
    afterThisTest(() => this.kill());
  }

  /** The first report of this kind, also if it came before. @throws Error if the process ends without one */
  async hears<What extends SharedReport['what']>(what: What): Promise<Extract<SharedReport, { what: What }>> {
    for (;;) {
      const found = this.#reports.find((report) => report.what === what);
      if (found !== undefined) return found as Extract<SharedReport, { what: What }>;
      if (this.hasEnded) throw new Error(`${this.logFile}: the process has ended and is not ${what}`);
      await Promise.race([once(this.#child, 'message'), this.#exited]);
    }
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  order(text: 'end' | 'stop'): void {
    this.#child.send(text, () => undefined);
  }

  /** Ends it as a crash does: nobody is told. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Stops it where it stands, as a machine does that is suspended. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Asks it to stop, as a deploy does, and waits until it has ended. */
  async stop(): Promise<void> {
    this.order('stop');
    await this.#exited;
  }
}

/** Starts `shared-server.mjs` or `shared-churn.mjs`, and waits until it is ready. */
export async function startShared(
  script: 'shared-server' | 'shared-churn',
  { library = builtLibrary, client = 'redis', ...setup }: SharedSetup,
  more: object,
): Promise<SharedProcess> {
  const options = JSON.stringify({ library, client, ...setup, ...more });
  const file = join(import.meta.dirname, `${script}.mjs`);
  const child = fork(file, [options], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // Those that only make load leave the machine to Redis, and to whatever is measured.
  if (script === 'shared-churn') setPriority(child.pid ?? 0, 5);
  const started = new SharedProcess(child, setup.logFile);
  await started.hears('ready');
  return started;
}

/** A folder for the files of this test. It goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-shared-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A text to be replaced in a script of Redis, where it stands once. */
export interface ScriptEdit {
  /** The file in the folder `lua`, without its ending. */
  readonly in: string;
  readonly find: string;
  readonly replace: string;
}

/** A copy of the built library with the ledger of the first version, client and scripts. */
export function firstLibrary(): string {
  const library = copiedLibrary();
  cpSync(join(repository, 'test/fixtures/redis-v1/redis.js'), join(library, 'redis.js'));
  cpSync(join(repository, 'test/fixtures/redis-v1/lua'), join(library, 'lua'), { recursive: true });
  return library;
}

function copiedLibrary(): string {
  const folder = temporaryFolder();
  const library = join(folder, 'dist/lib');
  mkdirSync(library, { recursive: true });
  cpSync(builtLibrary, library, { recursive: true });
  cpSync(join(repository, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  return library;
}

/** A copy of the built library whose scripts are other ones. @throws Error if a text does not stand there once */
export function editedLibrary(edits: readonly ScriptEdit[]): string {
  const library = copiedLibrary();
  for (const { in: name, find, replace } of edits) {
    const file = join(library, 'lua', `${name}.lua`);
    const text = readFileSync(file, 'utf8');
    if (text.split(find).length !== 2) throw new Error(`${name}: wanted "${find}" once`);
    writeFileSync(
      file,
      text.replace(find, () => replace),
    );
  }
  return library;
}
