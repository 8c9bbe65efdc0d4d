import { createClient } from 'redis';
import { createMooring, type Mooring } from '../src/index.js';
import { redisLedger } from '../src/redis/index.js';
import { pause, serveCase } from './support/case.js';
import { summarise, type Summary } from './support/numbers.js';
import { QuietConnection } from './support/quiet-connection.js';

export interface RedisInput {
  readonly url: string;
  /** Managers that this process holds all the time; one a user. */
  readonly idle: number;
  /** Admissions in a second; 0: as many as there is an answer for. */
  readonly perSecond: number;
  /** How many newcomers are asked for at once, if there is no rate. */
  readonly atOnce: number;
  readonly seconds: number;
}

export interface RedisOutput {
  /** From the question for a slot to its answer, in milliseconds. */
  readonly admittedMs: Summary;
  /** A script that does nothing, at the same moments, over a connection of its own. */
  readonly bareMs: Summary;
  readonly admissions: number;
  readonly refused: number;
  /** CPU time of this process, in microseconds an admission. */
  readonly cpuUs: number;
}

serveCase(async ({ url, idle, perSecond, atOnce, seconds }: RedisInput): Promise<RedisOutput> => {
  const ledger = redisLedger(createClient({ url }));
  // Its connections answer no pings.
  const settings = { idleManagerTimeoutMs: null, heartbeatIntervalMs: 86_400_000 };
  const mooring = createMooring({ environment: 'production', env: {}, ledger, ...settings });
  while (mooring.ledgerStatus?.state !== 'up') await pause(20);
  await hold(mooring, idle);
  const bare = await bareScript(url);
  const times: { admitted: number[]; bare: number[]; refused: number } = { admitted: [], bare: [], refused: 0 };
  const before = process.cpuUsage();
  const untilMs = performance.now() + 1_000 * seconds;
  if (perSecond > 0) await paced({ mooring, bare, times, untilMs, perSecond });
  else await Promise.all(Array.from({ length: atOnce }, () => rush({ mooring, times, untilMs })));
  const { user, system } = process.cpuUsage(before);
  await mooring.stop();
  bare.end();
  const admissions = times.admitted.length;
  return {
    admittedMs: summarise(times.admitted),
    bareMs: summarise(times.bare),
    admissions,
    refused: times.refused,
    cpuUs: (user + system) / Math.max(admissions, 1),
  };
});

interface Times {
  readonly admitted: number[];
  readonly bare: number[];
  refused: number;
}

interface Work {
  readonly mooring: Mooring;
  readonly times: Times;
  readonly untilMs: number;
}

/** As many managers, which nothing happens to. */
async function hold(mooring: Mooring, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500) {
    const users = Array.from(
      { length: Math.min(500, count - done) },
      (_, index) => `idle-${process.pid}-${done + index}`,
    );
    await Promise.all(
      users.map((userId) => mooring.connect(new QuietConnection(), { userId, threadId: `thread_${'x'.repeat(36)}` })),
    );
  }
}

let newcomers = 0;

/** One admission, whose slot is given back at once. @returns how long it took, in milliseconds */
async function admitOne({ mooring, times }: Omit<Work, 'untilMs'>): Promise<void> {
  const userId = `user-${process.pid}-${(newcomers += 1) % 1_000}`;
  const startedAt = performance.now();
  const { ticket } = await mooring.admit({ userId, threadId: `thread_${newcomers}` });
  times.admitted.push(performance.now() - startedAt);
  if (ticket === null) times.refused += 1;
  else ticket.cancel();
}

async function rush(work: Work): Promise<void> {
  while (performance.now() < work.untilMs) await admitOne(work);
}

/** Admissions and bare scripts by turns, evenly spread over each few milliseconds. */
async function paced(work: Work & { readonly bare: Bare; readonly perSecond: number }): Promise<void> {
  const { untilMs, perSecond } = work;
  const startedAt = performance.now();
  const open = new Set<Promise<void>>();
  const track = (promise: Promise<void>): void => {
    open.add(promise);
    void promise.then(() => {
      open.delete(promise);
    });
  };
  let begun = 0;
  while (performance.now() < untilMs) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    for (; begun < due; begun += 1) {
      track(admitOne(work));
      track(timeBare(work));
    }
    await pause(1);
  }
  await Promise.all(open);
}

interface Bare {
  run(): Promise<number>;
  end(): void;
}

async function timeBare({ bare, times }: { readonly bare: Bare; readonly times: Times }): Promise<void> {
  times.bare.push(await bare.run());
}

async function bareScript(url: string): Promise<Bare> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  const sha1 = await client.scriptLoad('return 1');
  return {
    run: async () => {
      const startedAt = performance.now();
      await client.evalSha(sha1, { keys: ['mooring:{0}:bench'] });
      return performance.now() - startedAt;
    },
    end: () => {
      client.destroy();
    },
  };
}
