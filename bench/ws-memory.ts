import { pause } from './support/case.js';
import { Progress } from './support/progress.js';
import { settle, withProcesses } from './ws-processes.js';
import type { ServerKind } from './ws-server.js';

/** Bytes per connection, of servers started one after the other. */
export interface Weights {
  readonly connections: number;
  readonly rounds: readonly Weight[];
}

export interface Weight {
  readonly plain: number;
  readonly moored: number;
  readonly twin: number;
}

/** Until timers have run, and what they held can be collected. */
const quietMs = 1_500;

/** Heap and external memory per idle connection, each server in a new process. */
export async function weigh({ rounds, connections }: { rounds: number; connections: number }): Promise<Weights> {
  const progress = new Progress('memory per idle connection');
  const weights: Weight[] = [];
  for (let round = 0; round < rounds; round++) {
    progress.at(round, rounds);
    const plain = await weighOne('plain', connections);
    const moored = await weighOne('moored', connections);
    weights.push({ plain, moored, twin: await weighOne('plain', connections) });
  }
  return { connections, rounds: weights };
}

/** What was there before the connections is not theirs: code, too, so as many have come and gone before. */
function weighOne(kind: ServerKind, connections: number): Promise<number> {
  return withProcesses(async ({ client, start }) => {
    const server = await start(kind);
    await client.call('churn', { port: server.port, connects: Math.min(connections, 2_000) });
    await settle(server, 0);
    await pause(quietMs);
    const before = await server.worker.call('bytes');
    await client.call('open', { port: server.port, connections });
    await settle(server, connections);
    await pause(quietMs);
    const after = await server.worker.call('bytes');
    await settle(server, connections);
    return (after - before) / connections;
  });
}
