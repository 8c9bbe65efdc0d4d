import { Command } from 'commander';
import { addCheck } from './commands/check.js';
import { addCleanup } from './commands/cleanup.js';
import { addCompletion } from './commands/completion.js';
import { addDemo } from './commands/demo.js';
import { addEvents } from './commands/events.js';
import { addRelease } from './commands/release.js';
import { addConfig, addExplain, addKpis } from './commands/reports.js';
import { addServe } from './commands/serve.js';
import { addSimulate } from './commands/simulate.js';
import { addTop } from './commands/top.js';
import { addUsers } from './commands/users.js';
import { inertExceptColours } from './terminal/paint.js';
import { readVersion } from './version.js';

/** The `mooring` command. Parsing wrong arguments ends the process with exit code 2. */
export function createProgram(): Command {
  const program = new Command('mooring')
    .description('WebSocket connection management: a limit per user that dead connections never fill')
    .version(readVersion())
    .showHelpAfterError('(see mooring --help)')
    .configureOutput({
      outputError: (text, write) => write(inertExceptColours(text)),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  for (const add of commands) add(program);
  return program;
}

/** In the order of `mooring --help`. */
const commands = [
  addServe,
  addDemo,
  addSimulate,
  addCheck,
  addCleanup,
  addRelease,
  addUsers,
  addExplain,
  addKpis,
  addEvents,
  addTop,
  addConfig,
  addCompletion,
];
