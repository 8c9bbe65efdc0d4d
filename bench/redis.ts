import { printClaim } from '../src/redis/claims.js';
import { threadField } from '../src/redis/claims.js';
import { keySpace, partitionOf } from '../src/redis/partitions.js';
import { readScripts, type ScriptName } from '../src/redis/scripts.js';
import type { RedisInput, RedisOutput } from './redis-case.js';
import { pause, runCase } from './support/case.js';
import { startRedis, type BenchRedis } from './support/redis.js';
import { show, type Bar, type Report, type Row } from './support/report.js';

const caseUrl = new URL('./redis-case.js', import.meta.url);

const limits = Object.freeze({
  addedP50Ms: 0.5,
  addedP99Ms: 2,
  rotatingP99Ms: 5,
  scriptUs: new Map([
    [5, 12],
    [20, 18],
  ]),
  callsPerCpuSecond: 30_000,
  bytesOne: 300,
  bytesFive: 120,
  idleCallsPerSecond: 200,
});

interface Sizes {
  readonly seconds: number;
  readonly rotatingManagers: number;
  readonly calls: number;
  readonly users: number;
  readonly idle: number;
  readonly idleSeconds: number;
}

const quick: Sizes = { seconds: 2, rotatingManagers: 1_000, calls: 500, users: 500, idle: 1_000, idleSeconds: 5 };
const full: Sizes = {
  seconds: 20,
  rotatingManagers: 100_000,
  calls: 20_000,
  users: 20_000,
  idle: 100_000,
  idleSeconds: 600,
};

/** What one quota for several processes costs: newcomers, Redis, and its memory. */
export async function benchRedis(isQuick: boolean): Promise<Report> {
  const sizes = isQuick ? quick : full;
  const latency = await withRedis((redis) => measureLatency(redis, sizes));
  const scripts = await withRedis((redis) => measureScripts(redis, sizes));
  const rush = await withRedis((redis) => measureRush(redis, sizes));
  const memory = await withRedis((redis) => measureMemory(redis, sizes));
  const idle = await withRedis((redis) => measureIdle(redis, sizes));
  return {
    title: 'One quota on Redis',
    tables: [
      {
        caption: 'From the question for a slot to the answer, at 2,000 admissions a second, in ms',
        rows: latency.map(latencyRow),
      },
      { caption: 'An acquire and its release, in Redis, by the slots that the user has', rows: scripts.map(scriptRow) },
      { caption: 'Memory of Redis, in bytes a manager', rows: memory.map(memoryRow) },
      { caption: 'Calls of scripts', rows: [rushRow(rush), idleRow(idle)] },
    ],
    bars: [
      ...latency.flatMap(latencyBars),
      ...scripts.flatMap(scriptBars),
      ...memory.flatMap(memoryBars),
      rushBar(rush),
      idleBar(idle),
    ],
    measured: { sizes, latency, scripts, rush, memory, idle },
  };
}

async function withRedis<T>(measure: (redis: BenchRedis) => Promise<T>): Promise<T> {
  const redis = await startRedis();
  try {
    return await measure(redis);
  } finally {
    await redis.stop();
  }
}

// Newcomers ----------------------------------------------------------------------------------------------------------

interface Latency extends RedisOutput {
  readonly isRotating: boolean;
}

async function measureLatency(redis: BenchRedis, { seconds, rotatingManagers }: Sizes): Promise<Latency[]> {
  const work: RedisInput = { url: redis.url, idle: 0, perSecond: 2_000, atOnce: 0, seconds };
  const alone = await runCase<RedisOutput>(caseUrl, work);
  // Another process holds managers, and asserts all of them again because Redis has forgotten its epochs.
  const others = runCase<RedisOutput>(caseUrl, { ...work, idle: rotatingManagers, perSecond: 1, seconds: 3 * seconds });
  while ((await redis.client.dbSize()) < rotatingManagers) await pause(100);
  const forget = setInterval(() => void forgetEpochs(redis), 4_000);
  const beside = await runCase<RedisOutput>(caseUrl, work);
  clearInterval(forget);
  await others;
  return [
    { ...alone, isRotating: false },
    { ...beside, isRotating: true },
  ];
}

/** The clients notice it with their next beat. */
async function forgetEpochs({ client }: BenchRedis): Promise<void> {
  const keys = await client.keys('mooring:{*}:e');
  if (keys.length > 0) await client.del(keys);
}

