import type { BackgroundInput, BackgroundOutput, Cycle, Situation } from './background-case.js';
import { runCase, wholeCollections } from './support/case.js';
import { median } from './support/numbers.js';
import { show, type Bar, type Report, type Row } from './support/report.js';
import type { Hits, VictimsInput, VictimsOutput } from './victims-case.js';

const cycleUrl = new URL('./background-case.js', import.meta.url);
const victimsUrl = new URL('./victims-case.js', import.meta.url);

/** A cycle as it runs, and the same with every collection reported, to tell the two apart. */
interface Measured {
  readonly usual: BackgroundOutput;
  readonly whole: BackgroundOutput;
}

const situations = ['none', 'steady', 'some', 'all'] as const satisfies Situation[];

const words = {
  none: 'nobody due',
  steady: 'all active, a tenth looked at',
  some: '1 % due',
  all: 'all due',
} as const satisfies Record<Situation, string>;

/** The background cycle at all sizes, compared with the sketch's algorithm and an oracle. */
export async function benchBackground(isQuick: boolean): Promise<Report> {
  const sizes = isQuick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
  const cycles: Measured[] = [];
  for (const situation of situations) for (const managers of sizes) cycles.push(await measure({ situation, managers }));
  const victims = await measureVictims(isQuick);
  const tables = [
    { caption: 'One background cycle, in ms (median of the cycles)', rows: cycles.map(cycleRow) },
    { caption: "Who is taken of 0.1 % planted of each kind, and the sketch's time", rows: victims.flatMap(victimRows) },
  ];
  const bars = isQuick ? [] : barsOf(cycles, victims);
  return { title: 'Background cleanup', tables, bars, measured: { cycles, victims } };
}

async function measure(input: BackgroundInput): Promise<Measured> {
  const usual = await runCase<BackgroundOutput>(cycleUrl, input);
  return { usual, whole: await runCase<BackgroundOutput>(cycleUrl, input, [wholeCollections]) };
}

/** With 0.1 % of each kind planted, and with none, to measure the time of a cycle that finds nothing. */
async function measureVictims(isQuick: boolean): Promise<VictimsOutput[]> {
  const victims: VictimsOutput[] = [];
  for (const managers of isQuick ? [1_000] : [1_000, 10_000, 100_000]) {
    for (const plantEach of [0, managers / 1_000]) {
      const input = { managers, plantEach, withSketch: managers <= 10_000 } satisfies VictimsInput;
      victims.push(await runCase(victimsUrl, input));
    }
  }
  return victims;
}

function cycleRow({ usual, whole }: Measured): Row {
  const of = (field: keyof Cycle, { cycles } = usual): number => median(cycles.map((cycle) => cycle[field]));
  return {
    situation: words[usual.situation],
    managers: usual.managers,
    cleaned: of('cleaned'),
    cycle: of('durationMs'),
    'of it GC': of('gcMs'),
    'longest slice': longest(usual, 'longestSliceMs'),
    'waits apart': longest(usual, 'longestSliceWithoutWaitMs'),
    'waits and GC apart': longest(whole, 'longestSliceWithoutGcMs'),
    'longest timer after': longest(usual, 'longestTimerMs'),
    'its waits and GC apart': longest(whole, 'longestTimerWithoutGcMs'),
  };
}

function longest({ cycles }: BackgroundOutput, field: keyof Cycle): number {
  return Math.max(...cycles.map((cycle) => cycle[field]));
}

function victimRows({
  managers,
  planted,
  byCycle,
  byCycleAndHeartbeat,
  bySketch,
  cycleMs,
  sketchMs,
}: VictimsOutput): Row[] {
  const row = (who: string, hits: Hits, ms: number | string): Row => ({ managers, who, ...hits, ms });
  return [
    row('oracle: must go', planted, ''),
    row('cycle', byCycle, cycleMs),
    row('cycle and one heartbeat interval', byCycleAndHeartbeat, ''),
    ...(bySketch === null || sketchMs === null ? [] : [row("sketch's cycle", bySketch, sketchMs)]),
  ];
}

function barsOf(cycles: readonly Measured[], victims: readonly VictimsOutput[]): Bar[] {
  const at = (situation: Situation, managers: number): Measured | undefined =>
    cycles.find(({ usual }) => usual.situation === situation && usual.managers === managers);
  const noneMs = (managers: number): number =>
    median(at('none', managers)?.usual.cycles.map((c) => c.durationMs) ?? []);
  const slice = (managers: number, field: keyof Cycle, kind: keyof Measured): number => {
    const found = at('all', managers);
    return found === undefined ? Number.NaN : longest(found[kind], field);
  };
  return [
    atMost('nobody due, 1 M managers', noneMs(1_000_000), { max: 1, unit: 'ms' }),
    atMost('nobody due, 1 M against 10 k', noneMs(1_000_000) / noneMs(10_000), { max: 1.5, unit: 'x' }),
    atMost(
      'longest slice, 100 k all due, waits for a CPU apart',
      slice(100_000, 'longestSliceWithoutWaitMs', 'usual'),
      {
        max: 10,
        unit: 'ms',
      },
    ),
    atMost('longest slice, 1 M all due, waits and GC apart', slice(1_000_000, 'longestSliceWithoutGcMs', 'whole'), {
      max: 10,
      unit: 'ms',
    }),
    ...victims.flatMap(victimBars),
  ];
}

function atMost(bar: string, got: number, { max, unit }: { max: number; unit: string }): Bar {
  return { bar, wanted: `at most ${show(max)} ${unit}`, got: `${show(got)} ${unit}`, isMet: got <= max };
}

function victimBars({ managers, planted, byCycleAndHeartbeat, cycleMs, sketchMs }: VictimsOutput): Bar[] {
  const same = JSON.stringify(byCycleAndHeartbeat) === JSON.stringify(planted);
  const situation = planted.idle === 0 ? 'nobody due' : '0.1 % of each kind';
  const victims: Bar = {
    bar: `victims at ${show(managers)}, ${situation}, cycle and heartbeat`,
    wanted: "the oracle's",
    got: same ? 'the same' : JSON.stringify(byCycleAndHeartbeat),
    isMet: same,
  };
  if (managers !== 10_000 || sketchMs === null) return [victims];
  const times = sketchMs / cycleMs;
  const bar = `faster than the sketch, 10 k managers of 2 k users, ${situation}`;
  return [victims, { bar, wanted: 'at least 10,000 x', got: `${show(times)} x`, isMet: times >= 10_000 }];
}
