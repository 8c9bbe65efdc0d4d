import { Progress } from './support/progress.js';
import {
  controlTolerance,
  measurePairs,
  ratioOf,
  type Generation,
  type Pair,
  type Ratio,
  type Sides,
} from './support/pairs.js';
import type { MessageKind, Protocol } from './ws-client.js';
import { settle, startSides, withProcesses, type Processes, type Server } from './ws-processes.js';

/** How much is measured. */
export interface SidesSizes {
  /** How often new processes are started: two processes of one program can differ by a few percent all their life. */
  readonly generations: number;
  readonly pairs: number;
  readonly slices: number;
  /** How many connections to each server echo, and how many echoes each makes in one slice. */
  readonly connections: number;
  readonly echoes: number;
  /** How many connections come and go in one slice. */
  readonly connects: number;
  /** How many slices of each kind run on each server before anything is measured. */
  readonly warmUps: number;
}

/** The result of one comparison. */
export interface Compared {
  readonly what: Subject;
  /** With Mooring to without it: CPU time, or connects per second. */
  readonly ratio: Ratio;
  /** The same for two servers without Mooring. */
  readonly control: Ratio;
  /** Costs: microseconds per echo, milliseconds per connect. */
  readonly generations: readonly Generation<'cost'>[];
}

/** Echoes of a kind of message, or connects. */
export type Subject = MessageKind | 'connects';

/** What is compared. */
interface Comparison {
  readonly protocol: Protocol;
  readonly subjects: readonly Subject[];
}

const comparisonOfWs: Comparison = { protocol: 'ws', subjects: ['json', 'text', 'connects'] };

export function isControlled({ control }: Compared): boolean {
  return Math.abs(control.median - 1) <= controlTolerance;
}

/** A server with Mooring and one without, side by side, and two more without it. */
export async function compareSides(
  sizes: SidesSizes,
  { protocol, subjects }: Comparison = comparisonOfWs,
): Promise<Compared[]> {
  const progress = new Progress(`${protocol}: pairs of servers`);
  const found: Record<Subject, Generation<'cost'>[]> = { json: [], text: [], connects: [] };
  for (let index = 0; index < sizes.generations; index++) {
    await withProcesses(async (processes) => {
      const sides = await startSides(processes);
      await warmUp(processes, { sides, sizes, subjects });
      for (const [step, subject] of subjects.entries()) {
        progress.at(subjects.length * index + step, subjects.length * sizes.generations);
        const sample = async (server: Server) => ({ cost: await costOf(subject, processes, { server, sizes }) });
        found[subject].push(await measurePairs(sides, { ...sizes, sample }));
      }
    }, protocol);
  }
  return subjects.map((what) => comparedOf(what, found[what]));
}

/** For speeds, more is better. */
function comparedOf(what: Subject, generations: Compared['generations']): Compared {
  const ratio = ({ base, other }: Pair<'cost'>): number =>
    what === 'connects' ? base.cost / other.cost : other.cost / base.cost;
  const pairs = generations.map((generation) => generation.pairs);
  const controlPairs = generations.map((generation) => generation.controlPairs);
  return { what, ratio: ratioOf(pairs, ratio), control: ratioOf(controlPairs, ratio), generations };
}

/** All servers and their connections stay until the generation ends. */
async function warmUp(
  processes: Processes,
  { sides, sizes, subjects }: { sides: Sides<Server>; sizes: SidesSizes; subjects: readonly Subject[] },
): Promise<void> {
  const servers = [sides.plain, sides.moored, ...sides.twins];
  for (const server of servers) {
    await processes.client.call('open', { port: server.port, connections: sizes.connections });
    await settle(server, sizes.connections);
  }
  for (let round = 0; round < sizes.warmUps; round++) {
    for (const subject of subjects) for (const server of servers) await costOf(subject, processes, { server, sizes });
  }
}

interface Slice {
  readonly server: Server;
  readonly sizes: SidesSizes;
}

function costOf(subject: Subject, { client }: Processes, slice: Slice): Promise<number> {
  return subject === 'connects' ? msPerConnect(client, slice) : cpuUsPerEcho(client, { ...slice, message: subject });
}

/** User and system time of the server's process alone. */
async function cpuUsPerEcho(
  client: Processes['client'],
  { server: { worker, port }, sizes, message }: Slice & { readonly message: MessageKind },
): Promise<number> {
  const before = await worker.call('cpuUs');
  await client.call('echo', { port, message, each: sizes.echoes });
  const after = await worker.call('cpuUs');
  return (after - before) / (sizes.connections * sizes.echoes);
}

/** Closes each connection as soon as it is open, and waits until the last is closed. */
async function msPerConnect(client: Processes['client'], { server, sizes }: Slice): Promise<number> {
  const tookMs = await client.call('churn', { port: server.port, connects: sizes.connects });
  await settle(server, sizes.connections);
  return tookMs / sizes.connects;
}
