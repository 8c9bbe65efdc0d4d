import { pause } from './support/case.js';
import { Progress } from './support/progress.js';
import { settle, withProcesses } from './ws-processes.js';
import type { ServerKind } from './ws-server.js';

/** Bytes per connection, for servers started one after the other. */
export interface Weights {
  readonly connections: number;
  readonly rounds: readonly Weight[];
}

export interface Weight {
  readonly plain: number;
  readonly moored: number;
  readonly twin: number;
}

/** How long it takes until timers have fired and their memory can be collected. */
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

/** Earlier memory is not counted. That includes compiled code, so as many connections come and go before. */
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
