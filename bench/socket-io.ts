import { controlTolerance, ratioText } from './support/pairs.js';
import { show, type Bar, type Report, type Row } from './support/report.js';
import { median } from './support/numbers.js';
import { compareSides, isControlled, type Compared, type SidesSizes } from './ws-sides.js';

const quick: SidesSizes = {
  generations: 1,
  pairs: 3,
  slices: 2,
  connections: 100,
  echoes: 15,
  connects: 0,
  warmUps: 5,
};

/** 96 pairs in about eight minutes. */
const full: SidesSizes = { ...quick, generations: 8, pairs: 12, slices: 4, warmUps: 20 };

const words = { json: 'CPU per echo of an object', text: 'CPU per echo of text' } as const;

type Echo = keyof typeof words;

const maxCpuRatio = 1.05;

/** A Socket.IO server with Mooring, compared with the same server without, over WebSocket. */
export async function benchSocketIo(isQuick: boolean): Promise<Report> {
  const sizes = isQuick ? quick : full;
  const compared = await compareSides(sizes, { protocol: 'socket.io', subjects: ['json', 'text'] });
  const isVoid = !compared.every(isControlled);
  return {
    title: `The Socket.IO adapter, beside Socket.IO alone${isVoid ? ': VOID' : ''}`,
    tables: [
      { caption: 'With Mooring to without: the median of all pairs (its 95 % interval)', rows: compared.map(rowOf) },
    ],
    bars: compared.flatMap((found) => barsOf(found, isVoid)),
    measured: { isVoid, sizes, compared },
  };
}

function rowOf({ what, ratio, control, generations }: Compared): Row {
  const pairs = generations.flatMap((generation) => generation.pairs);
  return {
    what: words[what as Echo],
    without: `${show(median(pairs.map(({ base }) => base.cost)))} us`,
    with: `${show(median(pairs.map(({ other }) => other.cost)))} us`,
    ratio: ratioText(ratio),
    'A/A control': ratioText(control),
    pairs: pairs.length,
  };
}

/** If any control fails, no ratio of the run counts. */
function barsOf(found: Compared, isVoid: boolean): Bar[] {
  const what = words[found.what as Echo];
  return [
    {
      bar: what,
      wanted: `at most ${maxCpuRatio} x`,
      got: `${isVoid ? 'VOID: ' : ''}${ratioText(found.ratio)}`,
      isMet: found.ratio.median <= maxCpuRatio && !isVoid,
    },
    {
      bar: `${what}: A/A control`,
      wanted: `1 ± ${controlTolerance}`,
      got: ratioText(found.control),
      isMet: isControlled(found),
    },
  ];
}
