import { Command, InvalidArgumentError, Option } from 'commander';
import { endOnSignals } from './support/case.js';
import { print, save } from './support/report.js';
import { plantable, type Planted } from './soak/planted.js';
import { soak } from './soak/soak.js';

interface Flags {
  readonly minutes: number;
  readonly seed: number;
  readonly plant?: Planted;
  readonly quick?: boolean;
}

const examples = `
Examples:
  npm run soak
  npm run soak -- --minutes 240
  npm run soak -- --minutes 3 --plant timers    # must fail, and name them

Exit code: 0 if everything returned to the baseline, 1 if something grew or a healthy connection was closed.`;

endOnSignals();

await new Command('npm run soak --')
  .description('clients that come, go, sleep and die, for a long while: is anything of them left behind?')
  .option('--minutes <number>', 'how long to keep it up, besides warming up; at least 1', minutes, 10)
  .option('--quick', 'two short rounds: shows that it runs, and judges no leak')
  .option('--seed <number>', 'how the clients live follows from it', Number, 1)
  .addOption(new Option('--plant <leak>', 'leak something, to see the soak find it').choices(plantable))
  .addHelpText('after', examples)
  .action(async ({ minutes, seed, plant, quick = false }: Flags) => {
    const report = await soak({ forMs: minutes * 60_000, seed, planted: plant ?? null, isQuick: quick });
    print(report);
    if (!quick) save(plant === undefined ? 'soak' : `soak-${plant}`, report);
    process.exitCode = report.bars.every(({ isMet }) => isMet) ? 0 : 1;
  })
  .parseAsync();

function minutes(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 1) throw new InvalidArgumentError(`got ${text}, wanted a number from 1 on.`);
  return value;
}
