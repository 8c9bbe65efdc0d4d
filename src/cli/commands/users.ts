import { Option, type Command } from 'commander';
import type { UserPage } from '../../admin/schemas.js';
import { alertLevels } from '../../core/vocabulary.js';
import type { AdminClient, Query } from './admin-client.js';
import { asksServer, type ServerFlags } from './server-command.js';
import { wholeNumber } from './values.js';

interface UsersFlags extends ServerFlags {
  readonly level?: string;
  readonly sort?: string;
  readonly search?: string;
  readonly limit: number;
  readonly all?: boolean;
}

const examples = `
Examples:
  mooring users
  mooring users --level critical --sort idle
  mooring users --search ali --all --json`;

/** Users on the longest page that the API gives. */
const longestPage = 500;

/** `mooring users` */
export function addUsers(program: Command): void {
  const command = program
    .command('users')
    .description('users and how much they hold, the fullest first')
    .addOption(new Option('--level <level>', 'only those at this level').choices(alertLevels))
    .addOption(new Option('--sort <order>', 'what comes first').choices(['usage', 'idle', 'id']))
    .option('--search <text>', 'only ids that contain this text, in any case')
    .option('--limit <number>', 'how many, at most 500', wholeNumber(1, longestPage, '; --all shows all'), 50)
    .option('--all', 'all of them, page by page');
  asksServer<UsersFlags>(command, examples, async ({ flags, client, answers, print }) => {
    const { level, sort, search, limit, all } = flags;
    const query = { level, sort, search, limit };
    print(all === true ? await allUsers(client, query) : await client.users(query), answers.tellUsers);
  });
}

async function allUsers(client: AdminClient, query: Query): Promise<UserPage> {
  let page = await client.users({ ...query, limit: longestPage });
  const users = [...page.users];
  while (page.nextCursor !== null) {
    page = await client.users({ ...query, limit: longestPage, cursor: page.nextCursor });
    users.push(...page.users);
  }
  return { ...page, users };
}
