import type { Command } from 'commander';
import { asksServer, type ServerFlags } from './server-command.js';

interface CheckFlags extends ServerFlags {
  readonly act?: boolean;
}

const examples = `
Examples:
  mooring check alice
  mooring check alice --act
  mooring check alice --json | jq .managerCount

Without --act it only looks. Exit code: 1 when the level is warning or above.`;

/** `mooring check` */
export function addCheck(program: Command): void {
  const command = program
    .command('check')
    .description('how much a user holds, and each of their connections')
    .argument('<user>', 'user id')
    .option('--act', 'start the cleanup that the level calls for, as after an admission');
  asksServer<CheckFlags>(command, examples, async ({ flags, user, client, answers, print }) => {
    if (flags.act === true) print(await client.check(user), answers.tellUsage);
    else print(await client.user(user), answers.tellUser);
  });
}
