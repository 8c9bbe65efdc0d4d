import type { Command } from 'commander';
import type { ConfigView } from '../../admin/schemas.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { inert } from '../../presentation/inert.js';
import { settingsTable } from '../terminal/settings-table.js';

const examples = `
Examples:
  mooring config
  mooring config --json | jq .settings.maxManagersPerUser`;

/** `mooring config` */
export function addConfig(program: Command): void {
  addAskFlags(program.command('config').description('the settings of the running server, each with its source'))
    .addHelpText('after', examples)
    .action(async (flags: AskFlags) => {
      const client = await clientOf(flags);
      printAnswer(flags, await client.config(), tellConfig);
    });
}

/** Each setting as it is written outside code, its value and where that came from. */
export function tellConfig({ environment, settings }: ConfigView): Told {
  const rows = Object.entries(settings).map(([name, { written, source }]) => [
    // As `outsideName` has it, of which a newer server may know more.
    inert(name.replace(/Ms$/, '')),
    inert(written),
    inert(source ?? '-'),
  ]);
  return { text: settingsTable(inert(environment ?? 'none'), rows), hasTrouble: false };
}
