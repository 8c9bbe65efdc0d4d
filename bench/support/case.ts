import { fork, type ChildProcess } from 'node:child_process';

/** How long one case may take before it is ended, and how long it has to end. */
const longestCaseMs = 30 * 60_000;
const graceMs = 10_000;

/** Makes this module a case: it waits for its input, measures, answers and ends. Does nothing outside a child. */
export function serveCase(measure: (input: never) => unknown): void {
  if (process.send === undefined) return;
  endWithParent();
  process.once('message', (input) => {
    // Mooring's timers keep no process alive.
    setInterval(() => undefined, 60_000);
    void Promise.resolve(measure(input as never)).then((output) => {
      process.send?.({ output }, () => process.exit(0));
    });
  });
}

/**
 * With this flag each collection is done at once and reported. By default V8 also marks in steps, between and within
 * other work, and reports only the end of each collection.
 */
export const wholeCollections = '--no-incremental-marking';

/** Measures a case, named by its module, in a process of its own, with nothing else in memory. */
export function runCase<Output>(moduleUrl: URL, input: object, flags: readonly string[] = []): Promise<Output> {
  const child = forkNode(moduleUrl, { flags });
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), longestCaseMs),
    setTimeout(() => child.kill('SIGKILL'), longestCaseMs + graceMs),
  ];
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      resolve((message as { output: Output }).output);
    });
    child.once('exit', (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      reject(new Error(`${moduleUrl.pathname} ended with ${String(code ?? signal)}`));
    });
    child.send(input);
  });
}

/** Children that have not ended. None outlives this process. */
const living = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of living) {
    // Not SIGKILL, since children have children. A stopped child must go on in order to end.
    child.kill('SIGTERM');
    child.kill('SIGCONT');
  }
});

/** A child with memory for millions of objects, and collections on demand. */
export function forkNode(
  moduleUrl: URL,
  { args = [], flags = [] }: { args?: readonly string[]; flags?: readonly string[] } = {},
): ChildProcess {
  const profile = process.env['MOORING_BENCH_PROFILE'];
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = fork(moduleUrl, args, {
    execArgv: ['--expose-gc', '--max-old-space-size=8192', ...profiling, ...flags],
    serialization: 'advanced',
  });
  living.add(child);
  child.once('exit', () => living.delete(child));
  return child;
}

/** Ends this process with its parent, however that ends, and on a signal. Children end with this process. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(1));
  endOnSignals();
}

/** Ends on a signal in an orderly way, so that children are not left behind. */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}

/** Collects all garbage. Twice, because what only a weak table held goes in the second collection. */
export function collect(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
}

/** Bytes of JavaScript heap in use, garbage collected first. */
export function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Resolves after a turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves after a while. */
export function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
