import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { operatorOf, type Operator } from './redis-operator.js';
import { startRedis, type RunningRedis } from './redis-server.js';
import { afterThisTest } from './setup.js';

/** A Redis for one fault. */
interface FaultyRedis {
  readonly redis: RunningRedis;
  readonly operator: Operator;
}

/** Something that keeps Redis from being asked, made with a real one. */
export interface RedisFault {
  /** What was done, as the guide says it. */
  readonly name: string;
  /** Options of redis-server. */
  readonly args?: readonly string[];
  /** Done before the process starts. */
  readonly before?: (faulty: FaultyRedis) => Promise<void>;
  /** The URL that the process is given. */
  readonly url?: (redis: RunningRedis) => string;
  /** Done while the process works. */
  readonly act?: (faulty: FaultyRedis) => Promise<void>;
  /** Whether the process goes on as if nothing were. @default false */
  readonly isHarmless?: true;
}

/** Each fault that the guide lists and that a Redis 7.0 can have. */
export const redisFaults: readonly RedisFault[] = [
  {
    name: 'it stands still (`SIGSTOP`)',
    act: ({ redis }) => {
      redis.signal('SIGSTOP');
      return Promise.resolve();
    },
  },
  { name: 'it was killed', act: ({ redis }) => redis.kill() },
  { name: 'the port is wrong', url: () => 'redis://127.0.0.1:1' },
  {
    name: '`maxmemory` is reached',
    act: async ({ operator }) => {
      await operator.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' });
    },
  },
  { name: 'a snapshot failed', args: ['--save', '3600 1'], act: failToSave },
  {
    name: '`min-replicas-to-write` is not met',
    act: async ({ operator }) => {
      await operator.configSet('min-replicas-to-write', '1');
    },
  },
  {
    name: 'it has become a replica',
    act: async ({ operator }) => {
      await operator.replicaOf('127.0.0.1', 1);
    },
  },
  {
    name: 'it is a replica without its master, and must not answer as one',
    act: async ({ operator }) => {
      await operator.configSet('replica-serve-stale-data', 'no');
      await operator.replicaOf('127.0.0.1', 1);
    },
  },
  {
    name: 'it loads its data',
    args: [
      '--enable-debug-command',
      'yes',
      '--key-load-delay',
      '500',
      '--loading-process-events-interval-bytes',
      '1024',
    ],
    before: startLoading,
  },
  {
    name: 'the script of another application runs on',
    args: ['--busy-reply-threshold', '50'],
    act: ({ operator }) => {
      operator.eval('while true do end').catch(() => undefined);
      return Promise.resolve();
    },
  },
  {
    name: 'its user may not run scripts',
    before: ({ operator }) => aclUser(operator, 'on', '>secret', '~mooring:*', '+@all', '-evalsha'),
    url: ({ url }) => url.replace('//', '//mooring:secret@'),
  },
  {
    name: 'its user loses a permission',
    before: ({ operator }) => aclUser(operator, 'on', '>secret', '~mooring:*', '+@all'),
    url: ({ url }) => url.replace('//', '//mooring:secret@'),
    act: ({ operator }) => aclUser(operator, '-hset'),
  },
  {
    name: 'the password is wrong',
    before: ({ operator }) => aclUser(operator, 'on', '>secret', '~mooring:*', '+@all'),
    url: ({ url }) => url.replace('//', '//mooring:wrong@'),
  },
  { name: 'the password is missing', args: ['--requirepass', 'secret'] },
  { name: '`maxclients` is reached', args: ['--maxclients', '1'] },
  { name: 'TLS is spoken to a port without it', url: ({ url }) => url.replace('redis:', 'rediss:') },
  { name: '`SCRIPT FLUSH` ten times a second', isHarmless: true, act: flushScripts },
];

/** Starts a Redis for the fault, and does what comes before. All of it ends with the test. */
export async function startFaulty({ args = [], before }: RedisFault): Promise<FaultyRedis> {
  const redis = await startRedis({ args });
  const url = args.includes('--requirepass') ? redis.url.replace('//', '//:secret@') : redis.url;
  const operator = await operatorOf({ url });
  await before?.({ redis, operator });
  return { redis, operator };
}

async function aclUser(operator: Operator, ...rules: readonly string[]): Promise<void> {
  await operator.sendCommand(['ACL', 'SETUSER', 'mooring', ...rules]);
}

/** The folder that it saves to is gone, also for root. */
async function failToSave({ operator }: FaultyRedis): Promise<void> {
  const { dir = '' } = await operator.configGet('dir');
  rmSync(dir, { recursive: true });
  await operator.sendCommand(['BGSAVE']).catch(() => undefined);
}

/** It has data for half a minute. Ready when all is loaded, after the test. */
async function startLoading({ redis, operator }: FaultyRedis): Promise<void> {
  await operator.sendCommand(['DEBUG', 'POPULATE', '60000']);
  await operator.sendCommand(['SAVE']);
  await redis.kill();
  redis.restart().catch(() => undefined);
  for (;;) {
    const answer = await operator.get('key').then(String, String);
    if (answer.includes('LOADING')) return;
    await sleep(20);
  }
}

function flushScripts({ operator }: FaultyRedis): Promise<void> {
  const timer = setInterval(() => {
    operator.sendCommand(['SCRIPT', 'FLUSH']).catch(() => undefined);
  }, 100);
  afterThisTest(() => {
    clearInterval(timer);
  });
  return Promise.resolve();
}
