import type * as adminModule from '../../src/admin/admin.js';
import type * as indexModule from '../../src/index.js';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Access } from '../../src/admin/access.js';
import { isPending, type Mooring, type WebSocketConfig } from '../../src/index.js';
import { FakeConnection } from '../../src/testing/index.js';
import { afterThisTest } from './setup.js';

/** A Mooring with fake connections, and the admin API of the built package over it, on a port of its own. */
export interface AdminServer {
  readonly url: string;
  readonly mooring: Mooring;
  /** Opens so many threads of a user, from `thread_1` on; `silent` ones never answer. */
  open(userId: string, threads: number, silent?: number): FakeConnection[];
  /** Opens one thread, which answers. */
  openThread(userId: string, threadId: string): FakeConnection;
  /** As if the machine were gone. */
  vanish(): Promise<void>;
}

/** The built package: what is served is what was built. */
const built = (file: string): Promise<unknown> => import(new URL(`../../dist/${file}`, import.meta.url).href);

/** Ends with the test. */
export async function startAdmin(
  options: { access?: Access; loginUrl?: string; config?: Partial<WebSocketConfig> } = {},
): Promise<AdminServer> {
  const { createAdmin } = (await built('admin/admin.js')) as typeof adminModule;
  const { createMooring } = (await built('index.js')) as typeof indexModule;
  const mooring = createMooring({
    env: {},
    environment: 'production',
    journalBytes: 1_000_000,
    ...options.config,
  });
  const { access = 'loopback', loginUrl } = options;
  const admin = createAdmin({ mooring, access, version: '0.1.0', ...(loginUrl !== undefined && { loginUrl }) });
  const server = serve({ fetch: admin.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  const vanish = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  afterThisTest(async () => {
    await vanish();
    admin.close();
    await mooring.stop();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
    mooring,
    vanish,
    open: (userId, threads, silent = 0) =>
      Array.from({ length: threads }, (_, i) => open(mooring, { userId, threadId: `thread_${i + 1}` }, i < silent)),
    openThread: (userId, threadId) => open(mooring, { userId, threadId }, false),
  };
}

function open(mooring: Mooring, who: { userId: string; threadId: string }, isSilent: boolean): FakeConnection {
  const outcome = mooring.decide(who);
  if (isPending(outcome) || outcome.refusal !== null) throw new Error(`${who.userId} has to wait`);
  const transport = new FakeConnection();
  const { connection, refusal } = outcome.ticket.open(transport);
  if (refusal !== null) throw refusal;
  transport.bind(connection);
  transport.message();
  if (isSilent) transport.fallSilent();
  return transport;
}
