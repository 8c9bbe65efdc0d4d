import { callTimeoutMs } from './calls.js';
import { printClaim } from './claims.js';
import { keySpace, partitionOf } from './partitions.js';
import { OwnConnection, type RedisClient } from './redis-client.js';
import { RedisError, redisErrorOf, type RedisTrouble } from './redis-errors.js';
import type { ScriptName } from './scripts.js';

/** Something about a Redis that an operator should know. */
export interface RedisProblem {
  /** What it is, and what to do. */
  readonly text: string;
  /** Whether it can never be used as it is. Otherwise it may be better later. */
  readonly isFatal: boolean;
}

/** What was found about a Redis. What could not be read is `null`. */
export interface RedisFindings {
  readonly version: string | null;
  /** What it does when its memory is full. */
  readonly evictionPolicy: string | null;
  /** Its most memory, in bytes; 0 without a limit. */
  readonly maxMemory: number | null;
  /** Whether all scripts did their work, with the permissions of this user. */
  readonly runsScripts: boolean;
  /** Its clock less that of this machine, in milliseconds. Nothing depends on it. */
  readonly clockAheadMs: number | null;
  readonly problems: readonly RedisProblem[];
}

/** The user of the keys that the scripts are tried on. */
const userId = 'check';

/** How long it waits for a connection, in milliseconds. */
const connectTimeoutMs = 2_000;

/** How long it waits for an answer, in milliseconds: longer than a ledger, since nobody waits for a slot meanwhile. */
const answerTimeoutMs = 4 * callTimeoutMs;

/** What an operator has to change before it can work. */
const fatalTroubles: readonly RedisTrouble[] = ['tooOld', 'wrongPassword', 'noPermission'];

/**
 * Looks whether a Redis can carry a shared quota: it connects, runs the scripts on keys of their own that end after two
 * minutes, and reads what its settings mean for the quota. It waits at most two seconds for the connection, and at most one
 * second for each answer. Never rejects.
 */
export async function inspectRedis(
  client: RedisClient,
  { prefix }: { readonly prefix?: string | undefined } = {},
): Promise<RedisFindings> {
  const { connection, isReady } = await connected(client);
  try {
    if (!isReady) throw redisErrorOf(connection.trouble ?? new RedisError('notConnected', ''));
    const info = parseInfo(await inTime(connection.info()));
    const runsAt = Date.now();
    const [nowMs, error] = await tryScripts(connection, prefix);
    const problems = [...(error === null ? [] : [problemOf(error)]), ...aboutMemory(info)];
    return {
      version: info.get('redis_version') ?? null,
      evictionPolicy: info.get('maxmemory_policy') ?? null,
      maxMemory: info.has('maxmemory') ? Number(info.get('maxmemory')) : null,
      runsScripts: error === null,
      clockAheadMs: nowMs === null ? null : nowMs - runsAt,
      problems,
    };
  } catch (error) {
    const nothing = { version: null, evictionPolicy: null, maxMemory: null, clockAheadMs: null };
    return { ...nothing, runsScripts: false, problems: [problemOf(redisErrorOf(error))] };
  } finally {
    await connection.close();
  }
}

async function connected(client: RedisClient): Promise<{ connection: OwnConnection; isReady: boolean }> {
  let ready: (isReady: boolean) => void = () => undefined;
  const isReady = new Promise<boolean>((resolve) => (ready = resolve));
  const connection = new OwnConnection(client, () => {
    ready(true);
  });
  const waits = setTimeout(ready, connectTimeoutMs, false);
  // A password that is wrong stays wrong.
  const looks = setInterval(() => {
    if (connection.trouble !== null && fatalTroubles.includes(redisErrorOf(connection.trouble).trouble)) ready(false);
  }, 20);
  try {
    return { connection, isReady: await isReady };
  } finally {
    clearTimeout(waits);
    clearInterval(looks);
  }
}

function problemOf(error: RedisError): RedisProblem {
  return { text: `${error.message}. ${error.advice}`, isFatal: fatalTroubles.includes(error.trouble) };
}

function aboutMemory(info: ReadonlyMap<string, string>): RedisProblem[] {
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy === 'noeviction' || info.get('maxmemory') === '0') return [];
  const text = `maxmemory-policy is ${policy}: when its memory is full, Redis drops slots, and users get more than their limit until the next rotation, within twelve minutes. Set noeviction.`;
  return [{ text, isFatal: false }];
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Calls every script, in the order in which a process would, on keys that no process uses. */
async function tryScripts(
  connection: OwnConnection,
  prefix: string | undefined,
): Promise<[number | null, RedisError | null]> {
  const keys = keySpace(prefix === undefined ? 'mooring:check' : `${prefix}:check`);
  const partition = partitionOf(userId);
  const own = [keys.meta(partition), keys.epochs(partition), keys.log(partition)];
  const user = [keys.user(userId)];
  const processId = Array.from({ length: 8 }, () => Math.floor(Math.random() * 36).toString(36)).join('');
  const epoch = `${processId}00`;
  const claimOf = (stampMs: number): string => printClaim({ processId, rotation: 0, stampMs, takeovers: 0 });
  const [claim, newcomer] = [claimOf(1), claimOf(2)];
  const calls: readonly (readonly [ScriptName, readonly string[], readonly string[]])[] = [
    ['register', [], ['1']],
    ['beat', [], [epoch, '0-0']],
    ['acquire', user, ['thread', claim, '1', '1']],
    ['commit', user, ['thread', claim, '1', '1']],
    ['verify', user, ['thread', claim]],
    ['assert', user, ['0-0', 'thread', claim, '1']],
    ['exchange', user, ['thread', claim, 'other', newcomer]],
    ['release', user, ['other', newcomer, '1']],
    ['leave', [], [epoch]],
  ];
  let nowMs: number | null = null;
  try {
    for (const [name, more, values] of calls) {
      const head = [epoch, '1000', '5000', '120000'];
      const call = { name, keys: [...own, ...more], arguments: [...head, ...values] };
      const reply = await inTime(connection.send(call, () => true));
      if (name === 'register') nowMs = Number(reply[2]);
    }
    return [nowMs, null];
  } catch (error) {
    return [nowMs, redisErrorOf(error)];
  }
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new RedisError('noAnswer', ''));
    }, answerTimeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
