import type { CoreInput, CoreLoad, CorePauses } from './core-case.js';
import { runCase, wholeCollections } from './support/case.js';
import { show, type Bar, type Report } from './support/report.js';

/** How many bytes of heap a manager may take at most, without its socket. */
const maxBytes = 600;

const caseUrl = new URL('./core-case.js', import.meta.url);

/** The speed of admission, activity and release, and the memory of a manager. */
export async function benchCore(isQuick: boolean): Promise<Report> {
  const sizes = isQuick ? [1_000, 10_000] : [10_000, 100_000, 1_000_000];
  const activityCalls = isQuick ? 1_000_000 : 20_000_000;
  const loads: CoreLoad[] = [];
  const pauses: { readonly usual: CorePauses; readonly whole: CorePauses }[] = [];
  for (const managers of sizes) {
    loads.push(await runCase<CoreLoad>(caseUrl, { kind: 'load', managers, activityCalls } satisfies CoreInput));
    const input = { kind: 'pauses', managers } satisfies CoreInput;
    const usual = await runCase<CorePauses>(caseUrl, input);
    const whole = await runCase<CorePauses>(caseUrl, input, [wholeCollections]);
    pauses.push({ usual, whole });
  }
  return {
    title: 'Core: admission, activity, release, memory',
    tables: [
      { caption: 'Speed', rows: loads.map(speedRow) },
      { caption: 'Heap in bytes per manager; all share one connection', rows: loads.map(memoryRow) },
      { caption: 'Longest single operation, in ms', rows: pauses.map(pauseRow) },
    ],
    bars: loads.map(memoryBar),
    measured: { loads, pauses },
  };
}

function speedRow(load: CoreLoad) {
  return {
    managers: load.managers,
    'admit/s': load.admitPerSecond,
    'release/s': load.releasePerSecond,
    'activity ns': load.activityNs,
    'activity ns, shuffled': load.activityShuffledNs,
    'of it reading the clock ns': load.clockReadNs,
  };
}

function memoryRow(load: CoreLoad) {
  return {
    managers: load.managers,
    "the application's ids": load.bytesOfIds,
    'its context, as kept by Mooring': load.bytesOfContext,
    'manager, connection, indexes': load.bytesOfManager,
    'left after release': load.bytesLeftAfterRelease,
    'one full GC ms': load.fullGcMs,
  };
}

function pauseRow({ usual, whole }: { readonly usual: CorePauses; readonly whole: CorePauses }) {
  return {
    managers: usual.managers,
    admit: usual.admit.longestMs,
    'admit, GC apart': whole.admit.longestWithoutGcMs,
    release: usual.release.longestMs,
    'release, GC apart': whole.release.longestWithoutGcMs,
  };
}

function memoryBar({ managers, bytesOfManager }: CoreLoad): Bar {
  return {
    bar: `heap per manager at ${show(managers)}`,
    wanted: `at most ${show(maxBytes)} B`,
    got: `${show(bytesOfManager)} B`,
    isMet: bytesOfManager <= maxBytes,
  };
}
