import { Option, type Command } from 'commander';
import { scenarios } from '../../simulation/population.js';
import { seedRules } from '../../simulation/seed/rules.js';
import { addSettingsFlags } from './settings-flags.js';
import { isOfDay, readHours, readSeed, readUsers, refuseUseless, type SimulateFlags } from './simulate-flags.js';

const examples = `
Scenarios:
${Object.entries(scenarios)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}
  small      an hour of everything that can go wrong, for a few users, with settings of its own; checks the promises

Servers to compare with:
${Object.entries(seedRules)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}

Examples:
  mooring simulate --hours 24 --users 10000 --seed 7
  mooring simulate --hours 2 --users 500 --set idleManagerTimeout=120s --set maxManagersPerUser=5
  mooring simulate --users 10000 --compare seed before
  mooring simulate --scenario small --seed 7
  mooring simulate --script failing.json

Exit code: 0 if every promise was kept and no metric failed, 1 if not, or if no user came. A failing run prints the
command that replays it. 2 for wrong usage, 130 after Ctrl-C.`;

/** `mooring simulate` */
export function addSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('what would these settings do? the real core through a day of simulated users, made from a seed')
    .option('--hours <number>', 'simulated hours, at most 576', readHours, 24)
    .option('--users <number>', 'simulated users, at most 1000000', readUsers, 1_000)
    .option('--seed <number>', 'the same seed gives the same day; 0 to 4294967295', readSeed, 1)
    .addOption(
      new Option('--scenario <name>', 'kind of day').choices([...Object.keys(scenarios), 'small']).default('reference'),
    )
    .option('--script <file>', 'replay a script that a failing small world printed; without any other option');
  addSettingsFlags(command)
    .addOption(
      new Option('--compare <server...>', 'the same day under another algorithm, side by side').choices(
        Object.keys(seedRules),
      ),
    )
    .option('--json', 'print the report as JSON')
    .addHelpText('after', examples)
    .action(run);
}

async function run(flags: SimulateFlags, command: Command): Promise<void> {
  refuseUseless(command);
  if (isOfDay(flags) && flags.script === undefined) {
    const { runDay } = await import('./simulate-day.js');
    await runDay(flags);
    return;
  }
  const { replay, runSmallWorld } = await import('./simulate-script.js');
  if (flags.script !== undefined) await replay(flags.script);
  else await runSmallWorld(flags.seed);
}
