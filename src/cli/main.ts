#!/usr/bin/env node
import { MooringError } from '../core/errors.js';
import { onOutputErrors } from './output-errors.js';
import { createProgram } from './program.js';

/** What is wrong, in one line a person can act on. */
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'that port is taken; choose another with --port, or --port 0 for any that is free',
  EACCES: 'that port needs more rights; choose one from 1024 on with --port',
  EADDRNOTAVAIL: 'this machine has no such address; choose another with --host',
  ENOTFOUND: 'there is no such host; choose another with --host',
};

onOutputErrors(process, (code) => process.exit(code ?? process.exitCode));
try {
  await createProgram().parseAsync();
} catch (error) {
  const [text, code] = explain(error);
  process.stderr.write(`mooring: ${text}\n`);
  process.exit(code);
}

function explain(error: unknown): [text: string, exitCode: number] {
  if (error instanceof MooringError) return [error.message, 2];
  const { code, message } = error as NodeJS.ErrnoException;
  const hint = code === undefined ? undefined : hints[code];
  return [hint === undefined ? message : `${message}: ${hint}`, 1];
}
