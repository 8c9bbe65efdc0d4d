import { createMooring, isPending, type Mooring } from '../src/index.js';
import { FakeConnection } from '../src/testing/index.js';
import { nextTurn, pause, serveCase } from './support/case.js';
import { summarise, type Summary } from './support/numbers.js';

export interface EmergencyInput {
  /** Users who come at once, each with a full quota of connections that fell silent. */
  readonly users: number;
  /** How often that happens, each time to other users. */
  readonly rounds: number;
}

/** Times are from the moment the first newcomer of all came. */
export interface EmergencyOutput {
  readonly users: number;
  /** Of all rounds. */
  readonly newcomers: number;
  readonly admittedMs: Summary;
  readonly freedMs: Summary;
  readonly refused: number;
  /** Time the process did not run, as Mooring noticed it. */
  readonly stalledMs: number;
}

interface Times {
  readonly admitted: number[];
  readonly freed: number[];
}

serveCase(async ({ users, rounds }: EmergencyInput): Promise<EmergencyOutput> => {
  const mooring = createMooring({ environment: 'production', env: {} });
  const times: Times = { admitted: [], freed: [] };
  let stalledMs = 0;
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const names = Array.from({ length: users }, (_, index) => `user-${round}-${index}`);
    await fill(mooring, names);
    await pause(1_000);
    const end = mooring.on('process.stalled', (event) => (stalledMs += event.stalledMs));
    refused += await rush(mooring, names, times);
    end();
  }
  await mooring.stop();
  const admittedMs = summarise(times.admitted);
  return { users, newcomers: users * rounds, admittedMs, freedMs: summarise(times.freed), refused, stalledMs };
});

/** Everybody's 20 are taken by peers that answer nothing. */
async function fill(mooring: Mooring, names: readonly string[]): Promise<void> {
  for (const [index, userId] of names.entries()) {
    for (let thread = 0; thread < mooring.config.maxManagersPerUser; thread++) {
      const outcome = mooring.factory.admit({ userId, threadId: `thread_${thread}` });
      if (isPending(outcome) || outcome.refusal !== null) throw new Error('not admitted at once');
      const connection = FakeConnection.silent();
      const { link } = outcome.ticket.open(connection);
      if (link === null) throw new Error('not opened');
      connection.bind(link);
    }
    if (index % 50 === 0) await nextTurn();
  }
}

/** One newcomer for each, all in the same moment. @returns how many were refused */
async function rush(mooring: Mooring, names: readonly string[], times: Times): Promise<number> {
  const startedAt = performance.now();
  const freed = watchFreed(mooring, names, (atMs) => times.freed.push(atMs - startedAt));
  const refusals = names.map(async (userId) => {
    const connection = new FakeConnection();
    const { link } = await mooring.connections.connect(connection, { userId, threadId: 'thread_new' });
    if (link === null) return 1;
    times.admitted.push(performance.now() - startedAt);
    connection.bind(link);
    return 0;
  });
  const refused = (await Promise.all(refusals)).reduce((sum: number, one) => sum + one, 0);
  await freed;
  return refused;
}

/** Resolves once all managers the users have now are released. */
function watchFreed(mooring: Mooring, names: readonly string[], whenFreed: (atMs: number) => void): Promise<void> {
  const left = new Map(names.map((userId) => [userId, mooring.factory.getUserManagerCount(userId)]));
  return new Promise((resolve) => {
    const end = mooring.on('manager.released', ({ userId }) => {
      const before = left.get(userId);
      if (before === undefined) return;
      if (before > 1) {
        left.set(userId, before - 1);
        return;
      }
      left.delete(userId);
      whenFreed(performance.now());
      if (left.size > 0) return;
      end();
      resolve();
    });
  });
}
