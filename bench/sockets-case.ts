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

/** As the newcomers' own process sees it, and as the server does from the moment each was queued. */
export interface SocketsOutput {
  readonly users: number;
  readonly newcomers: number;
  readonly admittedMs: Summary;
  readonly freedMs: Summary;
  readonly refused: number;
}

/** Real sockets whose process is stopped: the kernel keeps them open, and nobody answers. */
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
    if (mooring.factory.managerCount !== users * perUser) throw new Error('not all are connected');
    sleepers.freeze();
    await pause(1_000);
    const freedMs = watchFreed(mooring, perUser);
    const { openedMs, refused } = await newcomers.call('gather', { port, users, perUser: 1, threads: 'new' });
    await pause(500);
    return { users, newcomers: users, admittedMs: summarise(openedMs), freedMs: summarise(freedMs), refused };
  } finally {
    await Promise.all([sleepers.end(), newcomers.end()]);
    await mooring.stop();
    server.close();
  }
});

function startCrowd(): Worker<CrowdCalls> {
  return new Worker(new URL('./support/crowd.js', import.meta.url));
}

/** How long after a user's newcomer was queued the last of the user's old connections was released. */
function watchFreed(mooring: ReturnType<typeof createMooring>, perUser: number): number[] {
  const freedMs: number[] = [];
  const queuedAt = new Map<string, number>();
  const released = new Map<string, number>();
  mooring.on('admission.queued', ({ userId }) => queuedAt.set(userId, performance.now()));
  mooring.on('manager.released', ({ userId }) => {
    const count = (released.get(userId) ?? 0) + 1;
    released.set(userId, count);
    const since = queuedAt.get(userId);
    if (count === perUser && since !== undefined) freedMs.push(performance.now() - since);
  });
  return freedMs;
}
