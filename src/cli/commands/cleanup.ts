import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CleanupView } from '../../admin/schemas.js';
import { routineStrategyNames } from '../../core/vocabulary.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { duration } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { reasonOf, totalOf } from '../../presentation/releases.js';
import type { Paint } from '../terminal/paint.js';
import { aligned } from '../terminal/table.js';

interface CleanupFlags extends AskFlags {
  readonly emergency?: boolean;
  readonly strategy?: readonly string[];
  readonly evict?: number;
  readonly keep?: number;
  readonly dryRun?: boolean;
}

const examples = `
Examples:
  mooring cleanup alice --dry-run
  mooring cleanup alice --strategy disconnected idle
  mooring cleanup alice --emergency --keep 5

Each connection is asked whether it is there. One that leaves our pings unanswered for minSilence (3 s) is a suspect, and
goes, in use or not; one that answers goes only where it is idle or failed, or where you say --evict or --keep.
A dry run asks too, says who would go and why, and releases nobody.
Exit code: 1 when there was not enough time, or nothing is known of the user.`;

/** `mooring cleanup` */
export function addCleanup(program: Command): void {
  const command = program
    .command('cleanup')
    .description('release the dead, the suspects, the idle and the failed connections of a user')
    .argument('<user>', 'user id')
    .option('--emergency', 'with the patience of an emergency')
    .addOption(new Option('--strategy <name...>', 'these only; not with --emergency').choices(routineStrategyNames))
    .option(
      '--evict <number>',
      'with --emergency: evict up to so many that are not in use; with --keep, no more than either allows',
      wholeNumber,
    )
    .option('--keep <number>', 'with --emergency: evict those not in use until so many are left', wholeNumber)
    .option('--dry-run', 'say who would go and why, and release nobody');
  addAskFlags(command).addHelpText('after', examples).action(run);
}

async function run(user: string, flags: CleanupFlags, command: Command): Promise<void> {
  const { emergency: isEmergency = false, strategy: strategies, evict, keep, dryRun = false } = flags;
  if (isEmergency && strategies !== undefined) command.error('error: --strategy does nothing with --emergency');
  if (!isEmergency && (evict !== undefined || keep !== undefined))
    command.error('error: --evict and --keep want --emergency');
  const body = isEmergency ? { dryRun, evict, keep } : { dryRun, strategies };
  const client = await clientOf(flags);
  printAnswer(flags, await client.cleanup(user, { isEmergency, body }), tellCleanup);
}

/** Who goes, or would go, and why. */
export function tellCleanup(view: CleanupView, paint: Paint): Told {
  const { userId, dryRun, chosen, cleaned, remaining, durationMs, timedOut, byStrategy } = view;
  const rows = chosen.map((each) => [`  ${inert(each.threadId)}`, inert(each.strategy), reasonOf(each)]);
  const count = dryRun ? `${String(totalOf(byStrategy))} would be released` : `${String(cleaned)} released`;
  const tally = Object.entries(byStrategy).flatMap(([name, number]) =>
    number > 0 ? [inert(`${name} ${String(number)}`)] : [],
  );
  const totals = tally.length === 0 ? '' : ` (${tally.join(', ')})`;
  const late = timedOut ? paint('red', '; there was not enough time') : '';
  const head = `${paint('bold', inert(userId))}: ${count}${totals}, ${String(remaining)} left, in ${duration(durationMs)}${late}`;
  return { text: rows.length === 0 ? `${head}\n` : `${head}\n${aligned(rows)}\n`, hasTrouble: timedOut };
}

/** A number of managers. @throws InvalidArgumentError */
function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Wanted a whole number, at most 999999.');
}
