#!/usr/bin/env node
import { MooringError } from '../core/errors.js';
import { CommandError, exitCodes } from './command-error.js';
import { createProgram } from './program.js';
import { onOutputErrors } from './terminal/output.js';
import { inertExceptColours } from './terminal/paint.js';

onOutputErrors(process, (code) => process.exit(code ?? process.exitCode));
try {
  await createProgram().parseAsync();
} catch (error) {
  process.stderr.write(`mooring: ${inertExceptColours(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(exitCodeOf(error));
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof MooringError ? exitCodes.usage : exitCodes.trouble;
}
