import { Option, type Command } from 'commander';
import { routineStrategyNames } from '../../core/vocabulary.js';
import { asksServer, type ServerFlags } from './server-command.js';
import { wholeNumber } from './values.js';

interface CleanupFlags extends ServerFlags {
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

Each connection is pinged. A connection that answers no ping for minSilence (3 s) is a suspect, and is released even if
it is in use. A connection that answers is released only if it is idle or failed, or if you give --evict or --keep.
A dry run pings too, says which connections would be released and why, and releases none.
Exit code: 1 when there was not enough time, or nothing is known of the user.`;

/** `mooring cleanup` */
export function addCleanup(program: Command): void {
  const command = program
    .command('cleanup')
    .description('release the dead, the suspects, the idle and the failed connections of a user')
    .argument('<user>', 'user id')
    .option('--emergency', 'with the shorter idle times of an emergency')
    .addOption(new Option('--strategy <name...>', 'these only; not with --emergency').choices(routineStrategyNames))
    .option(
      '--evict <number>',
      'with --emergency: evict at most so many connections that are not in use; with --keep, whichever evicts fewer',
      wholeNumber(0, 999_999),
    )
    .option(
      '--keep <number>',
      'with --emergency: evict connections that are not in use until so many are left',
      wholeNumber(0, 999_999),
    )
    .option('--dry-run', 'say which would be released and why, and release none')
    .hook('preAction', () => {
      const { emergency = false, strategy, evict, keep } = command.opts<CleanupFlags>();
      if (emergency && strategy !== undefined) command.error('error: --strategy does nothing with --emergency');
      if (!emergency && (evict !== undefined || keep !== undefined))
        command.error('error: --evict and --keep need --emergency');
    });
  asksServer<CleanupFlags>(command, examples, async ({ flags, user, client, answers, print }) => {
    const { emergency = false, strategy: strategies, evict, keep, dryRun = false } = flags;
    const action = emergency ? 'emergency-cleanup' : 'cleanup';
    const body = emergency ? { dryRun, evict, keep } : { dryRun, strategies };
    print(await client.cleanup(user, action, body), answers.tellCleanup);
  });
}
