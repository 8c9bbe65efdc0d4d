import { Command } from 'commander';
import { addServe } from './serve.js';
import { addSimulate } from './simulate.js';
import { readVersion } from './version.js';

/** The `mooring` command. Parsing ends the process where the arguments are wrong, with exit code 2. */
export function createProgram(): Command {
  const program = new Command('mooring')
    .description('WebSocket connection management: a limit per user that dead connections never fill')
    .version(readVersion())
    .showHelpAfterError('(mooring --help tells more)')
    .exitOverride(({ exitCode }) => {
      process.exit(exitCode === 0 ? 0 : 2);
    });
  addServe(program);
  addSimulate(program);
  return program;
}
