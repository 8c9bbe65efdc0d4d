import type { Command } from 'commander';
import type { ConfigView } from '../admin/schemas.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { inert } from './inert.js';
import { aligned } from './table.js';

const examples = `
Examples:
  mooring config
  mooring config --json | jq .settings.maxManagersPerUser`;

/** `mooring config` */
export function addConfig(program: Command): void {
  addAskFlags(program.command('config').description('the settings of the running server, each with its source'))
    .addHelpText('after', examples)
    .action(async (flags: AskFlags) => {
      printAnswer(flags, await clientOf(flags).config(), tellConfig);
    });
}

/** Each setting, its value and where that came from. */
export function tellConfig({ environment, settings }: ConfigView): Told {
  const rows = Object.entries(settings).map(([name, { written, source }]) => [name, inert(written), source ?? '-']);
  return { text: `environment: ${environment ?? 'none'}\n\n${aligned(rows)}\n`, hasTrouble: false };
}
