import type { AdminPlace, AdminServerCalls } from './admin-server.js';
import type { WatcherCalls } from './admin-watcher.js';
import { measurePairs, ratioOf, type Generation, type Pair, type Ratio, type Sides } from './support/pairs.js';
import { Progress } from './support/progress.js';
import type { Worker } from './support/worker.js';
import type { ClientCalls } from './ws-client.js';

/** How much is measured. */
export interface WatchingSizes {
  readonly pairs: number;
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

/** `throughput`: echoes by the clock. `cpu`: by the time of the processor the server's process takes. */
export type WatchingSubject = 'throughput' | 'cpu';

const subjects = ['throughput', 'cpu'] as const satisfies WatchingSubject[];

/** Echoes while somebody watches, to echoes of the same server while nobody does. */
export interface WatchingCompared {
  readonly what: WatchingSubject;
  /** Of throughputs, or of what an echo costs the server. */
  readonly ratio: Ratio;
  /** The same where nobody watches either time. */
  readonly control: Ratio;
  readonly generation: Generation;
}

/** What came of it, and what the watcher saw meanwhile. */
export interface Watching {
  readonly compared: readonly WatchingCompared[];
  readonly watchedMs: number;
  readonly polls: number;
  readonly events: number;
}

/** Echoes of each connection at a stretch. After so many stretches some connections come and go: without, there would be no events. */
const echoesAtOnce = 15;
const stretchesPerChurn = 4;
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
  const progress = new Progress('admin: watching');
  const compared: WatchingCompared[] = [];
  for (const [index, what] of subjects.entries()) {
    progress.at(index, subjects.length);
    const generation = await measurePairs(sides, { ...sizes, sample: (side) => slices.costOf(what, side) });
    compared.push(comparedOf(what, generation));
  }
  return { compared, ...slices.seen };
}

/** Of throughputs, more is better. */
function comparedOf(what: WatchingSubject, generation: Generation): WatchingCompared {
  const ratio = ({ base, other }: Pair): number => (what === 'throughput' ? base / other : other / base);
  const { pairs, controlPairs } = generation;
  return { what, ratio: ratioOf([pairs], ratio), control: ratioOf([controlPairs], ratio), generation };
}

/** Slices of time in which everybody echoes as fast as they can. */
class Slices {
  readonly #processes: WatchingProcesses;
  readonly #place: AdminPlace;
  readonly #sizes: WatchingSizes;
  readonly seen = { watchedMs: 0, polls: 0, events: 0 };

  constructor(processes: WatchingProcesses, place: AdminPlace, sizes: WatchingSizes) {
    this.#processes = processes;
    this.#place = place;
    this.#sizes = sizes;
  }

  async begin(): Promise<void> {
    const { connections, warmUpMs } = this.#sizes;
    await this.#processes.client.call('open', { port: this.#place.port, connections });
    await this.#echo(warmUpMs);
  }

  /** Microseconds per echo, of the clock or of the processor. */
  async costOf(what: WatchingSubject, side: Side): Promise<number> {
    if (side === 'watched') await this.#processes.watcher.call('watch', this.#place.adminUrl);
    const { echoes, tookMs, usedMs } = await this.#echo(this.#sizes.sliceMs);
    if (side === 'watched') this.#note(await this.#processes.watcher.call('rest'), tookMs);
    return (1_000 * (what === 'cpu' ? usedMs : tookMs)) / echoes;
  }

  #note({ polls, events }: { polls: number; events: number }, tookMs: number): void {
    if (polls === 0 && tookMs > 5_000) throw new Error('the watcher saw nothing');
    this.seen.watchedMs += tookMs;
    this.seen.polls += polls;
    this.seen.events += events;
  }

  async #echo(forMs: number): Promise<{ echoes: number; tookMs: number; usedMs: number }> {
    const { server, client } = this.#processes;
    const { port } = this.#place;
    const before = await server.call('cpu');
    const startedAt = performance.now();
    let stretches = 0;
    while (performance.now() < startedAt + forMs) {
      await client.call('echo', { port, message: 'json', each: echoesAtOnce });
      stretches += 1;
      if (stretches % stretchesPerChurn === 0) await client.call('churn', { port, connects: connectsPerChurn });
    }
    const tookMs = performance.now() - startedAt;
    const { usedMs } = await server.call('cpu');
    const echoes = stretches * echoesAtOnce * this.#sizes.connections;
    return { echoes, tookMs, usedMs: usedMs - before.usedMs };
  }
}
