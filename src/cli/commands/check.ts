import type { Command } from 'commander';
import type { ManagerView, UserView } from '../../admin/schemas.js';
import { isAtLeast } from '../../core/pressure/level.js';
import type { Resources } from './admin-client.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { duration } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { levelColours, type Colour, type Paint } from '../terminal/paint.js';
import { suspectLines } from '../terminal/suspects.js';
import { aligned } from '../terminal/table.js';

const examples = `
Examples:
  mooring check alice
  mooring check alice --act
  mooring check alice --json | jq .managerCount

Exit code: 1 when the level is warning or above.`;

/** `mooring check` */
export function addCheck(program: Command): void {
  const command = program
    .command('check')
    .description('who holds how much, and each of their connections')
    .argument('<user>', 'user id')
    .option('--act', 'act on what is found, as after an admission');
  addAskFlags(command)
    .addHelpText('after', examples)
    .action(async (user: string, flags: AskFlags & { readonly act?: boolean }) => {
      const client = await clientOf(flags);
      if (flags.act === true) printAnswer(flags, await client.check(user), tellUsage);
      else printAnswer(flags, await client.user(user), tellUser);
    });
}

/** How full a user's quota is. */
export function tellUsage(
  { userId, managerCount, maxManagers, alertLevel, usageRatio }: Resources,
  paint: Paint,
): Told {
  const usage =
    maxManagers === null
      ? `${String(managerCount)}, no limit`
      : `${String(managerCount)} of ${String(maxManagers)} (${(usageRatio * 100).toFixed(0)} %)`;
  const text = `${paint('bold', inert(userId))}: ${usage}, ${paint(levelColours[alertLevel], alertLevel)}\n`;
  return { text, hasTrouble: isAtLeast(alertLevel, 'warning') };
}

/** The same, with each of their managers. */
export function tellUser(user: UserView, paint: Paint, columns = Infinity): Told {
  const { text, hasTrouble } = tellUsage(user, paint);
  const waiting = user.waiting === 0 ? '' : `${String(user.waiting)} waiting for a place\n`;
  if (user.managers.length === 0)
    return { text: `${text}${waiting}mooring explain says what became of their connections\n`, hasTrouble };
  const header = ['thread', 'age', 'idle', 'silent', 'liveness', 'held', 'engaged', 'error'];
  const table = aligned([header, ...user.managers.map((manager) => rowOf(manager, paint))], columns);
  const suspects = suspectLines(user.managers.flatMap(suspectIn), paint);
  return { text: `${text}${waiting}\n${table}\n${suspects && `\n${suspects}`}`, hasTrouble };
}

function suspectIn({ threadId, suspect }: ManagerView) {
  return suspect === null ? [] : [{ threadId, ...suspect }];
}

const livenessColours: Readonly<Partial<Record<ManagerView['liveness'], Colour>>> = {
  unanswered: 'red',
  'not open': 'red',
  suspect: 'yellow',
};

function rowOf(manager: ManagerView, paint: Paint): string[] {
  const { threadId, ageMs, idleMs, silentMs, liveness, isHeld, isEngaged, error } = manager;
  const colour = livenessColours[liveness];
  return [
    ...[inert(threadId), duration(ageMs), duration(idleMs), silentMs === null ? '-' : duration(silentMs)],
    ...[colour === undefined ? liveness : paint(colour, liveness), isHeld ? 'yes' : 'no', isEngaged ? 'yes' : 'no'],
    error === null ? '' : inert(error),
  ];
}
