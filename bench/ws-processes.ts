import { pause } from './support/case.js';
import type { Sides } from './support/pairs.js';
import { Worker } from './support/worker.js';
import type { ClientCalls, Protocol } from './ws-client.js';
import type { Count, ServerCalls, ServerKind } from './ws-server.js';

const serverUrls: Readonly<Record<Protocol, URL>> = {
  ws: new URL('./ws-server.js', import.meta.url),
  'socket.io': new URL('./socket-io-server.js', import.meta.url),
};
const clientUrl = new URL('./ws-client.js', import.meta.url);

const settledWithinMs = 5_000;
const lookEveryMs = 2;

/** A server in a process of its own. */
export interface Server {
  readonly kind: ServerKind;
  readonly port: number;
  readonly worker: Worker<ServerCalls>;
}

/** The client process and its servers. */
export interface Processes {
  readonly client: Worker<ClientCalls>;
  start(kind: ServerKind): Promise<Server>;
}

/** Runs something with these processes, and ends them whatever happens. */
export async function withProcesses<Output>(
  run: (processes: Processes) => Promise<Output>,
  protocol: Protocol = 'ws',
): Promise<Output> {
  const client = new Worker<ClientCalls>(clientUrl, [protocol]);
  const servers: Worker<ServerCalls>[] = [];
  const start = async (kind: ServerKind): Promise<Server> => {
    const worker = new Worker<ServerCalls>(serverUrls[protocol], [kind]);
    servers.push(worker);
    return { kind, worker, port: await worker.call('listen') };
  };
  try {
    return await run({ client, start });
  } finally {
    // The client first: connections that the server ends are failures for it.
    await client.end();
    await Promise.all(servers.map((worker) => worker.end()));
  }
}

export async function startSides({ start }: Processes): Promise<Sides<Server>> {
  return {
    plain: await start('plain'),
    moored: await start('moored'),
    twins: [await start('plain'), await start('plain')],
  };
}

/** Waits until the server has this many connections. Then Mooring must know all of them; without Mooring, none. */
export async function settle({ kind, worker }: Server, connections: number): Promise<void> {
  const managers = kind === 'moored' ? connections : 0;
  const isSettled = (count: Count): boolean => count.connections === connections && count.managers === managers;
  const endsAt = performance.now() + settledWithinMs;
  let count = await worker.call('count');
  while (!isSettled(count)) {
    if (performance.now() > endsAt) throw new Error(`${kind}: ${JSON.stringify(count)} instead of ${connections}`);
    await pause(lookEveryMs);
    count = await worker.call('count');
  }
}
