import { Command } from 'commander';
import { addCheck } from './check.js';
import { addCleanup } from './cleanup.js';
import { addCompletion } from './completion.js';
import { addConfig } from './config.js';
import { addDemo } from './demo.js';
import { addEvents } from './events.js';
import { addExplain } from './explain.js';
import { addKpis } from './kpis.js';
import { inertExceptColours } from './paint.js';
import { addServe } from './serve.js';
import { addSimulate } from './simulate.js';
import { addTop } from './top.js';
import { addUsers } from './users.js';
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
