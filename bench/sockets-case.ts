import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { attach } from '../src/adapters/ws.js';
import { createMooring } from '../src/index.js';
import { pause, serveCase } from './support/case.js';
import type { CrowdCalls } from './support/crowd.js';
import { summarise, type Summary } from './support/numbers.js';
import { whoIs } from './support/who-is.js';
import { Worker } from './support/worker.js';

export interface SocketsInput {
  readonly users: number;
  readonly perUser: number;
}

/** As the server counts it: the socket of a waiting client is open before the client is admitted. */
export interface SocketsOutput {
  readonly users: number;
  readonly newcomers: number;
  readonly silentForMs: number;
  readonly admittedMs: Summary;
  readonly refused: number;
}

/** How long the process has been stopped when the newcomers come. */
const silentForMs = 1_000;

/** Real sockets of a stopped process: the kernel keeps them open, and nothing answers. */
serveCase(async ({ users, perUser }: SocketsInput): Promise<SocketsOutput> => {
  const mooring = createMooring({ environment: 'production', env: {} });
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  attach(server, { mooring, authenticate: whoIs });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sleepers = startCrowd();
  const newcomers = startCrowd();
  try {
    await sleepers.call('gather', { port, users, perUser, threads: 'old' });
    if (mooring.managerCount !== users * perUser) throw new Error('not all are connected');
    sleepers.freeze();
    await pause(silentForMs);
    const waitedMs: number[] = [];
    mooring.on('manager.admitted', (event) => waitedMs.push(event.waitedMs));
    await newcomers.call('gather', { port, users, perUser: 1, threads: 'new' });
    await until(() => mooring.waitingCount === 0);
    return { users, newcomers: users, silentForMs, admittedMs: summarise(waitedMs), refused: users - waitedMs.length };
  } finally {
    await Promise.all([sleepers.end(), newcomers.end()]);
    await mooring.stop();
    server.close();
  }
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}

function startCrowd(): Worker<CrowdCalls> {
  return new Worker(new URL('./support/crowd.js', import.meta.url));
}
