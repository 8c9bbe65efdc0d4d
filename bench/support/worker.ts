import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endWithParent, forkNode } from './case.js';

/** The calls that a worker answers, by name. */
type CallsOf<Calls> = { readonly [Name in keyof Calls]: (input: never) => unknown };

interface Call {
  readonly name: string;
  readonly input: unknown;
}

/** How long a call may take before the run fails. */
const longestCallMs = 120_000;

/** How long a worker has to end by itself. */
const graceMs = 2_000;

/** A process that answers calls, one at a time. Unlike a case, it stays until it is ended. */
export class Worker<Calls extends CallsOf<Calls>> {
  readonly #child: ChildProcess;
  readonly #name: string;
  #fail: ((error: Error) => void) | null = null;

  constructor(moduleUrl: URL, args: readonly string[] = []) {
    this.#name = [moduleUrl.pathname, ...args].join(' ');
    this.#child = forkNode(moduleUrl, { args });
    this.#child.once('exit', (code, signal) => {
      this.#fail?.(new Error(`${this.#name} ended with ${String(code ?? signal)}`));
    });
  }

  call<Name extends keyof Calls & string>(
    name: Name,
    ...[input]: Parameters<Calls[Name]>
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    if (this.#fail !== null) throw new Error(`${this.#name} is busy`);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#fail = null;
      };
      const fail = (error: Error): void => {
        over();
        reject(error);
      };
      const timer = setTimeout(() => {
        fail(new Error(`${this.#name} did not answer ${name} within ${longestCallMs} ms`));
      }, longestCallMs);
      this.#fail = fail;
      this.#child.once('message', (message) => {
        over();
        resolve((message as { output: Awaited<ReturnType<Calls[Name]>> }).output);
      });
      this.#child.send({ name, input } satisfies Call);
    });
  }

  /** Suspends the process: its sockets stay open, and nothing answers. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Continues a suspended process. */
  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Kills the process; the system closes its sockets. A call under way fails. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends the process, and resolves when it is gone. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#fail = null;
    const gone = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    if (this.#child.connected) this.#child.disconnect();
    await gone;
    clearTimeout(timer);
  }
}

/** Makes this module a worker. If a call throws, the process and the run end. Does nothing outside a child process. */
export function serveCalls<Calls extends CallsOf<Calls>>(calls: Calls): void {
  if (process.send === undefined) return;
  endWithParent();
  process.on('message', (message) => {
    const { name, input } = message as { readonly name: keyof Calls; readonly input: never };
    void Promise.resolve(calls[name](input)).then((output) => process.send?.({ output }));
  });
}
