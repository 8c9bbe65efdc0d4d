import { median } from './support/numbers.js';
import { controlTolerance, ratioText, type Costs } from './support/pairs.js';
import { show, type Bar, type Report, type Row } from './support/report.js';
import { weigh, type Weights } from './ws-memory.js';
import { compareSides, isControlled, type Compared, type SidesSizes, type Subject } from './ws-sides.js';

interface Sizes extends SidesSizes {
  readonly idleConnections: number;
  readonly weighings: number;
}

const quick: Sizes = {
  generations: 1,
  pairs: 3,
  slices: 2,
  connections: 200,
  echoes: 15,
  connects: 200,
  warmUps: 5,
  idleConnections: 1_000,
  weighings: 1,
};

/** 180 pairs in about fifteen minutes. */
const full: Sizes = {
  generations: 15,
  pairs: 12,
  slices: 4,
  connections: 200,
  echoes: 15,
  connects: 200,
  warmUps: 20,
  idleConnections: 8_000,
  weighings: 3,
};

const words = {
  json: 'CPU per echo of short JSON',
  text: 'CPU per echo of short text',
  connects: 'connects per second',
} as const satisfies Record<Subject, string>;

const units = { json: 'us', text: 'us', connects: '/s' } as const satisfies Record<Subject, string>;

/** What Mooring may cost compared with the heartbeat that it replaces. */
const maxCpuRatio = 1.03;
const minConnectsRatio = 0.9;
const maxBytes = 800;

/** A `ws` server with Mooring, compared with the same server with the heartbeat of `ws`'s README. */
export async function benchWs(isQuick: boolean): Promise<Report> {
  const sizes = isQuick ? quick : full;
  const compared = await compareSides(sizes);
  const weights = await weigh({ rounds: sizes.weighings, connections: sizes.idleConnections });
  const isVoid = !compared.every(isControlled);
  return {
    title: `The ws adapter, beside ws with the heartbeat of its README${isVoid ? ': VOID' : ''}`,
    tables: [
      { caption: 'With Mooring to without: the median of all pairs (its 95 % interval)', rows: compared.map(rowOf) },
      { caption: 'Heap and external bytes per idle connection', rows: weightRows(weights) },
    ],
    bars: [...compared.flatMap((found) => barsOf(found, isVoid)), weightBar(weights)],
    measured: { isVoid, sizes, compared, weights },
  };
}

function rowOf({ what, ratio, control, generations }: Compared): Row {
  const pairs = generations.flatMap((generation) => generation.pairs);
  const shown = (costs: Costs<'cost'>[]): string => {
    const cost = median(costs.map((each) => each.cost));
    return `${show(what === 'connects' ? Math.round(1_000 / cost) : cost)} ${units[what]}`;
  };
  return {
    what: words[what],
    without: shown(pairs.map(({ base }) => base)),
    with: shown(pairs.map(({ other }) => other)),
    ratio: ratioText(ratio),
    'A/A control': ratioText(control),
    pairs: pairs.length,
    processes: 4 * generations.length,
  };
}

/** If any control fails, no ratio of the run counts. */
function barsOf(found: Compared, isVoid: boolean): Bar[] {
  const { what, ratio, control } = found;
  const isEnough = what === 'connects' ? ratio.median >= minConnectsRatio : ratio.median <= maxCpuRatio;
  return [
    {
      bar: words[what],
      wanted: what === 'connects' ? `at least ${minConnectsRatio} x` : `at most ${maxCpuRatio} x`,
      got: `${isVoid ? 'VOID: ' : ''}${ratioText(ratio)}`,
      isMet: isEnough && !isVoid,
    },
    {
      bar: `${words[what]}: A/A control`,
      wanted: `1 ± ${controlTolerance}`,
      got: ratioText(control),
      isMet: isControlled(found),
    },
  ];
}

function weightRows({ connections, rounds }: Weights): Row[] {
  return rounds.map(({ plain, moored, twin }) => ({
    connections,
    without: Math.round(plain),
    with: Math.round(moored),
    more: Math.round(moored - plain),
    'A/A control: more': Math.round(twin - plain),
  }));
}

function weightBar({ connections, rounds }: Weights): Bar {
  const more = median(rounds.map(({ plain, moored }) => moored - plain));
  return {
    bar: `memory per idle connection, of ${show(connections)}`,
    wanted: `at most ${show(maxBytes)} B more`,
    got: `${show(Math.round(more))} B more`,
    isMet: more <= maxBytes,
  };
}
