import { createMooring, isPending, type Mooring } from '../src/index.js';
import { SystemTime } from '../src/runtime/system-time.js';
import { FakeConnection } from '../src/testing/index.js';
import { nextTurn, pause, serveCase } from './support/case.js';
import { summarise, type Summary } from './support/numbers.js';

export interface EmergencyInput {
  /** How many users come at once, each with a full quota of connections that fell silent. */
  readonly users: number;
  /** How often that is measured, each time with other users. */
  readonly rounds: number;
  /** How long the connections have been silent when the newcomers come. */
  readonly silentForMs: number;
}

/** All times are since the first newcomer came. */
export interface EmergencyOutput extends EmergencyInput {
  /** Of all rounds, one for each user. */
  readonly newcomers: number;
  readonly admittedMs: Summary;
  /** Newcomers after the first was admitted: for up to a hundred users, one for each other silent connection. */
  readonly others: number;
  readonly othersMs: Summary;
  readonly refused: number;
  /** How long the process did not run, as Mooring noticed. */
  readonly stalledMs: number;
}

const time = new SystemTime();

/** How many users have more than one newcomer. */
const maxWithOthers = 100;

serveCase(async (input: EmergencyInput): Promise<EmergencyOutput> => {
  const { users, rounds, silentForMs } = input;
  const mooring = createMooring({ environment: 'production', env: {} });
  const admitted: number[] = [];
  const othersAdmitted: number[] = [];
  const perUser = mooring.config.maxManagersPerUser - 1;
  let stalledMs = 0;
  for (let round = 0; round < rounds; round++) {
    const names = Array.from({ length: users }, (_, index) => `user-${round}-${index}`);
    const connections = await fill(mooring, names);
    await pause(1_000);
    for (const transport of connections) transport.fallSilent();
    await pause(silentForMs);
    const end = mooring.on('process.stalled', (event) => (stalledMs += event.stalledMs));
    admitted.push(...(await rush(mooring, names, ['thread_new'])));
    const threads = Array.from({ length: perUser }, (_, index) => `thread_new_${index}`);
    othersAdmitted.push(...(await rush(mooring, names.slice(0, maxWithOthers), threads)));
    end();
    for (const userId of names) for (const { key } of mooring.managersOf(userId)) mooring.release(key);
  }
  await mooring.stop();
  const newcomers = users * rounds;
  const others = Math.min(users, maxWithOthers) * perUser * rounds;
  const refused = newcomers + others - admitted.length - othersAdmitted.length;
  return {
    ...input,
    newcomers,
    others,
    refused,
    stalledMs,
    admittedMs: summarise(admitted),
    othersMs: summarise(othersAdmitted),
  };
});

/** All 20 places of each user are taken, by peers that answer the first ping. */
async function fill(mooring: Mooring, names: readonly string[]): Promise<FakeConnection[]> {
  const connections: FakeConnection[] = [];
  for (const [index, userId] of names.entries()) {
    for (let thread = 0; thread < mooring.config.maxManagersPerUser; thread++) {
      const outcome = mooring.decide({ userId, threadId: `thread_${thread}` });
      if (isPending(outcome) || outcome.refusal !== null) throw new Error('not admitted at once');
      // Not in the same call: the first ping comes while the connection opens, before it is bound.
      const transport = new FakeConnection({ time, pongAfterMs: 5 });
      const { connection } = outcome.ticket.open(transport);
      if (connection === null) throw new Error('not opened');
      connections.push(transport.bind(connection));
    }
    if (index % 50 === 0) await nextTurn();
  }
  return connections;
}

/** One newcomer for each user, all at the same moment. @returns how long each admitted one waited */
async function rush(mooring: Mooring, names: readonly string[], threads: readonly string[]): Promise<number[]> {
  const startedAt = performance.now();
  const admitted: number[] = [];
  const newcomers = names.flatMap((userId) =>
    threads.map(async (threadId) => {
      const transport = new FakeConnection();
      const { connection } = await mooring.connect(transport, { userId, threadId });
      if (connection === null) return;
      admitted.push(performance.now() - startedAt);
      transport.bind(connection);
    }),
  );
  await Promise.all(newcomers);
  return admitted;
}
