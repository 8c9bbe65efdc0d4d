import type { Command } from 'commander';
import type { KpisView } from '../admin/schemas.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { kpiTable } from './kpi-table.js';
import type { Paint } from './paint.js';

const examples = `
Examples:
  mooring kpis
  mooring kpis --json | jq '.kpis[] | {name, verdict}'

Exit code: 1 when a metric fails.`;

/** `mooring kpis` */
export function addKpis(program: Command): void {
  addAskFlags(program.command('kpis').description('the success metrics of the server, with verdicts'))
    .addHelpText('after', examples)
    .action(async (flags: AskFlags) => {
      printAnswer(flags, await clientOf(flags).kpis(), tellKpis);
    });
}

/** The success metrics. */
export function tellKpis(view: KpisView, paint: Paint): Told {
  return { text: kpiTable(view, paint), hasTrouble: view.kpis.some(({ verdict }) => verdict === 'fail') };
}
