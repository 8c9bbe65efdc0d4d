import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { freePort } from '../../test/support/free-port.js';

/** What a Redis says of itself. */
export interface RedisUsage {
  /** CPU time since its start, in seconds. */
  readonly cpuSeconds: number;
  readonly usedBytes: number;
  /** Calls of EVALSHA, and how long they took in all, in microseconds. */
  readonly calls: number;
  readonly callsUs: number;
}

/** A Redis for one measurement. */
export interface BenchRedis {
  readonly url: string;
  readonly client: ReturnType<typeof makeClient>;
  usage(): Promise<RedisUsage>;
  stop(): Promise<void>;
}

/** Starts the redis-server of this machine, which saves nothing. @throws Error if there is none */
export async function startRedis(): Promise<BenchRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-bench-redis-'));
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `redis://127.0.0.1:${port}`;
  const client = makeClient(url);
  client.on('error', () => undefined);
  await client.connect();
  return {
    url,
    client,
    usage: async () => {
      const [cpu, memory, stats] = [
        await client.info('cpu'),
        await client.info('memory'),
        await client.info('commandstats'),
      ];
      return {
        cpuSeconds: numberIn(cpu, /used_cpu_user:([\d.]+)/) + numberIn(cpu, /used_cpu_sys:([\d.]+)/),
        usedBytes: numberIn(memory, /used_memory:(\d+)/),
        calls: numberIn(stats, /cmdstat_evalsha:calls=(\d+)/),
        callsUs: numberIn(stats, /cmdstat_evalsha:calls=\d+,usec=(\d+)/),
      };
    },
    stop: async () => {
      client.destroy();
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeClient(url: string) {
  return createClient({ url });
}

/** 0 if it is not there. */
function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
