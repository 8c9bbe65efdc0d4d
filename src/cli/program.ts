import { Command } from 'commander';
import { addCheck } from './commands/check.js';
import { addCleanup } from './commands/cleanup.js';
import { addCompletion } from './commands/completion.js';
import { addConfig } from './commands/config.js';
import { addDemo } from './commands/demo.js';
import { addEvents } from './commands/events.js';
import { addExplain } from './commands/explain.js';
import { addKpis } from './commands/kpis.js';
import { inertExceptColours } from './terminal/paint.js';
import { addServe } from './commands/serve.js';
import { addSimulate } from './commands/simulate.js';
import { addTop } from './commands/top.js';
import { addUsers } from './commands/users.js';
import { readVersion } from './version.js';

/** The `mooring` command. Parsing ends the process where the arguments are wrong, with exit code 2. */
export function createProgram(): Command {
  const program = new Command('mooring')
    .description('WebSocket connection management: a limit per user that dead connections never fill')
    .version(readVersion())
    .showHelpAfterError('(mooring --help tells more)')
    .configureOutput({
      outputError: (text, write) => {
        write(inertExceptColours(text));
      },
    })
    .exitOverride(({ exitCode }) => {
      process.exit(exitCode === 0 ? 0 : 2);
    });
  const adders = [
    addServe,
    addDemo,
    addSimulate,
    addCheck,
    addCleanup,
    addUsers,
    addExplain,
    addKpis,
    addEvents,
    addTop,
  ];
  for (const add of [...adders, addConfig, addCompletion]) add(program);
  return program;
}
