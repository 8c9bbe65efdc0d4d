import type { Command } from 'commander';
import type { KpisView } from '../../admin/schemas.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { count, duration } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { kpiTable, wordsOf } from '../terminal/kpi-table.js';
import type { Paint } from '../terminal/paint.js';
import { aligned } from '../terminal/table.js';

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
      const client = await clientOf(flags);
      printAnswer(flags, await client.kpis(), tellKpis);
    });
}

/** The success metrics, and what they are made of. */
export function tellKpis(view: KpisView, paint: Paint): Told {
  const rows = view.kpis.flatMap(({ number, name, samples, detail }) => {
    const parts = Object.entries(detail).map(([part, value]) => partOf(part, value));
    return samples === 0 || parts.length === 0 ? [] : [[String(number), wordsOf(name), inert(parts.join(', '))]];
  });
  const details = rows.length === 0 ? '' : `\n${aligned(rows)}\n`;
  const hasTrouble = view.kpis.some(({ verdict }) => verdict === 'fail');
  return { text: `${kpiTable(view, paint)}${details}`, hasTrouble };
}

/** `longest 1.2 s`, `timed out 0` */
function partOf(name: string, value: number): string {
  return name.endsWith('Ms') ? `${wordsOf(name.slice(0, -2))} ${duration(value)}` : `${wordsOf(name)} ${count(value)}`;
}
