import type { Command } from 'commander';
import type { LedgerFlags } from './check-ledger.js';
import { asksServer, type ServerFlags } from './server-command.js';

interface CheckFlags extends ServerFlags, LedgerFlags {
  readonly act?: boolean;
}

const examples = `
Examples:
  mooring check alice
  mooring check alice --act
  mooring check alice --json | jq .managerCount
  mooring check --ledger redis://127.0.0.1:6379

Without --act it only looks. Exit code: 1 when the level is warning or above, or the Redis cannot carry a shared quota.`;

/** `mooring check` */
export function addCheck(program: Command): void {
  const command = program
    .command('check')
    .description('how much a user holds, and each of their connections; or whether a Redis can carry a shared quota')
    .argument('[user]', 'user id')
    .option('--act', 'start the cleanup that the level calls for, as after an admission')
    .option('--ledger [url]', 'no user: look at this Redis (default: MOORING_REDIS_URL)')
    .option('--redis-prefix <text>', 'with --ledger: how its keys begin', 'mooring');
  asksServer<CheckFlags>(command, examples, async ({ flags, user, client, answers, print }) => {
    if (flags.ledger !== undefined) {
      if (command.args.length > 0) command.error('error: give a user, or --ledger; --ledger looks at no user');
      const { checkLedger } = await import('./check-ledger.js');
      await checkLedger(flags);
    } else if (command.args.length === 0) command.error("error: missing required argument 'user'");
    else if (flags.act === true) print(await client.check(user), answers.tellUsage);
    else print(await client.user(user), answers.tellUser);
  });
}
