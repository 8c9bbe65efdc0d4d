import type { AdminPlace, AdminServerCalls } from './admin-server.js';
import type { WatcherCalls } from './admin-watcher.js';
import { pause } from './support/case.js';
import { median } from './support/numbers.js';
import {
  measurePairs,
  ratioOf,
  type Costs,
  type Generation,
  type Pair,
  type Ratio,
  type Sides,
} from './support/pairs.js';
import { Progress } from './support/progress.js';
import type { Worker } from './support/worker.js';
import type { ClientCalls } from './ws-client.js';

/** How much is measured. */
export interface WatchingSizes {
  /** Of a server that echoes, and of one that does not. The latter does little else, so that few pairs are enough. */
  readonly pairs: Readonly<Record<'loaded' | 'unloaded', number>>;
  readonly slices: number;
  readonly sliceMs: number;
  readonly connections: number;
  readonly warmUpMs: number;
}

/** The processes of a measurement. */
export interface WatchingProcesses {
  readonly server: Worker<AdminServerCalls>;
  readonly client: Worker<ClientCalls>;
  readonly watcher: Worker<WatcherCalls>;
}

/** For a server that echoes as fast as it can: microseconds per echo, of real time and of CPU time. */
type LoadedSubject = 'throughput' | 'cpu';

/** For a server where connections come and go and nothing echoes: milliseconds of CPU time in a second. */
type UnloadedSubject = 'apart';

/** What is compared between a watched server and one that is not watched. */
export type WatchingSubject = LoadedSubject | UnloadedSubject;

/** A server that is watched, compared with the same server while it is not. */
export interface WatchingCompared {
  readonly what: WatchingSubject;
  /** Of throughputs, of CPU time per echo, or of a full second to that second and the extra CPU time. */
  readonly ratio: Ratio;
  /** The same, if nobody watches either time. */
  readonly control: Ratio;
  /** The cost alone and watched, as medians of the pairs. */
  readonly alone: number;
  readonly watched: number;
  readonly pairs: number;
}

/** The comparisons, and what the watcher received meanwhile. */
export interface Watching {
  readonly compared: readonly WatchingCompared[];
  readonly watchedMs: number;
  readonly polls: number;
  readonly events: number;
}

/** Echoes of each connection in one call. */
const echoesAtOnce = 15;

/** How often some connections come and go, in milliseconds. Without them there would be no events. */
const churnEveryMs = 300;
const connectsPerChurn = 10;

type Side = 'alone' | 'watched';

const sides: Sides<Side> = { plain: 'alone', moored: 'watched', twins: ['alone', 'alone'] };

export async function measureWatching(
  processes: WatchingProcesses,
  place: AdminPlace,
  sizes: WatchingSizes,
): Promise<Watching> {
  const slices = new Slices(processes, place, sizes);
  await slices.begin();
  const progress = new Progress('admin: watching, pairs');
  const { pairs, slices: slicesPerSide } = sizes;
  const all = pairs.loaded + pairs.unloaded;
  const loaded = await measurePairs<Side, LoadedSubject>(sides, {
    pairs: pairs.loaded,
    slices: slicesPerSide,
    sample: (side) => slices.loaded(side),
    onPair: (index) => progress.at(index, all),
  });
  const unloaded = await measurePairs<Side, UnloadedSubject>(sides, {
    pairs: pairs.unloaded,
    slices: slicesPerSide,
    sample: (side) => slices.unloaded(side),
    onPair: (index) => progress.at(pairs.loaded + index, all),
  });
  if (slices.seen.polls === 0 || slices.seen.events === 0) throw new Error('the watcher saw nothing');
  const compared = [
    comparedBy('throughput', loaded, (alone, watched) => alone / watched),
    comparedBy('cpu', loaded, (alone, watched) => watched / alone),
    comparedBy('apart', unloaded, (alone, watched) => (1_000 + watched) / (1_000 + alone)),
  ];
  return { compared, ...slices.seen };
}

function comparedBy<What extends WatchingSubject>(
  what: What,
  { pairs, controlPairs }: Generation<What>,
  ratioBy: (alone: number, watched: number) => number,
): WatchingCompared {
  const ratio = ({ base, other }: Pair<What>): number => ratioBy(base[what], other[what]);
  return {
    what,
    ratio: ratioOf([pairs], ratio),
    control: ratioOf([controlPairs], ratio),
    alone: median(pairs.map(({ base }) => base[what])),
    watched: median(pairs.map(({ other }) => other[what])),
    pairs: pairs.length,
  };
}

/** What a server did in a slice of time. */
interface Slice {
  readonly tookMs: number;
  /** CPU time of the server's process. */
  readonly usedMs: number;
}

/** Slices of time in which somebody watches, or nobody does. */
class Slices {
  readonly #processes: WatchingProcesses;
  readonly #place: AdminPlace;
  readonly #sizes: WatchingSizes;
  readonly seen = { watchedMs: 0, polls: 0, events: 0 };
  #churnedAt = 0;

  constructor(processes: WatchingProcesses, place: AdminPlace, sizes: WatchingSizes) {
    this.#processes = processes;
    this.#place = place;
    this.#sizes = sizes;
  }

  async begin(): Promise<void> {
    const { connections, warmUpMs } = this.#sizes;
    await this.#processes.client.call('open', { port: this.#place.port, connections });
    await this.#slice(() => this.#echo(), warmUpMs);
  }

  async loaded(side: Side): Promise<Costs<LoadedSubject>> {
    let echoes = 0;
    const { tookMs, usedMs } = await this.#seen(side, async () => {
      echoes += await this.#echo();
    });
    return { throughput: (1_000 * tookMs) / echoes, cpu: (1_000 * usedMs) / echoes };
  }

  async unloaded(side: Side): Promise<Costs<UnloadedSubject>> {
    const { tookMs, usedMs } = await this.#seen(side, () => pause(churnEveryMs / 10));
    return { apart: (1_000 * usedMs) / tookMs };
  }

  async #seen(side: Side, work: () => Promise<void>): Promise<Slice> {
    if (side === 'alone') return this.#slice(work);
    const { watcher } = this.#processes;
    await watcher.call('watch', this.#place.adminUrl);
    const slice = await this.#slice(work);
    const { polls, events } = await watcher.call('rest');
    this.seen.watchedMs += slice.tookMs;
    this.seen.polls += polls;
    this.seen.events += events;
    return slice;
  }

  /** Repeats the work for the length of a slice, while connections come and go. */
  async #slice(work: () => Promise<unknown>, forMs = this.#sizes.sliceMs): Promise<Slice> {
    const { server } = this.#processes;
    const before = await server.call('cpu');
    const startedAt = performance.now();
    while (performance.now() < startedAt + forMs) {
      await work();
      await this.#churn();
    }
    const tookMs = performance.now() - startedAt;
    const { usedMs } = await server.call('cpu');
    return { tookMs, usedMs: usedMs - before.usedMs };
  }

  /** @returns how many echoes there were */
  async #echo(): Promise<number> {
    await this.#processes.client.call('echo', { port: this.#place.port, message: 'json', each: echoesAtOnce });
    return echoesAtOnce * this.#sizes.connections;
  }

  async #churn(): Promise<void> {
    const now = performance.now();
    if (now - this.#churnedAt < churnEveryMs) return;
    this.#churnedAt = now;
    await this.#processes.client.call('churn', { port: this.#place.port, connects: connectsPerChurn });
  }
}
