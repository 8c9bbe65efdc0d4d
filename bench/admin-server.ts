import { randomUUID } from 'node:crypto';
import { startAdminServer } from '../src/cli/server/admin-server.js';
import { createLogger } from '../src/cli/server/logger.js';
import { loadServerConfig } from '../src/cli/commands/serve-run.js';
import { startServer } from '../src/cli/server/server.js';
import { isPending, type Mooring } from '../src/index.js';
import { FakeConnection } from '../src/testing/index.js';
import { nextTurn } from './support/case.js';
import { waitedForCpuMs } from './support/waits.js';
import { serveCalls } from './support/worker.js';

/** A server's address, and its fullest user. */
export interface AdminPlace {
  readonly port: number;
  readonly adminUrl: string;
  readonly users: number;
  readonly managers: number;
  /** The user with the most managers. */
  readonly fullest: string;
}

/** CPU time in milliseconds so far: used by this process, and waited for by its main thread. */
export interface CpuTimes {
  readonly usedMs: number;
  readonly waitedMs: number;
}

/** A `mooring serve` in a process of its own, with managers whose sockets are not real. */
export interface AdminServerCalls {
  start(managers: number): Promise<AdminPlace>;
  cpu(): CpuTimes;
}

/** How many threads each user has, in turn: five on average, so that every alert level occurs. */
const threadsOf = [1, 1, 2, 2, 3, 3, 4, 6, 9, 19];

/** No manager becomes idle during a run, and there is room for all. */
const settings = [
  ['idleManagerTimeout', '12h'],
  ['maxTotalManagers', '1000000'],
] as const;

/** Admissions between two looks at the event loop. */
const batch = 1_000;

serveCalls<AdminServerCalls>({
  async start(managers) {
    const loaded = loadServerConfig({ env: 'production', set: settings });
    const logger = createLogger({ logLevel: 'silent', logFormat: 'json' });
    const local = { port: 0, host: '127.0.0.1' };
    const { url, mooring } = await startServer(loaded.config, local, logger);
    const admin = await startAdminServer({ mooring, access: 'loopback', loaded, address: local });
    const fullest = await fill(mooring, managers);
    const { userCount, managerCount } = mooring;
    return { port: Number(new URL(url).port), adminUrl: admin.url, users: userCount, managers: managerCount, fullest };
  },
  cpu() {
    const { user, system } = process.cpuUsage();
    return { usedMs: (user + system) / 1_000, waitedMs: waitedForCpuMs() };
  },
});

/** @returns the last user with the highest number of threads */
async function fill(mooring: Mooring, managers: number): Promise<string> {
  let fullest = '';
  for (let user = 0, made = 0; made < managers; user++) {
    const userId = randomUUID();
    const threads = Math.min(managers - made, threadsOf[user % threadsOf.length] ?? 1);
    for (let thread = 0; thread < threads; thread++) admit(mooring, userId);
    if (threads === Math.max(...threadsOf)) fullest = userId;
    if (Math.floor(made / batch) !== Math.floor((made + threads) / batch)) await nextTurn();
    made += threads;
  }
  return fullest;
}

/** Like an adapter. The peer answers every ping. */
function admit(mooring: Mooring, userId: string): void {
  const outcome = mooring.decide({ userId, threadId: `thread_${randomUUID()}` });
  if (isPending(outcome) || outcome.refusal !== null) throw new Error('not admitted at once');
  const transport = new FakeConnection();
  const { connection } = outcome.ticket.open(transport);
  if (connection === null) throw new Error('not opened');
  transport.bind(connection);
  transport.message();
}
