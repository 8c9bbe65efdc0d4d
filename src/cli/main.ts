#!/usr/bin/env node
import { MooringError } from '../core/errors.js';
import { CommandError, exitCodes } from './command-error.js';
import { onOutputErrors } from './terminal/output-errors.js';
import { inertExceptColours } from './terminal/paint.js';
import { createProgram } from './program.js';

onOutputErrors(process, (code) => process.exit(code ?? process.exitCode));
try {
  await createProgram().parseAsync();
} catch (error) {
  const [text, code] = explain(error);
  process.stderr.write(`mooring: ${inertExceptColours(text)}\n`);
  process.exit(code);
}

/** What is wrong, in words a person can act on. */
function explain(error: unknown): [text: string, exitCode: number] {
  if (error instanceof CommandError) return [error.message, error.exitCode];
  if (error instanceof MooringError) return [error.message, exitCodes.usage];
  return [error instanceof Error ? error.message : String(error), exitCodes.trouble];
}
