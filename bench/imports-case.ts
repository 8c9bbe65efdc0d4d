import { serveCase } from './support/case.js';

/** What to import, in this order, as a program does. */
export interface ImportsInput {
  readonly specifiers: readonly string[];
}

/** What importing it took, without the start of Node. */
export interface ImportsCost {
  readonly ms: number;
  readonly cpuMs: number;
}

serveCase(async ({ specifiers }: ImportsInput): Promise<ImportsCost> => {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  for (const specifier of specifiers) await import(specifier);
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ms, cpuMs: (user + system) / 1_000 };
});