function latencyRow({ isRotating, admittedMs, bareMs, admissions, refused }: Latency): Row {
  return {
    meanwhile: isRotating ? 'another process asserts its managers' : 'nothing',
    admissions,
    refused,
    p50: show(admittedMs.median),
    p99: show(admittedMs.p99),
    'bare script p50': show(bareMs.median),
    'bare script p99': show(bareMs.p99),
  };
}

/** What an admission takes longer than a script that does nothing, on the same machine at the same time. */
function latencyBars({ isRotating, admittedMs, bareMs }: Latency): Bar[] {
  const p99 = admittedMs.p99 - bareMs.p99;
  if (isRotating) return [atMost('beside a rotation: p99 added', p99, limits.rotatingP99Ms, 'ms')];
  return [
    atMost('admission: p50 added', admittedMs.median - bareMs.median, limits.addedP50Ms, 'ms'),
    atMost('admission: p99 added', p99, limits.addedP99Ms, 'ms'),
  ];
}

// Scripts ------------------------------------------------------------------------------------------------------------

interface ScriptCost {
  readonly slots: number;
  readonly meanUs: number;
}

const sources = readScripts();
const space = keySpace();
const processId = 'aaaaaaaa';
let stampMs = 1_700_000_000_000;

/** The keys and the head of a call for this user. */
async function call(redis: BenchRedis, name: ScriptName, userId: string, values: readonly string[]): Promise<unknown> {
  const partition = partitionOf(userId);
  const own = [space.meta(partition), space.epochs(partition), space.log(partition)];
  const keys = ['register', 'beat', 'leave'].includes(name) ? own : [...own, space.user(userId)];
  const head = [`${processId}00`, '1000', '3600000', '3600000'];
  return redis.client.evalSha(sources[name].sha1, { keys, arguments: [...head, ...values] });
}

async function prepare(redis: BenchRedis): Promise<void> {
  for (const { text } of Object.values(sources)) await redis.client.scriptLoad(text);
  const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);
  const ofPartition = new Map(users.map((userId) => [partitionOf(userId), userId]));
  for (const userId of ofPartition.values()) await call(redis, 'register', userId, ['20']);
}

function claim(): string {
  return printClaim({ processId, rotation: 0, stampMs: (stampMs += 1), takeovers: 0 });
}

/** A thread of this user whose id is so long. */
async function take(redis: BenchRedis, userId: string, threadId: string): Promise<string> {
  const text = claim();
  await call(redis, 'acquire', userId, [threadField(threadId), text, '1000', '']);
  return text;
}

async function measureScripts(redis: BenchRedis, { calls }: Sizes): Promise<ScriptCost[]> {
  await prepare(redis);
  const costs: ScriptCost[] = [];
  for (const slots of [1, 5, 20]) {
    const userId = `of-${slots}`;
    for (let index = 1; index < slots; index += 1) await take(redis, userId, `thread_${index}`);
    const before = await redis.usage();
    for (let done = 0; done < calls; done += 1) {
      const text = await take(redis, userId, 'thread_new');
      await call(redis, 'release', userId, ['thread_new', text, '']);
    }
    const after = await redis.usage();
    costs.push({ slots, meanUs: (after.callsUs - before.callsUs) / (after.calls - before.calls) });
  }
  return costs;
}

function scriptRow({ slots, meanUs }: ScriptCost): Row {
  return { slots, 'mean of both, us a call': show(meanUs) };
}

function scriptBars({ slots, meanUs }: ScriptCost): Bar[] {
  const most = limits.scriptUs.get(slots);
  return most === undefined ? [] : [atMost(`scripts at ${slots} slots`, meanUs, most, 'us')];
}

// A rush -------------------------------------------------------------------------------------------------------------

interface Rush {
  readonly callsPerCpuSecond: number;
  readonly callsPerSecond: number;
}

/** Two processes as fast as they can. */
async function measureRush(redis: BenchRedis, { seconds }: Sizes): Promise<Rush> {
  const before = await redis.usage();
  const input: RedisInput = { url: redis.url, idle: 0, perSecond: 0, atOnce: 64, seconds };
  await Promise.all([runCase<RedisOutput>(caseUrl, input), runCase<RedisOutput>(caseUrl, input)]);
  const after = await redis.usage();
  const calls = after.calls - before.calls;
  return { callsPerCpuSecond: calls / (after.cpuSeconds - before.cpuSeconds), callsPerSecond: calls / seconds };
}

function rushRow({ callsPerCpuSecond, callsPerSecond }: Rush): Row {
  return {
    what: 'two processes, as fast as they can',
    'a second': show(callsPerSecond),
    'a CPU second of Redis': show(callsPerCpuSecond),
  };
}

