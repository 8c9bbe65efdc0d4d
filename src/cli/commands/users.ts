import { InvalidArgumentError, Option, type Command } from 'commander';
import type { UserPage, UserSummary } from '../../admin/schemas.js';
import { alertLevels } from '../../core/vocabulary.js';
import type { AdminClient, UsersQuery } from './admin-client.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { duration } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { levelColours, type Paint } from '../terminal/paint.js';
import { aligned } from '../terminal/table.js';

interface UsersFlags extends AskFlags, UsersQuery {
  readonly all?: boolean;
}

const examples = `
Examples:
  mooring users
  mooring users --level critical --sort idle
  mooring users --search ali --all --json`;

/** The longest page. */
const mostOnPage = 500;

/** `mooring users` */
export function addUsers(program: Command): void {
  const command = program
    .command('users')
    .description('users and how much they hold, the fullest first')
    .addOption(new Option('--level <level>', 'only those at this level').choices(alertLevels))
    .addOption(new Option('--sort <order>', 'what comes first').choices(['usage', 'idle', 'id']))
    .option('--search <text>', 'only ids with this in them, in any case')
    .option('--limit <number>', 'how many, at most 500', pageLength, 50)
    .option('--all', 'all of them, page by page');
  addAskFlags(command)
    .addHelpText('after', examples)
    .action(async (flags: UsersFlags) => {
      const { level, sort, search, limit, all } = flags;
      const query = { level, sort, search, limit: all === true ? mostOnPage : limit };
      const client = await clientOf(flags);
      printAnswer(flags, all === true ? await everybody(client, query) : await client.users(query), tellUsers);
    });
}

/** @throws InvalidArgumentError */
function pageLength(text: string): number {
  const length = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (length >= 1 && length <= mostOnPage) return length;
  throw new InvalidArgumentError(`Wanted a whole number from 1 to ${String(mostOnPage)}; --all shows all.`);
}

async function everybody(client: AdminClient, query: UsersQuery): Promise<UserPage> {
  let page = await client.users(query);
  const users = [...page.users];
  while (page.nextCursor !== null) {
    page = await client.users({ ...query, cursor: page.nextCursor });
    users.push(...page.users);
  }
  return { ...page, users };
}

/** A page of users. */
export function tellUsers({ users, total }: UserPage, paint: Paint, columns = Infinity): Told {
  if (users.length === 0) return { text: 'no users\n', hasTrouble: false };
  const more = users.length < total ? `\n${String(users.length)} of ${String(total)}; --all shows all\n` : '';
  return { text: `${userTable(users, paint, columns)}\n${more}`, hasTrouble: false };
}

/** A line for each. @param columns long ids are cut to fit */
export function userTable(users: readonly UserSummary[], paint: Paint, columns: number): string {
  const header = ['user', 'managers', 'usage', 'level', 'held', 'suspects', 'waiting', 'idle', 'longest idle'];
  const rows = users.map(({ userId, managerCount, maxManagers, usageRatio, alertLevel, ...rest }) => [
    ...[
      inert(userId),
      maxManagers === null ? `${String(managerCount)}, no limit` : `${String(managerCount)} of ${String(maxManagers)}`,
      maxManagers === null ? '-' : `${(usageRatio * 100).toFixed(0)} %`,
    ],
    ...[paint(levelColours[alertLevel], alertLevel), String(rest.held), String(rest.suspects)],
    ...[String(rest.waiting), duration(rest.idleMs), duration(rest.longestIdleMs)],
  ]);
  return aligned([header, ...rows], columns);
}
