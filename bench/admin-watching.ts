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
  /** Of a server that echoes, and of one that does not: there little else happens, and few tell enough. */
  readonly pairs: Readonly<Record<'loaded' | 'unloaded', number>>;
  readonly slices: number;
  readonly sliceMs: number;
  readonly connections: number;
  readonly warmUpMs: number;
}

/** Who takes part. */
export interface WatchingProcesses {
  readonly server: Worker<AdminServerCalls>;
  readonly client: Worker<ClientCalls>;
  readonly watcher: Worker<WatcherCalls>;
}

/** Of a server that echoes as fast as it can: microseconds per echo by the clock, and of the processor. */
type LoadedSubject = 'throughput' | 'cpu';

/** Of a server where connections come and go and nobody echoes: milliseconds of the processor in a second. */
type UnloadedSubject = 'apart';

/** In which respect a server that is watched is compared with one that is not. */
export type WatchingSubject = LoadedSubject | UnloadedSubject;

/** A server while somebody watches, to the same while nobody does. */
export interface WatchingCompared {
  readonly what: WatchingSubject;
  /** Of throughputs, of what an echo costs the server, or of a second that is full of work and what comes on top. */
  readonly ratio: Ratio;
  /** The same where nobody watches either time. */
  readonly control: Ratio;
  /** What it cost alone and watched, at the median of the pairs. */
  readonly alone: number;
  readonly watched: number;
  readonly pairs: number;
}

/** What came of it, and what the watcher saw meanwhile. */
export interface Watching {
  readonly compared: readonly WatchingCompared[];
  readonly watchedMs: number;
  readonly polls: number;
  readonly events: number;
}

/** Echoes of each connection at a stretch. */
const echoesAtOnce = 15;

/** So often some connections come and go: without, there would be no events. */
const churnEveryMs = 300;
const connectsPerChurn = 10;

type Side = 'alone' | 'watched';

const sides: Sides<Side> = { plain: 'alone', moored: 'watched', twin: 'alone' };

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
  /** Time of the processor that the server's process took. */
  readonly usedMs: number;
}

/** Slices of time in which somebody watches, or not. */
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

  /** Works over and over, and has connections come and go meanwhile. */
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
