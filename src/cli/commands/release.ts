import type { Command } from 'commander';
import { asksServer, type ServerFlags } from './server-command.js';

interface ReleaseFlags extends ServerFlags {
  readonly all?: boolean;
}

const examples = `
Examples:
  mooring release alice thread_7
  mooring release alice --all

Clients are told 4412 requested: they connect again when their user does something. To look first: mooring check alice.
Exit code: 1 when nothing was released.`;

/** `mooring release` */
export function addRelease(program: Command): void {
  const command = program
    .command('release')
    .description('end the connection of a thread, or all connections of a user, in use or not')
    .argument('<user>', 'user id')
    .argument('[thread]', 'thread id')
    .option('--all', 'all connections of the user')
    .hook('preAction', () => {
      const isAll = command.opts<ReleaseFlags>().all === true;
      if (isAll === (command.args[1] !== undefined)) command.error('error: give either a thread or --all');
    });
  asksServer<ReleaseFlags>(command, examples, async ({ user, client, answers, print }) =>
    print(await client.release(user, command.args[1]), answers.tellReleased),
  );
}