function rushBar({ callsPerCpuSecond }: Rush): Bar {
  return {
    bar: 'calls a CPU second of Redis',
    wanted: `at least ${show(limits.callsPerCpuSecond)}`,
    got: show(callsPerCpuSecond),
    isMet: callsPerCpuSecond >= limits.callsPerCpuSecond,
  };
}

// Memory -------------------------------------------------------------------------------------------------------------

interface Memory {
  readonly idLength: number;
  readonly perUser: number;
  readonly bytes: number;
  readonly encoding: string;
}

async function measureMemory(redis: BenchRedis, { users }: Sizes): Promise<Memory[]> {
  const measured: Memory[] = [];
  for (const idLength of [20, 43, 64, 128, 256]) {
    for (const perUser of [1, 5]) {
      await redis.client.flushAll();
      await prepare(redis);
      const before = await redis.usage();
      for (let first = 0; first < users; first += 500) await fillUsers(redis, { first, count: 500, perUser, idLength });
      const after = await redis.usage();
      const encoding = String(await redis.client.objectEncoding(space.user(userOf(0))));
      measured.push({ idLength, perUser, bytes: (after.usedBytes - before.usedBytes) / (users * perUser), encoding });
    }
  }
  return measured;
}

const userOf = (index: number): string => `${String(index).padStart(8, '0')}-4f3c-9d1e-aaaa-0123456789ab`;

async function fillUsers(
  redis: BenchRedis,
  { first, count, perUser, idLength }: { first: number; count: number; perUser: number; idLength: number },
): Promise<void> {
  const all: Promise<unknown>[] = [];
  for (let user = first; user < first + count; user += 1) {
    for (let thread = 0; thread < perUser; thread += 1) {
      all.push(take(redis, userOf(user), `thread_${thread}_`.padEnd(idLength, 'x')));
    }
  }
  await Promise.all(all);
}

function memoryRow({ idLength, perUser, bytes, encoding }: Memory): Row {
  return { 'thread id, characters': idLength, 'managers a user': perUser, bytes: show(Math.round(bytes)), encoding };
}

function memoryBars({ idLength, perUser, bytes, encoding }: Memory): Bar[] {
  const most = perUser === 1 ? limits.bytesOne : limits.bytesFive;
  return [
    atMost(`memory: ids of ${idLength}, ${perUser} a user`, Math.round(bytes), most, 'B'),
    {
      bar: `encoding: ids of ${idLength}, ${perUser} a user`,
      wanted: 'listpack',
      got: encoding,
      isMet: encoding === 'listpack',
    },
  ];
}

// Nothing happens ----------------------------------------------------------------------------------------------------

interface Idle {
  readonly managers: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly cpuShare: number;
}

/** Four processes whose managers do nothing. */
async function measureIdle(redis: BenchRedis, { idle, idleSeconds }: Sizes): Promise<Idle> {
  // The first that holds its part waits for the others: a process that stops gives all its slots back.
  const seconds = idleSeconds + 75;
  const each: RedisInput = { url: redis.url, idle: idle / 4, perSecond: 1e-9, atOnce: 0, seconds };
  const cases = Promise.all(Array.from({ length: 4 }, () => runCase<RedisOutput>(caseUrl, each)));
  while ((await redis.client.dbSize()) < idle) await pause(200);
  await pause(2_000);
  const before = await redis.usage();
  await pause(1_000 * idleSeconds);
  const after = await redis.usage();
  await cases;
  return {
    managers: idle,
    seconds: idleSeconds,
    callsPerSecond: (after.calls - before.calls) / idleSeconds,
    cpuShare: (after.cpuSeconds - before.cpuSeconds) / idleSeconds,
  };
}

function idleRow({ managers, seconds, callsPerSecond, cpuShare }: Idle): Row {
  const what = `${show(managers)} idle managers in four processes, for ${seconds} s`;
  return { what, 'a second': show(callsPerSecond), 'a CPU second of Redis': show(callsPerSecond / cpuShare) };
}

function idleBar({ managers, callsPerSecond }: Idle): Bar {
  return atMost(`calls a second for ${show(managers)} idle managers`, callsPerSecond, limits.idleCallsPerSecond, '');
}

function atMost(bar: string, value: number, most: number, unit: string): Bar {
  const suffix = unit === '' ? '' : ` ${unit}`;
  return { bar, wanted: `at most ${show(most)}${suffix}`, got: `${show(value)}${suffix}`, isMet: value <= most };
}
