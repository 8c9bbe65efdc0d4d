import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ImportsCost, ImportsInput } from './imports-case.js';
import { runCase } from './support/case.js';
import { median } from './support/numbers.js';
import { controlTolerance, measurePairs, ratioOf, ratioText, type Generation, type Ratio } from './support/pairs.js';
import { Progress } from './support/progress.js';
import { show, type Bar, type Report } from './support/report.js';

/** What importing Mooring may take, compared with importing what it needs. */
const maxRatio = 1.2;

/** Each run is a process of its own, and there are four in a pair: two of each side. */
const sizes = { quick: 3, full: 100 };

const caseUrl = new URL('./imports-case.js', import.meta.url);
const needed = ['zod', 'ws'];
/** The package as it is built and shipped, not the code that the benchmarks are compiled with. */
const library = ['dist/lib/index.js', 'dist/lib/ws.js'].map((file) => pathToFileURL(join(process.cwd(), file)).href);

const costs = ['ms', 'cpuMs'] as const;
type Cost = (typeof costs)[number];

const words = { ms: 'time', cpuMs: 'CPU time' } as const satisfies Record<Cost, string>;

interface Compared {
  readonly cost: Cost;
  readonly ratio: Ratio;
  readonly control: Ratio;
  readonly generation: Generation<Cost>;
}

/** Importing `mooring` and `mooring/ws`, compared with importing `zod` and `ws`, in fresh processes. */
export async function benchImports(isQuick: boolean): Promise<Report> {
  const generation = await measure(isQuick ? sizes.quick : sizes.full);
  const compared = costs.map((cost) => compare(generation, cost));
  const isVoid = !compared.every(isControlled);
  return {
    title: `Importing the library${isVoid ? ': VOID' : ''}`,
    tables: [
      {
        caption:
          'mooring and mooring/ws to zod and ws, in fresh processes: the median of all pairs (its 95 % interval)',
        rows: compared.map(rowOf),
      },
    ],
    bars: compared.flatMap((found) => barsOf(found, isVoid)),
    measured: { isVoid, generation },
  };
}

async function measure(pairs: number): Promise<Generation<Cost>> {
  const progress = new Progress('import, pairs');
  const sample = (specifiers: readonly string[]): Promise<ImportsCost> =>
    runCase(caseUrl, { specifiers } satisfies ImportsInput);
  // So that the files are in memory.
  await sample([...needed, ...library]);
  return measurePairs<readonly string[], Cost>(
    { plain: needed, moored: library, twins: [needed, needed] },
    { pairs, slices: 2, sample, onPair: (index) => progress.at(index, pairs) },
  );
}

function compare(generation: Generation<Cost>, cost: Cost): Compared {
  const [ratio, control] = [generation.pairs, generation.controlPairs].map((pairs) =>
    ratioOf([pairs], ({ base, other }) => other[cost] / base[cost]),
  ) as [Ratio, Ratio];
  return { cost, ratio, control, generation };
}

function isControlled({ control }: Compared): boolean {
  return Math.abs(control.median - 1) <= controlTolerance;
}

function rowOf({ cost, ratio, control, generation: { pairs } }: Compared) {
  return {
    what: `${words[cost]} to import`,
    'zod and ws': `${show(median(pairs.map(({ base }) => base[cost])))} ms`,
    'mooring and mooring/ws': `${show(median(pairs.map(({ other }) => other[cost])))} ms`,
    ratio: ratioText(ratio),
    'A/A control': ratioText(control),
    pairs: pairs.length,
  };
}

/** If any control fails, no ratio of the run counts. */
function barsOf(found: Compared, isVoid: boolean): Bar[] {
  const { cost, ratio, control } = found;
  return [
    {
      bar: `${words[cost]} to import`,
      wanted: `at most ${maxRatio} x`,
      got: `${isVoid ? 'VOID: ' : ''}${ratioText(ratio)}`,
      isMet: ratio.median <= maxRatio && !isVoid,
    },
    {
      bar: `${words[cost]} to import: A/A control`,
      wanted: `1 ± ${controlTolerance}`,
      got: ratioText(control),
      isMet: isControlled(found),
    },
  ];
}
